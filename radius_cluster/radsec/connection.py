"""One router's connection: TLS, framing, requests in, answers out; and the way back for CoA (RFC 6613, RFC 6614)."""

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any, Final, cast

import structlog

from radius_cluster.listen.duplicates import Duplicates, Key
from radius_cluster.listen.sockets import plain_address
from radius_cluster.radsec.frames import FrameError, Frames
from radius_cluster.radsec.tls import TlsError, TlsSession
from radius_cluster.routing.directory import NasEntry
from radius_cluster.wire.proxy_protocol import read_proxy_header

if TYPE_CHECKING:
    from radius_cluster.radsec.hub import Hub

LOG = structlog.get_logger(__name__)

HANDSHAKE_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 3_600.0  # the peer's watchdog (Status-Server) or its next interim comes long before
UNREAD_SECONDS: Final = 30.0  # a peer that does not read its answers is cut off
MOST_UNDER_WAY: Final = 512  # the identifiers of logins and accounting; more would wait in our queues instead of TCP's
_FEW_UNDER_WAY: Final = 256
_LARGEST_BUFFER: Final = 256 * 1024
_FINISHED_WITH_TLS_SECONDS: Final = 1.0


class Answers(dict[Key, bytes | None]):
    """The answers of a connection, and how many requests have none yet."""

    def __init__(self, connection: "Connection") -> None:
        super().__init__()
        self._connection = connection
        self.under_way = 0

    def __setitem__(self, key: Key, reply: bytes | None) -> None:
        if key in self and super().__getitem__(key) is None:
            self._fewer()
        super().__setitem__(key, reply)
        if reply is None:
            self.under_way += 1

    def pop(self, key: Key, default: Any = None) -> Any:
        """As of any dict."""
        if key not in self:
            return default
        found = super().pop(key)
        if found is None:
            self._fewer()
        return found

    def _fewer(self) -> None:
        self.under_way = max(0, self.under_way - 1)
        if self.under_way <= _FEW_UNDER_WAY:
            self._connection.go_on()


