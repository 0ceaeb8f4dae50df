"""EAP conversations that live on another host: the request goes to its owner, the answer comes back the same way.

A router only takes answers from the address that it asked, so the owner never answers a request that another host
received: it hands the reply back, and that host sends it.
"""

import hashlib
import json
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from radius_cluster.counters import Counters
from radius_cluster.listen.node_link import NodeLink
from radius_cluster.listen.peers import FORWARD, REPLY
from radius_cluster.listen.receive import Receiver, Request
from radius_cluster.routing.directory import Directory

_ID_OCTETS: Final = 8
_ANSWER_WITHIN_SECONDS: Final = 6.0  # routers have asked again by then
_MOST_ASKED: Final = 4_000


class Elsewhere:
    """One per process: asks other hosts, and answers those that ask."""

    def __init__(self, link: NodeLink, guests: "Guests") -> None:
        self._link = link
        self._asked: dict[bytes, tuple[Request, float]] = {}
        self.receiver = guests

    def ask(self, owner: str, request: Request) -> bool:
        """Hand a request to the process that has its conversation; False when it is not known."""
        if len(self._asked) >= _MOST_ASKED:
            return False
        # The same for a repeat, so that its owner recognises it.
        mark = hashlib.blake2b(repr(request.key).encode(), digest_size=_ID_OCTETS).digest()
        source = json.dumps([str(request.key[0][0]), int(request.key[0][1])]).encode()
        if not self._link.send(owner, FORWARD, mark + source + b"\n" + request.packet.raw):
            return False
        self._asked[mark] = (request, time.monotonic())
        return True

    def on_message(self, sender: str, kind: int, body: bytes) -> None:
        """A request of another host, or its answer to one of ours."""
        mark, rest = body[:_ID_OCTETS], body[_ID_OCTETS:]
        if kind == FORWARD:
            source, _, data = rest.partition(b"\n")
            address, port = json.loads(source)
            self.receiver.take(data, (address, port, mark, sender), time.time())
        elif kind == REPLY:
            asked = self._asked.pop(mark, None)
            if asked is not None:
                asked[0].answer(rest)

    def tick(self, now: float) -> None:
        """Give up what got no answer; call every half second."""
        self.receiver.duplicates.tick(now)
        old = now - _ANSWER_WITHIN_SECONDS
        for mark in [mark for mark, (_, at) in self._asked.items() if at < old]:
            del self._asked[mark]

    def close(self) -> None:
        """Let go of the socket."""
        self.receiver.close()


class Guests(Receiver):
    """Takes requests that another host received; a source is (address, port, mark, the process that asked)."""

    def __init__(
        self,
        link: NodeLink,
        directory: Directory,
        counters: Counters,
        handlers: Mapping[int, Callable[[Request], None]],
    ) -> None:
        unused = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # nothing is read from it or sent through it
        super().__init__(unused, "auth", directory, counters, handlers)
        self._link = link

    def send(self, reply: bytes, destination: tuple[Any, ...]) -> None:
        """Back to who asked."""
        self._link.send(destination[3], REPLY, destination[2] + reply)
