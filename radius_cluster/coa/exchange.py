"""Requests to routers over UDP: each answered, or tried three times; a rate limit for each router (RAD-5).

A router that has a RadSec connection open is asked through it: its destination is ``(RADSEC, router id)``, and the
request is handed once to the process that holds the connection (TCP repeats by itself). Where that process has just
died, or the connection ended, it is tried again: the router connects anew.
"""

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from radius_cluster.listen.sockets import open_udp, plain_address, socket_address
from radius_cluster.wire.coa import LONGEST_ATTRIBUTES, DynamicReply, encode_dynamic_request, read_dynamic_reply

TRY_AFTER_SECONDS: Final = (1.0, 2.0, 3.0)  # waits after the first, second and third sending
MOST_PER_SECOND: Final = 500  # per router, unless its option coa_rate says otherwise
RADSEC: Final = "radsec"
_ANSWER_WITHIN_SECONDS: Final = sum(TRY_AFTER_SECONDS)
_FORGET_SECONDS: Final = 60.0
_SOCKETS: Final = 32  # 256 identifiers each: 8,192 requests under way to one router
Destination = tuple[str, int]
Answer = Callable[[DynamicReply | None], None]


class Watched(Protocol):
    """Notes a request that somebody watches."""

    def sent(self, request: bytes) -> None:
        """It goes out for the first time."""

    def ended(self, reply: bytes | None) -> None:
        """The answer, or None."""


@dataclass(slots=True)
class _Pending:
    destination: Destination
    secret: bytes
    request: bytes
    on_answer: Answer
    watched: Watched | None
    tries: int = 0
    lost: int = 0  # how often the router's connection had ended before it was asked
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Queue:
    """What waits for one router. ``next_at``: when the rate lets the next one go."""

    rate: float
    waiting: deque[tuple[int, bytes, bytes, Answer, Watched | None]] = field(default_factory=deque)
    next_at: float = 0.0
    running: bool = False


