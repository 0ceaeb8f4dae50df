"""MAC addresses in any common notation (RAD-2, SUB-8)."""

import re
from typing import Final

_SEPARATORS: Final = str.maketrans("", "", ":-. ")
_USUAL: Final = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
_HEX: Final = frozenset("0123456789abcdef")
# A client identifier of DHCP: the kind of hardware (1: Ethernet), then the address. No host's address begins with 01.
_CLIENT: Final = re.compile(
    r"\s*(?:0?1([:-])(?=[0-9a-f]{1,2}[:-])((?:[0-9a-f]{1,2}\1){5}[0-9a-f]{1,2})"
    r"|01([0-9a-f]{2}\.[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{2}|[0-9a-f]{12}))(?![0-9a-f])"
)
# The address first, then what some NAS append: ":SSID", " vlan-id=…", "/port". Groups may lack their leading zero
# (MikroTik's DHCP server).
_GROUPS: Final = re.compile(r"\s*([0-9a-f]{1,2})([:-])([0-9a-f]{1,2})" + r"\2([0-9a-f]{1,2})" * 4 + "(?![0-9a-f])")
_LEADING: Final = re.compile(
    r"\s*([0-9a-f]{4}[.:-][0-9a-f]{4}[.:-][0-9a-f]{4}|[0-9a-f]{6}[.:-][0-9a-f]{6}|[0-9a-f]{12})(?![0-9a-f])"
)


def normalise_mac(text: str) -> str:
    """``aa:bb:cc:dd:ee:ff`` from any common notation, also with something appended (``…:SSID``); "" if none.

    ``AA-BB-CC-DD-EE-FF``, ``aabb.ccdd.eeff``, ``aabb-ccdd-eeff``, ``aabbcc-ddeeff``, ``aabbccddeeff``, ``0:c:42:1:2:3``
    and of a DHCP client's identifier (``1:0:c:42:1:2:3`` of MikroTik, ``0100.0c42.0102.03`` of Cisco)
    """
    usual = text.lower()
    if _USUAL.fullmatch(usual):
        return usual
    client = _CLIENT.match(usual)
    if client:
        usual = client[2] or client[3]
    digits = usual.translate(_SEPARATORS)
    if len(digits) != 12 or not _HEX.issuperset(digits):
        digits = _from_start(usual)
        if not digits:
            return ""
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:6]}:{digits[6:8]}:{digits[8:10]}:{digits[10:]}"


def _from_start(text: str) -> str:
    groups = _GROUPS.match(text)
    if groups:
        one, _, *rest = groups.groups()
        return "".join(group.zfill(2) for group in (one, *rest))
    leading = _LEADING.match(text)
    return leading[1].translate(_SEPARATORS) if leading else ""
