"""Extra attributes of a router or a plan beside its dialect's: what stands once in an answer is said by one (NET-3)."""

from typing import Final

from infra.radius_text.lines import REPEATABLE
from radius_cluster.wire.codes import FRAMED_IP_ADDRESS, SESSION_TIMEOUT, VENDOR_SPECIFIC

Kind = tuple[int, int]  # vendor (0: standard), number
ADDRESS: Final[frozenset[Kind]] = frozenset({(0, FRAMED_IP_ADDRESS)})


def split(attributes: bytes) -> list[tuple[Kind, bytes]]:
    """Each attribute with its kind."""
    found = []
    at = 0
    while at < len(attributes):
        one = attributes[at : at + max(2, attributes[at + 1])]
        is_vendor = one[0] == VENDOR_SPECIFIC and len(one) > 6  # each vendor attribute stands in one of its own
        found.append(((int.from_bytes(one[2:6], "big"), one[6]) if is_vendor else (0, one[0]), one))
        at += len(one)
    return found


def single_kinds(attributes: bytes) -> frozenset[Kind]:
    """The kinds among them that may stand in an answer once only."""
    return frozenset(kind for kind, _ in split(attributes)) - REPEATABLE


def without(attributes: bytes, kinds: frozenset[Kind]) -> bytes:
    """The attributes but those of these kinds."""
    return b"".join(one for kind, one in split(attributes) if kind not in kinds) if kinds else attributes


def only(attributes: bytes, kinds: frozenset[Kind]) -> bytes:
    """Those of these kinds."""
    return b"".join(one for kind, one in split(attributes) if kind in kinds)


def take_session_timeout(attributes: bytes) -> tuple[bytes, int | None]:
    """The attributes without Session-Timeout, and the shortest one there was: it can only shorten what a login gets,
    never let it outlast its account."""
    timeouts = [int.from_bytes(one[2:], "big") for kind, one in split(attributes) if kind == (0, SESSION_TIMEOUT)]
    return without(attributes, frozenset({(0, SESSION_TIMEOUT)})), max(1, min(timeouts)) if timeouts else None