class Exchange:
    """Owns the sockets; answers arrive by callback, ``None`` meaning that nothing came."""

    def __init__(self, address: str) -> None:
        self._sockets = [open_udp(address, 0) for _ in range(_SOCKETS)]
        self._pending: dict[tuple[int, Destination, int], _Pending] = {}
        self._queues: dict[Destination, _Queue] = {}
        self._forgot_at = 0.0
        self._turn = 0
        # Gives whether there was a process to hand it to
        self.send_radsec: Callable[[int, bytes], bool] = lambda _nas_id, _request: False
        loop = asyncio.get_running_loop()
        for number, opened in enumerate(self._sockets):
            loop.add_reader(opened, self._on_readable, number, opened)

    @property
    def under_way(self) -> int:
        """Requests sent or waiting to be sent."""
        return len(self._pending) + sum(len(queue.waiting) for queue in self._queues.values())

    def ask(
        self,
        destination: Destination,
        secret: bytes,
        code: int,
        attributes: bytes,
        on_answer: Answer,
        rate: float,
        watched: Watched | None = None,
    ) -> None:
        """Queue a request for a router. Raises ValueError when a packet does not take the attributes."""
        if len(attributes) > LONGEST_ATTRIBUTES:  # noticed when its turn comes it would keep the whole queue
            raise ValueError(f"{len(attributes)} octets of attributes do not fit into a packet")
        queue = self._queues.get(destination)
        if queue is None:
            self._forget_idle(time.monotonic())
            queue = self._queues[destination] = _Queue(rate)
        queue.rate = rate
        queue.waiting.append((code, secret, attributes, on_answer, watched))
        if not queue.running:
            queue.running = True
            self._pump(destination, queue)

    def close(self) -> None:
        """Stop; nobody is called back any more."""
        loop = asyncio.get_running_loop()
        for pending in self._pending.values():
            if pending.timer is not None:
                pending.timer.cancel()
        self._pending.clear()
        for opened in self._sockets:
            loop.remove_reader(opened)
            opened.close()

    def on_radsec(self, nas_id: int, data: bytes) -> None:
        """An answer that came through a router's RadSec connection."""
        if len(data) >= 20:
            self._on_datagram(0, data, (RADSEC, nas_id))

    def lost_radsec(self, nas_id: int, head: bytes) -> None:
        """The process that was handed a request has no connection of its router any more; it may have another one."""
        if len(head) < 20:
            return
        key = (0, (RADSEC, nas_id), head[1])
        pending = self._pending.get(key)
        if pending is None or pending.request[:20] != head or pending.timer is None:
            return
        pending.timer.cancel()
        pending.lost += 1
        pending.tries = min(pending.lost, len(TRY_AFTER_SECONDS))
        wait = TRY_AFTER_SECONDS[pending.tries - 1]
        pending.timer = asyncio.get_running_loop().call_later(wait, self._send, key)

    def _pump(self, destination: Destination, queue: _Queue) -> None:
        """Send what the rate allows now, and come back for the rest."""
        now = time.monotonic()
        queue.next_at = max(queue.next_at, now - 0.05)
        while queue.waiting and queue.next_at <= now:
            slot = self._free_slot(destination)
            if slot is None:
                break
            self._send_first(slot, destination, *queue.waiting.popleft())
            queue.next_at += 1 / queue.rate
        if not queue.waiting:
            queue.running = False
            return
        asyncio.get_running_loop().call_later(max(0.01, queue.next_at - now), self._pump, destination, queue)

    def _forget_idle(self, now: float) -> None:
        """Forget the queues of routers that were asked nothing for a while: many change their address every day."""
        if now - self._forgot_at < _FORGET_SECONDS:
            return
        self._forgot_at = now
        for destination, queue in list(self._queues.items()):
            if not queue.running and now - queue.next_at > _FORGET_SECONDS:
                del self._queues[destination]

    def _free_slot(self, destination: Destination) -> tuple[int, int] | None:
        """A socket and an identifier that are free for this router; a RadSec connection has 256 identifiers."""
        sockets = 1 if destination[0] == RADSEC else _SOCKETS
        for _ in range(sockets * 256):
            self._turn += 1
            number, identifier = self._turn % sockets, self._turn // sockets % 256
            if (number, destination, identifier) not in self._pending:
                return number, identifier
        return None

    def _send_first(
        self,
        slot: tuple[int, int],
        destination: Destination,
        code: int,
        secret: bytes,
        attributes: bytes,
        on: Answer,
        watched: Watched | None,
    ) -> None:
        number, identifier = slot
        request = encode_dynamic_request(code, identifier, secret, attributes, int(time.time()))
        key = (number, destination, identifier)
        self._pending[key] = _Pending(destination, secret, request, on, watched)
        if watched is not None:
            watched.sent(request)
        self._send(key)

    def _send(self, key: tuple[int, Destination, int]) -> None:
        pending = self._pending.get(key)
        if pending is None:
            return
        if pending.tries >= len(TRY_AFTER_SECONDS):
            del self._pending[key]
            if pending.watched is not None:
                pending.watched.ended(None)
            pending.on_answer(None)
            return
        wait = TRY_AFTER_SECONDS[pending.tries]
        pending.tries += 1
        if key[1][0] == RADSEC:
            if self.send_radsec(key[1][1], pending.request):
                wait, pending.tries = _ANSWER_WITHIN_SECONDS, len(TRY_AFTER_SECONDS)
        else:
            with suppress(OSError):  # no route, full buffer: the next try may do better
                opened = self._sockets[key[0]]
                opened.sendto(pending.request, socket_address(pending.destination, opened.family))
        pending.timer = asyncio.get_running_loop().call_later(wait, self._send, key)

    def _on_readable(self, number: int, opened: socket.socket) -> None:
        for _ in range(64):
            try:
                data, source = opened.recvfrom(4097)
            except BlockingIOError:
                return
            except OSError:
                continue
            if len(data) >= 20:
                self._on_datagram(number, data, (plain_address(source[0]), source[1]))

    def _on_datagram(self, number: int, data: bytes, source: tuple[Any, ...]) -> None:
        key = (number, (source[0], source[1]), data[1])
        pending = self._pending.get(key)
        if pending is None:
            return
        reply = read_dynamic_reply(data, pending.request, pending.secret)
        if isinstance(reply, str):
            return  # not from the router: go on waiting
        del self._pending[key]
        if pending.timer is not None:
            pending.timer.cancel()
        if pending.watched is not None:
            pending.watched.ended(data)
        pending.on_answer(reply)
