"""Shapes of packets: a router sends the same attributes in the same order again and again, so their places are known.

To compare all types and lengths with those of an earlier packet costs a third of walking from attribute to attribute.
Only packets that verified teach a shape (:func:`learn`), so that noise cannot make us forget the useful ones.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Final

_MOST_SHAPES: Final = 4_096  # some 8 MB; routers of a few makes with user names of all lengths need hundreds
_SHORTEST: Final = 40
# Code, length, and the first attributes' types and lengths: tells nearly all shapes apart.
_likeness: Final = itemgetter(0, 2, 3, 20, 21, 38, 39)
_from_bytes: Final = int.from_bytes


class Shape:
    """Packets of one length whose attributes have these types and lengths in this order."""

    __slots__ = ("heads", "mask", "message_authenticator_at", "octets", "places")

    def __init__(self, data: bytes, places: Mapping[int, slice], message_authenticator_at: int) -> None:
        self.octets = len(data)
        self.places = places
        self.message_authenticator_at = message_authenticator_at
        mask = bytearray(len(data))
        at = 20
        while at < len(data):  # its attributes' lengths are right
            mask[at : at + 2] = b"\xff\xff"
            at += data[at + 1]
        self.mask = _from_bytes(mask, "big")
        self.heads = _from_bytes(data, "big") & self.mask


_shapes: dict[Any, Shape] = {}


def find(data: bytes) -> Shape | None:
    """The shape of a datagram if such a packet, without padding, came before: then its lengths and code are right."""
    if len(data) < _SHORTEST:
        return None
    shape = _shapes.get(_likeness(data))
    # A key has the code and the length field, which is the true length. So equal heads mean that a walk would find the
    # very same places.
    if shape is None or shape.octets != len(data) or _from_bytes(data, "big") & shape.mask != shape.heads:
        return None
    return shape


def learn(data: bytes, places: Mapping[int, slice], message_authenticator_at: int) -> None:
    """Remember the shape of a packet that verified; ``data`` is as long as its length field says."""
    if len(data) < _SHORTEST:
        return
    if len(_shapes) >= _MOST_SHAPES:
        _shapes.clear()
    _shapes[_likeness(data)] = Shape(data, places, message_authenticator_at)
