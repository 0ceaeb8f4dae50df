"""From the octets of a value to its text, by the attribute's type: what ``values.py`` writes, read again (RFC 8044)."""

from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from infra.radius_text.dictionary import Definition

_HIGHEST_TAG: Final = 0x1F
_HIDDEN: Final = "…"  # of what only the router can read


def read_value(definition: Definition, octets: bytes) -> tuple[int, str]:
    """(tag, text) of a value; octets that are none of its type are shown as 0x…, encrypted ones not at all."""
    tag = 0
    if definition.tagged and octets and octets[0] <= _HIGHEST_TAG:
        tag = octets[0]
        octets = (b"\0" if definition.type == "integer" else b"") + octets[1:]
    if definition.encrypted:
        return tag, _HIDDEN
    reader = _READERS.get(definition.type, _hexadecimal)
    try:
        return tag, reader(definition, octets)
    except ValueError:
        return tag, _hexadecimal(definition, octets)


def _hexadecimal(_definition: Definition, octets: bytes) -> str:
    return "0x" + octets.hex()


def _string(_definition: Definition, octets: bytes) -> str:
    return octets.decode()


def _octets(definition: Definition, octets: bytes) -> str:
    """As text where it is one, such as our Class."""
    text = octets.decode("ascii")
    return text if text.isprintable() else _hexadecimal(definition, octets)


def _whole(size: int) -> Callable[[Definition, bytes], str]:
    def read(definition: Definition, octets: bytes) -> str:
        _need(octets, size)
        number = int.from_bytes(octets, "big")
        names = [name for name, value in definition.values.items() if value == number]
        return names[0] if names else str(number)

    return read


def _date(_definition: Definition, octets: bytes) -> str:
    _need(octets, 4)
    return datetime.fromtimestamp(int.from_bytes(octets, "big"), UTC).isoformat()


def _address(_definition: Definition, octets: bytes) -> str:
    return str(IPv4Address(octets))


def _address6(_definition: Definition, octets: bytes) -> str:
    return str(IPv6Address(octets))


def _prefix6(_definition: Definition, octets: bytes) -> str:
    if not 2 <= len(octets) <= 18:
        raise ValueError("not a prefix")
    return f"{IPv6Address(octets[2:].ljust(16, bytes(1)))}/{octets[1]}"


def _interface_id(_definition: Definition, octets: bytes) -> str:
    _need(octets, 8)
    return ":".join(f"{int.from_bytes(octets[at : at + 2], 'big'):x}" for at in (0, 2, 4, 6))


def _ether(_definition: Definition, octets: bytes) -> str:
    _need(octets, 6)
    return octets.hex(":")


def _need(octets: bytes, size: int) -> None:
    if len(octets) != size:
        raise ValueError(f"{size} octets are needed")


_READERS: Final[dict[str, Callable[[Definition, bytes], str]]] = {
    "string": _string,
    "octets": _octets,
    "integer": _whole(4),
    "short": _whole(2),
    "byte": _whole(1),
    "integer64": _whole(8),
    "date": _date,
    "ipaddr": _address,
    "ipv6addr": _address6,
    "ipv6prefix": _prefix6,
    "ifid": _interface_id,
    "ether": _ether,
}
