"""A line to Redis for a few writes a second, by the event loop and without the client library, which would cost every
process of the cluster 18 MB and half a second, for something that hardly ever happens."""

import asyncio
import ssl
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

_LONGEST_REPLY: Final = 65_536
Command = tuple[bytes | str | int, ...]


class RedisRefused(Exception):
    """Redis answered with an error."""


class RedisLine:
    """``url`` as everywhere: ``redis://``, ``rediss://`` or ``unix://``; connects when it is first needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, commands: list[Command]) -> None:
        """Have them done, in order. Raises OSError, EOFError, ValueError (not a Redis), :class:`RedisRefused`."""
        if self._open is None:
            self._open, hello = await self._connect()
            commands = [*hello, *commands]
        reader, writer = self._open
        try:
            writer.write(b"".join(map(_encode, commands)))
            await writer.drain()
            for _ in commands:
                await _read_reply(reader)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up; the next command connects again."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    async def _connect(self) -> tuple[tuple[asyncio.StreamReader, asyncio.StreamWriter], list[Command]]:
        parts = urlsplit(self._url)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.scheme == "unix":
            opened = await asyncio.open_unix_connection(unquote(parts.path))
            database = options.get("db", "0")
        else:
            context = _tls(options) if parts.scheme == "rediss" else None
            opened = await asyncio.open_connection(parts.hostname or "localhost", parts.port or 6379, ssl=context)
            database = options.get("db") or parts.path.strip("/") or "0"
        hello: list[Command] = []
        user, password = unquote(parts.username or ""), unquote(parts.password or options.get("password", ""))
        if password:
            hello.append(("AUTH", user, password) if user else ("AUTH", password))
        if database != "0":
            hello.append(("SELECT", database))
        return opened, hello


def _tls(options: dict[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
    if options.get("ssl_cert_reqs") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _encode(command: Command) -> bytes:
    words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


async def _read_reply(reader: asyncio.StreamReader) -> None:
    """Past one reply: what we send is answered by a word, a number or a short text."""
    line = await reader.readline()
    if not line.endswith(b"\r\n"):
        raise EOFError("Redis has hung up")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise RedisRefused(rest.decode("utf-8", "replace"))
    if kind == b"$":
        size = int(rest)
        if size > _LONGEST_REPLY:
            raise ValueError("a reply that nobody asked for")
        if size >= 0:
            await reader.readexactly(size + 2)
    elif kind not in (b"+", b":"):
        raise ValueError("not a Redis")
