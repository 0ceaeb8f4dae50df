"""Messages between the processes of one host: Unix datagram sockets in the data folder, one file a process.

An EAP conversation lives in one process, a RadSec connection too; a packet that another process receives, or has to
send, is handed over here. Only the user who runs the cluster can reach the folder.
"""

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

LOG = structlog.get_logger(__name__)

_SUFFIX: Final = ".sock"
_LEAVING: Final = ".leaving"
_LARGEST_MESSAGE: Final = 8_192
_MESSAGES_PER_WAKE_UP: Final = 64
_MOST_WAITING: Final = 2_000  # for one process
_WAITS_SECONDS: Final = 3.0  # for a process that does not read; whoever asked has asked again by then
_AGAIN_SECONDS: Final = 0.002  # the kernel queues as few as 10 datagrams at a socket

# Kinds of message
FORWARD: Final = 1  # a datagram for the process that owns its EAP conversation
HOLDS: Final = 2  # the routers whose RadSec connections a process has
ASK: Final = 3  # a CoA or Disconnect request for one of them
REPLY: Final = 4  # its answer
HAND_OVER: Final = 5  # a datagram that reached a process which is about to end
RECALL: Final = 6  # one whose account its process does not know, while the database is away
HELLO: Final = 7  # nothing but the question whether anybody is there
LOST: Final = 8  # the router of an ASK, and the head of its request, that has no connection here any more

# Before the names of processes that are not of kind "radius"; no host's name begins so.
RADSEC_PREFIX: Final = "radsec@"
COA_PREFIX: Final = "coa@"

OnMessage = Callable[[str, int, bytes], None]  # (sender, kind, body)


def owner_name(host: str, pid: int) -> str:
    """The name of a process within the cluster, as its EAP State carries it (at most 64 octets)."""
    return f"{host.replace('/', '_')[:48]}:{pid}"


class Peers:
    """The socket of one process, and the way to the others."""

    def __init__(self, run_folder: Path, name: str, on_message: OnMessage) -> None:
        """Raises OSError when the folder cannot be written."""
        self.name = name
        self._on_message = on_message
        folder = run_folder / "peers"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A socket's path may have 107 characters, a data folder's more: the short way is through the open folder.
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        # A socket for each process that is sent something, and what waits for it: what one that hangs does not read is
        # counted against the socket it came from, and would keep up the others.
        self._ways: dict[str, socket.socket] = {}
        self._waiting: dict[str, deque[tuple[float, bytes]]] = {}
        self._unlink(name)  # of an earlier process with this number
        self._socket.bind(self._path(name))
        asyncio.get_running_loop().add_reader(self._socket, self._on_readable)

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._folder < 0

    def names(self, prefix: str = "") -> list[str]:
        """Processes whose socket is there; some of them may be dead."""
        found = [name.removesuffix(_SUFFIX) for name in os.listdir(self._folder) if name.endswith(_SUFFIX)]
        for gone in self._ways.keys() - set(found):  # they end, and others come with other names
            self._ways.pop(gone).close()
        return [name for name in found if name != self.name and name.startswith(prefix)]

    def staying(self, prefix: str) -> list[str]:
        """Those of :meth:`names` that have not said that they are about to end."""
        leaving = {name.removesuffix(_LEAVING) for name in os.listdir(self._folder) if name.endswith(_LEAVING)}
        return [name for name in self.names(prefix) if name not in leaving]

    def leave(self) -> None:
        """Say that this process is about to end; it still takes what only it can answer."""
        with suppress(OSError):
            os.close(os.open(self.name + _LEAVING, os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=self._folder))

    def send(self, peer: str, kind: int, body: bytes) -> bool:
        """Hand a message over; False when there is no such process."""
        if not peer or peer == self.name or "/" in peer or "\0" in peer:  # a router's State may name anybody
            return False
        name = self.name.encode()
        message = bytes((len(name),)) + name + bytes((kind,)) + body
        if peer in self._waiting:
            return self._wait(peer, message)
        try:
            self._way_to(peer).sendto(message, self._path(peer))
        except BlockingIOError:
            return self._wait(peer, message)
        except (FileNotFoundError, ConnectionRefusedError):
            self._unlink(peer)
            return False
        except OSError as error:
            LOG.warning("peer_unreachable", peer=peer, error=str(error))
            return False
        return True

    def close(self) -> None:
        """Take no more messages, and leave no file behind."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        for way in self._ways.values():
            way.close()
        self._unlink(self.name)
        os.close(self._folder)
        self._folder = -1

    def _way_to(self, peer: str) -> socket.socket:
        way = self._ways.get(peer)
        if way is None:
            way = self._ways[peer] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            way.setblocking(False)
        return way

    def _unlink(self, name: str) -> None:
        if name in self._ways:
            self._ways.pop(name).close()
        for suffix in (_SUFFIX, _LEAVING):
            with suppress(OSError):
                os.unlink(name + suffix, dir_fd=self._folder)

    def _path(self, name: str) -> str:
        return f"/proc/self/fd/{self._folder}/{name}{_SUFFIX}"

    def _wait(self, peer: str, message: bytes) -> bool:
        """The peer's queue is full: try again in a moment. True unless too much waits already."""
        waiting = self._waiting.get(peer)
        if waiting is None:
            if not self._waiting:
                asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._send_waiting)
            waiting = self._waiting[peer] = deque()
        if len(waiting) >= _MOST_WAITING:
            return False
        waiting.append((time.monotonic(), message))
        return True

    def _send_waiting(self) -> None:
        if self._folder < 0:
            return
        too_old = time.monotonic() - _WAITS_SECONDS
        for peer, waiting in list(self._waiting.items()):
            while waiting and waiting[0][0] < too_old:
                waiting.popleft()
            if self._send_those_of(peer, waiting):
                del self._waiting[peer]
        if self._waiting:
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._send_waiting)

    def _send_those_of(self, peer: str, waiting: deque[tuple[float, bytes]]) -> bool:
        """As many as the peer's queue takes; whether that is all."""
        while waiting:
            try:
                self._way_to(peer).sendto(waiting[0][1], self._path(peer))
            except BlockingIOError:
                return False
            except OSError:  # it died meanwhile; whoever waits for its answer asks again
                pass
            waiting.popleft()
        return True

    def _on_readable(self) -> None:
        for _ in range(_MESSAGES_PER_WAKE_UP):
            try:
                message = self._socket.recv(_LARGEST_MESSAGE)
            except OSError:
                return
            if len(message) < 2 or len(message) < message[0] + 2:
                continue
            at = message[0] + 1
            try:
                self._on_message(message[1:at].decode("utf-8", "replace"), message[at], message[at + 1 :])
            except Exception:
                LOG.exception("peer_message_failed")
