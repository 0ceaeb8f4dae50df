"""Free and taken ports."""

import random
import socket

# Below the range that Linux uses for outgoing connections (32768-60999): a port chosen once stays free between two runs.
_FIRST, _LAST = 20000, 32000


def is_tcp_port_free(address: str, port: int) -> bool:
    """Could a server listen here? (A connection in TIME_WAIT does not count as taken.)"""
    return _can_bind(address, port, socket.SOCK_STREAM)


def is_udp_port_free(address: str, port: int) -> bool:
    """Could a server receive datagrams here?"""
    return _can_bind(address, port, socket.SOCK_DGRAM)


def choose_free_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on now."""
    for _attempt in range(200):
        port = random.randint(_FIRST, _LAST)
        if is_tcp_port_free(address, port):
            return port
    raise OSError(f"No free port was found between {_FIRST} and {_LAST}.")


def _can_bind(address: str, port: int, kind: socket.SocketKind) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
