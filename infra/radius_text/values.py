"""From the text of a value to its octets, by the attribute's type (RFC 8044)."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from difflib import get_close_matches
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final

from infra.radius_text.dictionary import Definition

LONGEST_STANDARD: Final = 253
LONGEST_VENDOR: Final = 247
_FEW_NAMES: Final = 12  # of an attribute's values: all are told


class ValueProblem(ValueError):
    """A text that is no value of the attribute's type; ``code`` is stable, the text English.

    ``meant``: names that were probably meant, "" for none; the text has them, too.
    """

    def __init__(self, code: str, message: str, meant: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.meant = meant


def likely(text: str, names: Iterable[str]) -> str:
    """Which of these names somebody meant who wrote this, "" for none."""
    by_letters = {name.lower(): name for name in names}
    return " / ".join(by_letters[found] for found in get_close_matches(text.lower(), by_letters, n=2, cutoff=0.65))


def encode_value(definition: Definition, text: str, tag: int = 0) -> bytes:
    """The octets of a value, after its tag octet when the attribute is tagged (RFC 2868). Raises ValueProblem."""
    encoder = ENCODERS.get(definition.type)
    if encoder is None:
        raise ValueProblem("type", f"{definition.name} is of a type ({definition.type}) that cannot be written as text")
    if definition.type in _WHOLE_NUMBERS and text.lower() in definition.values:
        text = str(definition.values[text.lower()])
    encoded = encoder(definition, text)
    if definition.tagged:
        encoded = bytes((tag,)) + (encoded[1:] if definition.type == "integer" else encoded)
    longest = LONGEST_VENDOR if definition.vendor else LONGEST_STANDARD
    if not 0 < len(encoded) <= longest:
        raise ValueProblem("length", f"{definition.name} must have 1 to {longest} octets, not {len(encoded)}")
    return encoded


def _string(definition: Definition, text: str) -> bytes:
    return text.encode()


def _octets(definition: Definition, text: str) -> bytes:
    if not text.lower().startswith("0x"):
        return text.encode()
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise ValueProblem("octets", f"{definition.name} takes 0x and pairs of hexadecimal digits") from None


def _whole(size: int) -> Callable[[Definition, str], bytes]:
    def encode(definition: Definition, text: str) -> bytes:
        if not re.fullmatch(r"[0-9]{1,20}|0x[0-9a-fA-F]{1,16}", text):
            few = 0 < len(definition.values) <= _FEW_NAMES
            meant = ", ".join(definition.values) if few else likely(text, definition.values)
            hint = f" or one of: {meant}" if few else f" or a name like {meant}" if meant else ""
            raise ValueProblem("number", f'{definition.name} takes a whole number{hint}, not "{text}"', meant)
        number = int(text, 16) if text.startswith("0x") else int(text)
        if number >= 1 << 8 * size:
            raise ValueProblem("range", f"{definition.name} takes at most {(1 << 8 * size) - 1}")
        return number.to_bytes(size, "big")

    return encode


def _date(definition: Definition, text: str) -> bytes:
    if not text.isdecimal():
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            raise ValueProblem("date", f"{definition.name} takes seconds since 1970 or 2030-01-31T10:00:00+08:00")
        text = str(int(instant.timestamp()))
    return _whole(4)(definition, text)


def _address(definition: Definition, text: str) -> bytes:
    try:
        return IPv4Address(text).packed
    except ValueError:
        raise ValueProblem("address", f'{definition.name} takes an IPv4 address, not "{text}"') from None


def _address6(definition: Definition, text: str) -> bytes:
    try:
        return IPv6Address(text).packed
    except ValueError:
        raise ValueProblem("address", f'{definition.name} takes an IPv6 address, not "{text}"') from None


def _prefix6(definition: Definition, text: str) -> bytes:
    try:
        network = IPv6Network(text)
    except ValueError:
        raise ValueProblem(
            "prefix", f'{definition.name} takes an IPv6 prefix like 2001:db8::/56, not "{text}"'
        ) from None
    return bytes((0, network.prefixlen)) + network.network_address.packed[: (network.prefixlen + 7) // 8]


def _interface_id(definition: Definition, text: str) -> bytes:
    groups = text.split(":")
    if len(groups) != 4 or not all(re.fullmatch(r"[0-9a-fA-F]{1,4}", group) for group in groups):
        raise ValueProblem("interface_id", f"{definition.name} takes four groups like 0:0:0:1")
    return b"".join(int(group, 16).to_bytes(2, "big") for group in groups)


def _ether(definition: Definition, text: str) -> bytes:
    digits = re.sub(r"[:.-]", "", text)
    if not re.fullmatch(r"[0-9a-fA-F]{12}", digits):
        raise ValueProblem("mac", f"{definition.name} takes a MAC address")
    return bytes.fromhex(digits)


_WHOLE_NUMBERS: Final = frozenset(("integer", "short", "byte", "integer64"))
ENCODERS: Final[dict[str, Callable[[Definition, str], bytes]]] = {
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
