"""Requests that another process has to decide, and whose answer must leave from here: its EAP conversation lives there
(of another host, or behind another RadSec connection), or that process may know the account while the database is away.

A router only takes answers from the address, or through the connection, that it asked. So whoever decides a request
that another process received hands the reply back, and that process sends it.
"""

import hashlib
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from radius_cluster.counters import Counters
from radius_cluster.listen.duplicates import Duplicates
from radius_cluster.listen.peers import FORWARD, RECALL, REPLY
from radius_cluster.listen.receive import Receiver, Request
from radius_cluster.routing.directory import Directory

_ID_OCTETS: Final = 8
_ANSWER_WITHIN_SECONDS: Final = 6.0  # routers have asked again by then
_MOST_ASKED: Final = 4_000

Send = Callable[[str, int, bytes], bool]  # (process, kind, body): whether there is such a process


class Guests(Protocol):
    """Takes requests that another process received."""

    duplicates: Duplicates

    def describe(self, request: Request) -> bytes:
        """What the other side needs beside the packet to know the router again; without a line feed."""

    def receive(self, kind: int, described: bytes, data: bytes, mark: bytes, sender: str) -> None:
        """Verify and decide one; its answer goes back to ``sender`` under ``mark``."""


class Elsewhere:
    """One per process: asks others, and answers those that ask."""

    def __init__(self, send: Send, guests: Guests) -> None:
        self._send = send
        self._asked: dict[bytes, tuple[Request, float]] = {}
        self.guests = guests

    def ask(self, others: Sequence[str], request: Request, kind: int = FORWARD) -> int:
        """Hand a request to processes, the first answer counts; gives how many of them there are."""
        if len(self._asked) >= _MOST_ASKED:
            return 0
        # The same for a repeat, so that its owner recognises it.
        mark = hashlib.blake2b(repr((request.source, request.key)).encode(), digest_size=_ID_OCTETS).digest()
        body = mark + self.guests.describe(request) + b"\n" + request.packet.raw
        sent = sum(self._send(other, kind, body) for other in others)
        if sent:
            self._asked[mark] = (request, time.monotonic())
        return sent

    def on_message(self, sender: str, kind: int, body: bytes) -> None:
        """A request of another process, or its answer to one of ours."""
        mark, rest = body[:_ID_OCTETS], body[_ID_OCTETS:]
        if kind in (FORWARD, RECALL):
            described, _, data = rest.partition(b"\n")
            self.guests.receive(kind, described, data, mark, sender)
        elif kind == REPLY:
            asked = self._asked.pop(mark, None)
            if asked is not None:
                asked[0].answer(rest)

    def tick(self, now: float) -> None:
        """Give up what got no answer; call every half second."""
        self.guests.duplicates.tick(now)
        old = now - _ANSWER_WITHIN_SECONDS
        for mark in [mark for mark, (_, at) in self._asked.items() if at < old]:
            del self._asked[mark]


class UdpGuests(Receiver):
    """Of another host's UDP ports; a source is (address, port, mark, the process that asked)."""

    def __init__(
        self,
        send: Send,
        directory: Directory,
        counters: Counters,
        handlers: Mapping[int, Callable[[Request], None]],
    ) -> None:
        unused = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # nothing is read from it or sent through it
        super().__init__(unused, "auth", directory, counters, handlers)
        self._send_back = send
        self.recalling = False  # a request is being decided that its own host did not know

    def describe(self, request: Request) -> bytes:
        """The router's address and port."""
        return json.dumps([str(request.source[0]), int(request.source[1])]).encode()

    def receive(self, kind: int, described: bytes, data: bytes, mark: bytes, sender: str) -> None:
        """As if the router had asked here."""
        address, port = json.loads(described)
        self.recalling = kind == RECALL
        try:
            self.take(data, (address, port, mark, sender), time.time())
        finally:
            self.recalling = False

    def send(self, reply: bytes, destination: tuple[Any, ...]) -> None:
        """Back to who asked."""
        self._send_back(destination[3], REPLY, destination[2] + reply)
