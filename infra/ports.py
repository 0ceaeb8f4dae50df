"""Free and taken ports."""

import contextlib
import errno
import os
import random
import socket
from collections import deque

# Below the range that Linux uses for outgoing connections (32768-60999): a chosen port stays free between two runs.
_FIRST, _LAST = 20000, 32000

_given: deque[int] = deque(maxlen=1000)  # what somebody in this process may be about to open

# Two programs that were given one port before either opened it would share it where ports are shared (SO_REUSEPORT),
# and each lose half of its packets. So what was given lately is reserved on this machine as long as we live.
_reserved: deque[int] = deque()  # descriptors
_MOST_RESERVED = 64

_PROBLEMS = {
    errno.EADDRINUSE: "is used by another program",
    errno.EACCES: "needs root rights (it lies below 1024)",
    errno.EADDRNOTAVAIL: "cannot be opened because the address is not one of this machine",
}


def bind_problem(address: str, port: int, kind: socket.SocketKind) -> str | None:
    """Why a server could not listen here, as the end of a sentence; None when it could.

    A connection in TIME_WAIT does not count as taken.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            if kind == socket.SOCK_STREAM:
                probe.listen(1)  # with SO_REUSEADDR a taken port may show only here
        except OSError as error:
            return _PROBLEMS.get(error.errno or 0, f"cannot be opened ({error.strerror})")
    return None


def is_tcp_port_free(address: str, port: int) -> bool:
    """Could a TCP server listen here?"""
    return bind_problem(address, port, socket.SOCK_STREAM) is None


def choose_free_port(address: str = "127.0.0.1") -> int:
    """A port that nobody has now, of TCP or UDP, that no other program was just given, and none of the last thousand.

    Raises OSError when none is found.
    """
    for _attempt in range(200):
        port = random.randint(_FIRST, _LAST)
        if port in _given:
            continue
        free = is_tcp_port_free(address, port) and bind_problem(address, port, socket.SOCK_DGRAM) is None
        if free and _reserve(port):
            _given.append(port)
            return port
    raise OSError(f"No free port was found between {_FIRST} and {_LAST}.")


def _reserve(port: int) -> bool:
    """Whether no other living program was given it. The system forgets the name with the program that has it."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as name:
        try:
            name.bind(f"\0broadloom port {port}")
        except OSError:
            return False
        while len(_reserved) >= _MOST_RESERVED:
            os.close(_reserved.popleft())
        _reserved.append(name.detach())
    return True
