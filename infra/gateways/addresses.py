"""Which addresses a host name has just now, asked of the system's resolver."""

import socket


def addresses_of(host: str) -> frozenset[str]:
    """IP addresses of ``host`` in text; empty when there are none or nobody answers."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset(str(entry[4][0]) for entry in found)
