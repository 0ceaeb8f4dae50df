"""Answers on their way out: those to one router that are equally long, and a shorter one, leave in one system call.

Sending costs some 5 µs a datagram, nearly all of it in the kernel and once a call (UDP segmentation offload, Linux
4.18). A router with many subscribers gets its answers in bursts, because batches are decided together.
"""

import asyncio
import errno
import socket
import sys
from contextlib import suppress
from typing import Any, Final

from radius_cluster.listen.sockets import socket_address

_UDP_SEGMENT: Final = 103  # linux/udp.h; Python 3.11 does not name it
_MOST_TOGETHER: Final = 64  # UDP_MAX_SEGMENTS of older kernels
_LARGEST_TOGETHER: Final = 1_000  # octets of one: 64 of them fit into a call, and each into any network's MTU
_MOST_WAITING: Final = 32  # then they go: the routers get on while the rest is decided
_NOT_HERE: Final = (errno.EINVAL, errno.EIO, errno.EOPNOTSUPP, errno.ENOPROTOOPT)  # EIO: a device without checksums

Destination = tuple[Any, ...]


class Outgoing:
    """What one UDP socket has to send; goes out at the next turn of the event loop at the latest.

    A full buffer or an unreachable router loses a datagram, and the router asks again; ``failures`` counts those.
    """

    __slots__ = ("_count", "_family", "_socket", "_together", "_waiting", "failures")

    def __init__(self, opened: socket.socket) -> None:
        self.failures = 0
        self._socket = opened
        self._waiting: dict[Destination, list[bytes]] = {}
        self._count = 0
        self._together = _can_send_together(opened)
        self._family = opened.family

    def send(self, reply: bytes, destination: Destination) -> None:
        """Send a datagram soon."""
        if not self._count:
            asyncio.get_running_loop().call_soon(self.flush)
        self._count += 1
        together = self._waiting.get(destination)
        if together is None:
            self._waiting[destination] = [reply]
        else:
            together.append(reply)
        if self._count >= _MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Send all that waits."""
        waiting, self._waiting, self._count = self._waiting, {}, 0
        for known, replies in waiting.items():
            destination = known if self._family == socket.AF_INET else socket_address(known, self._family)
            if len(replies) > 1 and self._together:
                replies.sort(key=len, reverse=True)
                self._send_sorted(replies, destination)
            else:
                self._send_each(replies, destination)

    def _send_sorted(self, replies: list[bytes], destination: Destination) -> None:
        """The longest first: each call takes those of one length, and the next one, because the last may be shorter."""
        at, count = 0, len(replies)
        while at < count:
            size, end = len(replies[at]), at + 1
            if size <= _LARGEST_TOGETHER:
                most = min(count, at + _MOST_TOGETHER)
                while end < most and len(replies[end]) == size:
                    end += 1
                end += end < most
            if end - at > 1 and self._together:
                self._send_together(replies[at:end], destination, size)
            else:
                self._send_each(replies[at:end], destination)
            at = end

    def _send_each(self, replies: list[bytes], destination: Destination) -> None:
        for reply in replies:
            try:
                self._socket.sendto(reply, destination)
            except OSError:
                self.failures += 1

    def _send_together(self, replies: list[bytes], destination: Destination, size: int) -> None:
        """The kernel cuts the text into datagrams of ``size``; what does not go that way goes one by one."""
        segment = [(socket.SOL_UDP, _UDP_SEGMENT, size.to_bytes(2, sys.byteorder))]
        try:
            self._socket.sendmsg((b"".join(replies),), segment, 0, destination)
        except BlockingIOError:
            self.failures += len(replies)
        except OSError as error:
            if error.errno in _NOT_HERE:
                self._together = False
            self._send_each(replies, destination)


def _can_send_together(opened: socket.socket) -> bool:
    """Whether the system knows the option; one that does not would send a single datagram with all of them."""
    with suppress(OSError, AttributeError):
        opened.getsockopt(socket.SOL_UDP, _UDP_SEGMENT)
        return True
    return False
