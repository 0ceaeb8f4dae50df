"""Reads datagrams, drops what may not be answered, and hands verified requests on (RAD-1, RAD-9).

Whatever the bytes, nothing here raises; whatever is dropped is counted by reason and, where it names a tenant's prefix,
shown to that tenant (TEN-4).
"""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from radius_cluster.counters import ACCT_DUPLICATE, AUTH_DUPLICATE, STATUS, Counters, Refusal, dropped
from radius_cluster.listen.duplicates import Duplicates, Key, mark_of
from radius_cluster.listen.incoming import AT_ONCE, Incoming, Source
from radius_cluster.listen.outgoing import Outgoing
from radius_cluster.routing.directory import Directory, NasEntry
from radius_cluster.wire.codes import (
    ACCESS_REQUEST,
    ACCOUNTING_REQUEST,
    NAS_IDENTIFIER,
    STATUS_SERVER,
    USER_NAME,
)
from radius_cluster.wire.devices import device_of
from radius_cluster.wire.packet import Packet, encode_status_response, parse, verify_request
from radius_cluster.wire.shapes import learn

if TYPE_CHECKING:
    from radius_cluster.watch.watches import Watches

LOG = structlog.get_logger(__name__)

LARGEST_DATAGRAM: Final = 4097  # one more than a packet may have, so that an over-long one is seen to be
_MOST_READS_AT_THE_END: Final = 2_000  # more than a socket's buffer holds
UNKNOWN_NAS: Final = "unknown_nas"
DUPLICATE: Final = "duplicate"
WRONG_PORT: Final = "wrong_port"
_SERVED_SOMEWHERE: Final = (ACCESS_REQUEST, ACCOUNTING_REQUEST)


def _no_more() -> bool:
    return False


class Way(Protocol):
    """Where a request came from and its answer goes: a UDP socket, a RadSec connection."""

    duplicates: Duplicates

    def send(self, reply: bytes, destination: tuple[Any, ...]) -> None:
        """Send the reply; it may be lost."""


class Request:
    """A verified request on its way through the node."""

    __slots__ = ("arrived", "eap", "key", "nas", "packet", "receiver", "source")

    def __init__(
        self, packet: Packet, nas: NasEntry, receiver: "Way", source: tuple[Any, ...], key: Key, arrived: float
    ) -> None:
        self.packet = packet
        self.nas = nas
        self.eap: Any = None  # where an EAP conversation stands: process/eap_request.py
        self.receiver = receiver
        self.source = source
        self.key = key
        self.arrived = arrived  # seconds since 1970

    @property
    def user_name(self) -> str:
        """Who wants to enter: with EAP the name inside the tunnel."""
        return self.packet.text(USER_NAME) if self.eap is None else self.eap.user_name or self.packet.text(USER_NAME)

    def answer(self, reply: bytes) -> None:
        """Send the reply and keep it for repeats of the request."""
        receiver, key = self.receiver, self.key
        answers = receiver.duplicates.answers
        if key in answers:  # else it took so long that repeats are new requests by now
            answers[key] = reply
        receiver.send(reply, self.source)

    def note(self, reason: str) -> None:
        """Why it is refused, or led to another place; whoever watches packets is told (watch/request.py)."""

    def forget(self, reason: str = "") -> None:
        """Give up without an answer; a repeat is a new request. No ``reason``: another process answers it."""
        self.receiver.duplicates.answers.pop(self.key, None)


