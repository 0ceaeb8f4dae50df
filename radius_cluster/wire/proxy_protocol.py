"""PROXY protocol version 2: a load balancer says in front of a packet or a stream who really sent it.

The header is HAProxy's binary form: 12 octets of signature, version and command, family, length, then the addresses and
type-length-value extras, which nobody here needs. Pure; foreign bytes never raise.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
FIXED_OCTETS: Final = 16
LARGEST_HEADER: Final = 1_024  # the addresses take at most 216; balancers add some hundred octets of extras
BAD_HEADER: Final = "bad_proxy_header"
_LOCAL, _PROXY = 0x20, 0x21
_STREAM, _DATAGRAM = 1, 2
_INET, _INET6 = 0x10, 0x20

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """``octets`` to skip, and the sender; None when the balancer speaks for itself (its health check)."""

    octets: int
    source: tuple[str, int] | None


def read_proxy_header(data: bytes) -> ProxyHeader | str | None:
    """The header at the beginning of ``data``; None while more octets are needed (streams), or BAD_HEADER."""
    if data[:12] != SIGNATURE[: len(data)]:
        return BAD_HEADER
    if len(data) < FIXED_OCTETS:
        return None
    command, family = data[12], data[13]
    size = data[14] << 8 | data[15]
    if command not in (_LOCAL, _PROXY) or FIXED_OCTETS + size > LARGEST_HEADER:
        return BAD_HEADER
    if len(data) < FIXED_OCTETS + size:
        return None
    octets = FIXED_OCTETS + size
    if command == _LOCAL:  # whatever the family says is to be passed over
        return ProxyHeader(octets, None)
    if family & 0x0F not in (_STREAM, _DATAGRAM):
        return BAD_HEADER
    if family & 0xF0 == _INET and size >= 12:
        return ProxyHeader(octets, (str(IPv4Address(data[16:20])), int.from_bytes(data[24:26], "big")))
    if family & 0xF0 == _INET6 and size >= 36:
        address = IPv6Address(data[16:32])
        shown = str(address.ipv4_mapped or address)
        return ProxyHeader(octets, (shown, int.from_bytes(data[48:50], "big")))
    return BAD_HEADER  # a sender without an address is nobody


def encode_proxy_header(source: tuple[str, int], destination: tuple[str, int], *, datagram: bool) -> bytes:
    """The header that a balancer writes; for tests and probes."""
    addresses = [IPv6Address(host) if ":" in host else IPv4Address(host) for host, _ in (source, destination)]
    family = (_INET6 if addresses[0].version == 6 else _INET) | (_DATAGRAM if datagram else _STREAM)
    body = b"".join(address.packed for address in addresses)
    body += source[1].to_bytes(2, "big") + destination[1].to_bytes(2, "big")
    return SIGNATURE + bytes((_PROXY, family)) + len(body).to_bytes(2, "big") + body


class TrustedBalancers:
    """The networks whose headers are believed. Looks each address up once."""

    _MOST_REMEMBERED: Final = 10_000

    def __init__(self, networks: str) -> None:
        """Addresses and networks separated by spaces. Raises ValueError for anything else."""
        self._networks: tuple[Network, ...] = tuple(ip_network(one) for one in networks.split())
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= self._MOST_REMEMBERED:
                self._known.clear()
            known = self._known[address] = self._look(address)
        return known

    def _look(self, address: str) -> bool:
        try:
            found = ip_network(address.partition("%")[0]).network_address
        except ValueError:
            return False
        mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
        return any((mapped or found) in network for network in self._networks)
