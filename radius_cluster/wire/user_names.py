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
    ways = [_device(name), plain, plain.translate(_SMALL), bare, bare.translate(_SMALL)]
    return [way for way in dict.fromkeys(ways) if way and way != name]


def in_small_letters(name: str) -> list[str]:
    """The name and what it is without its realm or domain, in small letters: by these an account is found that has
    capitals itself."""
    plain = name.strip(_EDGES).translate(_SMALL)
    return [way for way in dict.fromkeys((plain, without_realm(plain))) if way]


def changes_letters(name: str, way: str) -> bool:
    """Whether ``way``, one of the other spellings, is the name in other letters: then one in yet others may be
    meant."""
    plain = name.strip(_EDGES)
    return way not in (plain, without_realm(plain), _device(name))


def _device(name: str) -> str:
    return normalise_mac(name) if len(name) <= _LONGEST_MAC else ""
