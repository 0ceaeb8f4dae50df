"""User names as routers and people write them (RAD-2): other ways in which the account may have the same name."""

from typing import Final

from radius_cluster.wire.mac_address import normalise_mac

_LONGEST_MAC: Final = 24
_EDGES: Final = " \t\r\n\ufffd"  # blanks of a telephone's keyboard, the zero that ends some makes' texts
_SMALL: Final = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}


def without_realm(name: str) -> str:
    """``name`` of ``name@isp``, ``ISP\\name`` and ``name``; "" where nothing else is there."""
    bare = name.rpartition("@")[0] or name
    return bare.rpartition("\\")[2].strip(_EDGES)


def other_spellings(name: str) -> list[str]:
    """What the account may be called instead, the likeliest first; never ``name`` itself.

    A device by its MAC; without blanks at the edges; in small letters; without its realm (``name@isp``) or domain
    (``ISP\\name``). aaa.account_of_spelling has the same for accounting (a test compares them).
    """
    plain = name.strip(_EDGES)
    bare = without_realm(plain)
    ways = [plain, plain.translate(_SMALL), bare, bare.translate(_SMALL)]
    if len(name) <= _LONGEST_MAC:
        ways.insert(0, normalise_mac(name))
    return [way for way in dict.fromkeys(ways) if way and way != name]