class Receiver:
    """One UDP socket. ``handlers`` says which packet codes this port serves."""

    largest_datagram = LARGEST_DATAGRAM

    def __init__(
        self,
        opened: socket.socket,
        kind: str,
        directory: Directory,
        counters: Counters,
        handlers: Mapping[int, Callable[[Request], None]],
        watches: "Watches | None" = None,
    ) -> None:
        self.duplicates = Duplicates()
        self.kind = kind  # auth | acct
        self._socket = opened
        self._directory = directory
        self._by_identifier = directory.by_identifier
        self._counters = counters
        self._watches = watches
        self._watched = {} if watches is None else watches.by_tenant  # empty, nearly always
        self._handlers = {**handlers, STATUS_SERVER: self._answer_status}
        self._duplicate_outcome = AUTH_DUPLICATE if kind == "auth" else ACCT_DUPLICATE
        self._incoming = Incoming(opened, self.largest_datagram)
        self._outgoing = Outgoing(opened)
        self._reading = False
        # While this process ends: hands a datagram to another process of this port; gives whether there was one.
        self.hand_over: Callable[[str, bytes, tuple[Any, ...]], bool] | None = None
        # Whether what one call gave is too little, so that more is read before anything else is done.
        self.wants_more: Callable[[], bool] = _no_more

    def start(self) -> None:
        """Begin to read."""
        self._reading = True
        asyncio.get_running_loop().add_reader(self._socket, self._on_readable)

    def stop_reading(self) -> None:
        """Read what has arrived, then no more; answers can still be sent."""
        if self._reading:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._socket)
            for _ in range(_MOST_READS_AT_THE_END):  # in a flood there is always one more
                if not self._on_readable():
                    break

    def close(self) -> None:
        """Send what waits, and close the socket."""
        self.stop_reading()
        self._outgoing.flush()
        self._socket.close()

    def send(self, reply: bytes, destination: tuple[Any, ...]) -> None:
        """Send a datagram soon; a full buffer or an unreachable router loses it, and the router asks again."""
        self._outgoing.send(reply, destination)

    def _on_readable(self) -> bool:
        """Read what one call gives, or more while that is wanted; True when there may be more."""
        now = time.time()
        datagrams = self._incoming.read()
        self._take_all(datagrams, now)
        while len(datagrams) == AT_ONCE and self.wants_more():
            datagrams = self._incoming.read()
            self._take_all(datagrams, now)
        return len(datagrams) == AT_ONCE

    def _take_all(self, datagrams: list[tuple[bytes, Source, Key]], now: float) -> None:
        take = self.take if self.hand_over is None else self._take_or_hand_over
        for data, source, key in datagrams:
            try:
                take(data, source, now, key)
            except Exception:
                LOG.exception("packet_failed", source=f"{source[0]}:{source[1]}", packet=data[:64].hex())
                self._counters.count_nobody(0, dropped(self.kind, "internal_error"))

    def take(self, data: bytes, source: tuple[Any, ...], now: float, key: Key = b"") -> None:
        """One datagram: answer a repeat, drop what is wrong, hand on the rest. ``key`` where it is known already."""
        key = key or mark_of(source) + data[:20]
        if key in self.duplicates.answers:
            self._repeat(data, source, key, now)
            return
        packet = parse(data)
        if isinstance(packet, str):
            self._drop_malformed(packet, source, data, now)
            return
        handler = self._handlers.get(data[0])
        if handler is None:
            self._refuse_unserved(packet, source, now)
            return
        place = packet.places.get(NAS_IDENTIFIER)
        nas = None if place is None else self._by_identifier.get(data[place])
        if nas is None:
            nas = self._directory.find(None if place is None else data[place], source[0])
        if nas is None:
            self._refuse(None, UNKNOWN_NAS, packet, source, now)
            return
        problem = verify_request(packet, nas.secret, nas.required)
        if problem:
            self._refuse(nas, problem, packet, source, now)
            return
        if not packet.shaped:
            learn(packet.raw, packet.places, packet.message_authenticator_at)
        nas.heard = True
        nas.last_source = source
        if not nas.seen & 1:
            self._counters.first_seen(nas, 0)
        self.duplicates.begin(key)
        if self._watched:
            assert self._watches is not None
            handler(self._watches.request(packet, nas, self, source, key, now))
        else:
            handler(Request(packet, nas, self, source, key, now))

    def _take_or_hand_over(self, data: bytes, source: tuple[Any, ...], now: float, key: Key) -> None:
        """The port is shared: the kernel brings us packets until our socket closes, and repeats of them, too."""
        assert self.hand_over is not None
        if key in self.duplicates.answers:
            self.take(data, source, now, key)
        else:
            self.hand_over(self.kind, data, source)  # when nobody is left, it asks again

    def _repeat(self, data: bytes, source: tuple[Any, ...], key: Key, now: float) -> None:
        """The header of an earlier request: a repeat, if it verifies as that did; else somebody has changed it."""
        packet = parse(data)
        if isinstance(packet, str):
            self._drop_malformed(packet, source, data, now)
            return
        nas = self._directory.find(packet.attributes.get(NAS_IDENTIFIER), source[0])
        problem = UNKNOWN_NAS if nas is None else verify_request(packet, nas.secret, nas.required)
        if nas is None or problem:
            self._refuse(nas, problem, packet, source, now)
            return
        reply = self.duplicates.answers[key]
        if reply is not None:
            self.send(reply, source)
        self._counters.count(nas, self._duplicate_outcome)
        if self._watches is not None and self._watched:
            self._watches.dropped(nas.tenant.id, nas, packet, data, source, DUPLICATE, now, reply)

    def _answer_status(self, request: Request) -> None:
        self._counters.count(request.nas, STATUS)
        accounting = self.kind == "acct"
        request.answer(encode_status_response(request.packet, request.nas.secret, accounting=accounting))

    def _drop_malformed(self, reason: str, source: tuple[Any, ...], data: bytes, now: float) -> None:
        nas = self._directory.by_address.get(source[0])
        if nas is not None:
            self._counters.count(nas, dropped(self.kind, reason))
            if self._watches is not None and self._watched:
                self._watches.dropped(nas.tenant.id, nas, None, data, source, reason, now)
        else:
            self._counters.count_nobody(0, dropped(self.kind, reason))
        self._counters.refuse(
            Refusal(
                tenant_id=nas.tenant.id if nas else 0,
                nas_id=nas.id if nas else None,
                nas_identifier="",
                source=f"{source[0]}:{source[1]}",
                code=data[0] if data else 0,
                reason=reason,
                username="",
                account_id=None,
                mac="",
                method="",
                at=now,
            )
        )

    def _refuse_unserved(self, packet: Packet, source: tuple[Any, ...], now: float) -> None:
        """A packet that this port does not serve: mostly a router whose two ports are mixed up."""
        if packet.code not in _SERVED_SOMEWHERE:
            self._counters.count_nobody(0, dropped(self.kind, "unserved_code"))
            return
        nas = self._directory.find(packet.attributes.get(NAS_IDENTIFIER), source[0])
        problem = UNKNOWN_NAS if nas is None else verify_request(packet, nas.secret, nas.required)
        self._refuse(nas, problem or WRONG_PORT, packet, source, now)

    def _refuse(self, nas: NasEntry | None, reason: str, packet: Packet, source: tuple[Any, ...], now: float) -> None:
        """A packet of an unknown NAS, or one that does not verify: silent towards the network, shown to the tenant."""
        identifier = packet.text(NAS_IDENTIFIER)
        if nas is not None:
            tenant_id = nas.tenant.id
            self._counters.count(nas, dropped(self.kind, reason))
        else:
            tenant = self._directory.tenant_of_prefix(identifier)
            tenant_id = tenant.id if tenant else 0
            self._counters.count_nobody(tenant_id, dropped(self.kind, reason))
        if self._watches is not None and self._watched:
            self._watches.dropped(tenant_id, nas, packet, packet.raw, source, reason, now)
        self._counters.refuse(
            Refusal(
                tenant_id=tenant_id,
                nas_id=nas.id if nas else None,
                nas_identifier=identifier,
                source=f"{source[0]}:{source[1]}",
                code=packet.code,
                reason=reason,
                username=packet.text(USER_NAME),
                account_id=None,
                mac=device_of(packet),
                method="",
                at=now,
            )
        )
