"""UDP sockets of a node: shared port, large buffers."""

import contextlib
import socket
from typing import Any

import structlog

LOG = structlog.get_logger(__name__)

WANTED_BUFFER_OCTETS = 16 * 1024 * 1024  # the kernel's default loses bursts: 2,000 logins at once took 6 s (measured)
_MAPPED = "::ffff:"
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33


def open_udp(address: str, port: int) -> socket.socket:
    """A bound, non-blocking socket that shares its port with the other processes. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:  # "::" is for both, whatever the system's default
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _grow(opened, _SO_RCVBUFFORCE, socket.SO_RCVBUF)
        _grow(opened, _SO_SNDBUFFORCE, socket.SO_SNDBUF)
        opened.setblocking(False)
        opened.bind((address, port))
    except BaseException:
        opened.close()
        raise
    return opened


def plain_address(address: str) -> str:
    """An IPv4 address as such, also where an IPv6 socket names it ``::ffff:192.0.2.1``: routers are registered so."""
    return address.removeprefix(_MAPPED) if "." in address else address


def socket_address(destination: tuple[Any, ...], family: int) -> tuple[Any, ...]:
    """The destination as a socket of this family takes it: the way back of :func:`plain_address`."""
    if family == socket.AF_INET6 and ":" not in destination[0]:
        return (_MAPPED + destination[0], destination[1])
    return destination


def receive_buffer_octets(opened: socket.socket) -> int:
    """What the kernel granted (it reports twice what was asked for, for its own bookkeeping)."""
    return opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def _grow(opened: socket.socket, force_option: int, option: int) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, force_option, WANTED_BUFFER_OCTETS)  # root may pass the system's limit
    except OSError:
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, option, WANTED_BUFFER_OCTETS)
