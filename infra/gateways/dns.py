"""Addresses of host names, asked over UDP with every wait bounded (RFC 1035, 3596).

The system's own resolver cannot be stopped once it waits, and one dead name server would hold up all names.
"""

import asyncio
import secrets
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

Server = tuple[str, int]
A, AAAA = 1, 28
_TRY_SECONDS: Final = 1.5
_ROUNDS: Final = 2
_AT_ONCE: Final = 64
_MOST_ADDRESSES: Final = 8
_NO_SUCH_NAME: Final = 3
_HEADER: Final = struct.Struct(">HHHHHH")
_RECORD: Final = struct.Struct(">HHIH")


@dataclass(frozen=True, slots=True)
class Answer:
    """The addresses of a name; ``error`` is "" or why there are none: no_such_name, no_address, no_answer."""

    addresses: tuple[str, ...] = ()
    error: str = ""


def system_servers(path: Path = Path("/etc/resolv.conf")) -> list[Server]:
    """The name servers of this machine."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    return [(found[1].partition("%")[0], 53) for found in words if len(found) > 1 and found[0] == "nameserver"]


def parse_servers(text: str) -> list[Server]:
    """``address`` or ``address#port``, separated by spaces. Raises ValueError."""
    found = []
    for one in text.split():
        address, _, port = one.partition("#")
        found.append((str(ip_address(address)), int(port or 53)))
    return found


async def resolve_all(names: Iterable[str], servers: Sequence[Server], *, within_seconds: float) -> dict[str, Answer]:
    """Every name with its answer; what is not answered in time is ``no_answer``."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> Answer:
        async with room:
            return await _resolve(name, servers)

    tasks = {name: asyncio.ensure_future(one(name)) for name in dict.fromkeys(names)}
    if tasks:
        await asyncio.wait(tasks.values(), timeout=within_seconds)
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    return {
        name: task.result() if not task.cancelled() and task.exception() is None else Answer(error="no_answer")
        for name, task in tasks.items()
    }


async def _resolve(name: str, servers: Sequence[Server]) -> Answer:
    found = await asyncio.gather(_ask_any(name, A, servers), _ask_any(name, AAAA, servers))
    addresses = tuple(dict.fromkeys(address for answer in found for address in answer.addresses))[:_MOST_ADDRESSES]
    if addresses:
        return Answer(addresses)
    errors = {answer.error for answer in found}
    return Answer(error="no_answer" if "no_answer" in errors else min(errors, key=("no_such_name", "no_address").index))


async def _ask_any(name: str, kind: int, servers: Sequence[Server]) -> Answer:
    for _ in range(_ROUNDS):
        for server in servers:
            answer = await _ask(name, kind, server)
            if answer is not None:
                return answer
    return Answer(error="no_answer")


async def _ask(name: str, kind: int, server: Server) -> Answer | None:
    """None when nothing useful comes in time."""
    query = encode_query(secrets.randbelow(65_536), name, kind)
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[Answer] = loop.create_future()

    class Client(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _source: tuple[str, int]) -> None:
            answer = read_answer(data, query, kind)
            if answer is not None and not waiting.done():
                waiting.set_result(answer)

        def error_received(self, _error: Exception) -> None:
            if not waiting.done():
                waiting.cancel()

    try:
        # Connected, so that only this server's answers are taken, and on a port of its own each time.
        transport, _ = await loop.create_datagram_endpoint(Client, remote_addr=server)
    except OSError:
        return None
    try:
        transport.sendto(query)
        async with asyncio.timeout(_TRY_SECONDS):
            return await waiting
    except (TimeoutError, asyncio.CancelledError):
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        return None
    finally:
        transport.close()


def encode_query(identifier: int, name: str, kind: int) -> bytes:
    """A question for the addresses of a name, recursion wanted. Raises ValueError for what is no host name."""
    labels = name.rstrip(".").encode("ascii").split(b".")
    if not all(1 <= len(label) <= 63 for label in labels) or len(name) > 253:
        raise ValueError(name)
    question = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    return _HEADER.pack(identifier, 0x0100, 1, 0, 0, 0) + question + struct.pack(">HH", kind, 1)


def read_answer(data: bytes, query: bytes, kind: int) -> Answer | None:
    """What a server says; None when it is no answer to this question, or a failure of the server. Never raises."""
    try:
        identifier, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
        same = data[12 : len(query)].lower() == query[12:].lower()
        if identifier != int.from_bytes(query[:2], "big") or not flags & 0x8000 or questions != 1 or not same:
            return None
        if flags & 0xF == _NO_SUCH_NAME:
            return Answer(error="no_such_name")
        if flags & 0xF:
            return None
        at, found = len(query), []
        for _ in range(answers):  # a chain of CNAMEs comes with its end
            at = _after_name(data, at)
            record, _, _, size = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            value = data[at : at + size]
            if record == kind == A and size == 4:
                found.append(str(IPv4Address(value)))
            elif record == kind == AAAA and len(value) == 16:
                found.append(str(IPv6Address(value)))
            at += size
    except (struct.error, IndexError, ValueError):
        return None
    return Answer(tuple(found)) if found else Answer(error="no_address")


def _after_name(data: bytes, at: int) -> int:
    while data[at]:
        if data[at] >= 0xC0:  # a pointer ends the name
            return at + 2
        at += data[at] + 1
    return at + 1
