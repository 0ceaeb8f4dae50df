"""Encode attributes as bytes. All raise ValueError on values that do not fit."""

from ipaddress import IPv4Address
from typing import Final

from radius_cluster.wire.codes import EAP_MESSAGE, VENDOR_SPECIFIC

LONGEST_VALUE: Final = 253
LONGEST_VENDOR_VALUE: Final = 247


def octets(kind: int, value: bytes) -> bytes:
    """One attribute of 1..253 octets."""
    if not 0 < len(value) <= LONGEST_VALUE:
        raise ValueError(f"attribute {kind} must have 1 to {LONGEST_VALUE} octets, not {len(value)}")
    return bytes((kind, len(value) + 2)) + value


def text(kind: int, value: str) -> bytes:
    """One text attribute, UTF-8."""
    return octets(kind, value.encode())


def number(kind: int, value: int) -> bytes:
    """One integer attribute, 0..2**32-1."""
    return bytes((kind, 6)) + _uint32(value)


def address(kind: int, value: IPv4Address) -> bytes:
    """One IPv4 address attribute."""
    return bytes((kind, 6)) + value.packed


def vendor(owner: int, kind: int, value: bytes) -> bytes:
    """One vendor attribute in a Vendor-Specific of its own (the form every NAS reads)."""
    if not 0 < len(value) <= LONGEST_VENDOR_VALUE:
        raise ValueError(
            f"vendor attribute {owner}/{kind} must have 1 to {LONGEST_VENDOR_VALUE} octets, not {len(value)}"
        )
    size = len(value)
    return bytes((VENDOR_SPECIFIC, size + 8)) + owner.to_bytes(4, "big") + bytes((kind, size + 2)) + value


def vendor_number(owner: int, kind: int, value: int) -> bytes:
    """One integer attribute of a vendor."""
    return vendor(owner, kind, _uint32(value))


def vendor_text(owner: int, kind: int, value: str) -> bytes:
    """One text attribute of a vendor."""
    return vendor(owner, kind, value.encode())


def eap_messages(message: bytes) -> bytes:
    """An EAP packet as EAP-Message attributes of at most 253 octets each (RFC 3579, 3.1)."""
    return b"".join(
        octets(EAP_MESSAGE, message[at : at + LONGEST_VALUE]) for at in range(0, len(message), LONGEST_VALUE)
    )


def _uint32(value: int) -> bytes:
    if not 0 <= value <= 0xFFFFFFFF:
        raise ValueError(f"{value} does not fit an integer attribute (0 to 4294967295)")
    return value.to_bytes(4, "big")