class Connection(asyncio.Protocol):
    """Serves as ``Request.receiver``, too: an answer goes back the way its request came."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._tls: TlsSession | None = None
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._replies: list[bytes] = []
        self._paused_since = 0.0  # the peer does not read
        self._is_full = False  # too much of it is under way
        self._closing = False
        self.opened_at = self.heard_at = time.monotonic()
        self.source: tuple[Any, ...] = ("", 0)
        self.nas: NasEntry | None = None
        self.identity = ""
        self._header: bytes | None = None  # of a load balancer: what has come of it; None when none is awaited
        self.duplicates = Duplicates()
        self.duplicates.answers = Answers(self)

    @property
    def shown(self) -> str:
        """Address and port of the peer."""
        return f"{self.source[0]}:{self.source[1]}"

    @property
    def is_open(self) -> bool:
        """Whether what is sent now still goes out."""
        return not self._closing and self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has connected; it has ten seconds for its handshake."""
        self._transport = cast(asyncio.Transport, transport)
        address, port = tuple(transport.get_extra_info("peername") or ("", 0))[:2]
        self.source = (plain_address(address), port)
        self._transport.set_write_buffer_limits(high=_LARGEST_BUFFER)
        _keep_alive(transport.get_extra_info("socket"))
        if self._hub.balancers and self.source[0] in self._hub.balancers:
            self._header = b""
        self._tls = self._hub.accept(self)
        if self._tls is None:
            self.abort("too_many")

    def data_received(self, data: bytes) -> None:
        """Octets of TLS."""
        if self._tls is None or self._closing:
            return
        if self._header is not None:
            data = self._read_header(data)
            if not data:
                return
        try:
            plain, ended = self._tls.feed(data)
        except TlsError as error:
            self._fail(error)
            return
        self._write(self._tls.outgoing())
        if self._tls.established and self.nas is None and not self._hub.enter(self, self._tls):
            self.close()
            return
        if plain:
            self.heard_at = time.monotonic()
            try:
                packets = self._frames.feed(plain)
            except FrameError as error:
                self._hub.refuse(self, "bad_length", str(error))
                self.close()
                return
            now = time.time()
            for packet in packets:
                if not self._hub.take(self, packet, now):
                    self.close()
                    return
            if cast(Answers, self.duplicates.answers).under_way >= MOST_UNDER_WAY:
                self._is_full = True
                self._set_reading()
        if ended:
            self.close()

    def _read_header(self, data: bytes) -> bytes:
        """What follows the balancer's header; b"" while it is not complete, or when it is none."""
        assert self._header is not None
        self._header += data
        found = read_proxy_header(self._header)
        if found is None:
            return b""
        if isinstance(found, str):
            self.abort(found)
            return b""
        rest, self._header = self._header[found.octets :], None
        if found.source is not None:
            self.source = found.source
        return rest

    def eof_received(self) -> None:
        """The peer has nothing more to say: whatever is under way is answered into the void."""
        self.abort("")

    def connection_lost(self, _error: Exception | None) -> None:
        """It is over."""
        self._closing = True
        self._transport = None
        self._hub.leave(self)

    def pause_writing(self) -> None:
        """The peer does not read: then we do not read either."""
        self._paused_since = time.monotonic()
        self._set_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._paused_since = 0.0
        self._set_reading()

    def go_on(self) -> None:
        """There is room for more requests."""
        if self._is_full:
            self._is_full = False
            self._set_reading()

    def send(self, reply: bytes, destination: tuple[Any, ...]) -> None:
        """Send a packet; those of one turn of the loop share a TLS record."""
        if self._closing or self._transport is None:
            return
        self._replies.append(reply)
        if len(self._replies) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    def tick(self, now: float) -> None:
        """Look after time-outs; call every half second."""
        self.duplicates.tick(now)
        if self._closing:
            return
        if self.nas is None:
            if now - self.opened_at > HANDSHAKE_SECONDS:
                self.abort("handshake_timeout")
        elif now - self.heard_at > IDLE_SECONDS:
            self.close()
        elif self._paused_since and now - self._paused_since > UNREAD_SECONDS:
            self.abort("unread")

    def close(self) -> None:
        """Answer what is ready, say goodbye, end."""
        if self._closing or self._transport is None:
            return
        self._flush()
        self._closing = True
        if self._tls is not None and self._tls.established:
            self._tls.end()
            self._write(self._tls.outgoing())
        self._close_transport()

    def abort(self, reason: str) -> None:
        """End at once."""
        if reason:
            self._hub.refuse(self, reason, "")
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, error: TlsError) -> None:
        assert self._tls is not None
        self._write(self._tls.outgoing())  # an alert may tell the peer why
        if not self._tls.established:
            self._hub.refuse_handshake(self, self._tls, str(error))
        self._closing = True
        self._close_transport()

    def _close_transport(self) -> None:
        """What is written may still leave; a peer that does not read it is not waited for."""
        transport = self._transport
        if transport is not None:
            transport.close()
            asyncio.get_running_loop().call_later(_FINISHED_WITH_TLS_SECONDS, transport.abort)

    def _flush(self) -> None:
        replies, self._replies = self._replies, []
        if not replies or self._tls is None or self._closing:
            return
        try:
            self._tls.encrypt(b"".join(replies))
        except TlsError as error:
            self._fail(error)
            return
        self._write(self._tls.outgoing())

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None:
            self._transport.write(data)

    def _set_reading(self) -> None:
        transport = self._transport
        if transport is None or self._closing:
            return
        wanted = not self._is_full and not self._paused_since
        if wanted and not transport.is_reading():
            transport.resume_reading()
        elif not wanted and transport.is_reading():
            transport.pause_reading()


def _keep_alive(opened: socket.socket | None) -> None:
    """Let the kernel find out that a router behind NAT or a cut line is gone: within two minutes."""
    if opened is None:
        return
    for level, option, value in (
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    ):
        opened.setsockopt(level, option, value)
