"""Shapes of packets: a router sends the same attributes in the same order again and again, so their places are known.

To compare all types and lengths with those of an earlier packet costs a third of walking from attribute to attribute.
Only packets that verified teach a shape (:func:`learn`), so that noise cannot make us forget the useful ones.
"""

from collections.abc import Mapping
from typing import Any, Final

_MOST_LIKENESSES: Final = (
    1_024  # of up to eight shapes: 16 MB; routers of a few makes with names of all lengths need hundreds
)
_MOST_ALIKE: Final = 8
_SHORTEST: Final = 40
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


_shapes: dict[Any, tuple[Shape, ...]] = {}


def _likeness(data: bytes) -> Any:
    """Code, length, and the types and lengths of the first two attributes: tells nearly all shapes apart.

    Nothing of a value may be in it: a shape for each password would help nobody.
    """
    second = 20 + data[21]
    return data[0], data[2:4], data[20:22], data[second : second + 2]


def find(data: bytes) -> Shape | None:
    """The shape of a datagram if such a packet, without padding, came before: then its lengths and code are right."""
    if len(data) < _SHORTEST:
        return None
    second = 20 + data[21]
    alike = _shapes.get((data[0], data[2:4], data[20:22], data[second : second + 2]))  # _likeness, without the call
    # A likeness has the code and the length field, which is the true length. So equal heads mean that a walk would find
    # the very same places.
    if alike is None or alike[0].octets != len(data):
        return None
    number = _from_bytes(data, "big")
    for shape in alike:
        if number & shape.mask == shape.heads:
            return shape
    return None


def learn(data: bytes, places: Mapping[int, slice], message_authenticator_at: int) -> None:
    """Remember the shape of a packet that verified; ``data`` is as long as its length field says.

    Where there are more of a likeness than are kept (a name, a port and a session that are long and short in turn),
    only one packet in sixteen takes another's place, by chance (an octet of its authenticator): learning costs more
    than reading one packet as if it were the first.
    """
    if len(data) < _SHORTEST:
        return
    likeness = _likeness(data)
    alike = _shapes.get(likeness, ())
    if len(alike) >= _MOST_ALIKE and data[19] & 15:
        return
    if len(_shapes) >= _MOST_LIKENESSES:
        _shapes.clear()
    _shapes[likeness] = (Shape(data, places, message_authenticator_at), *alike[: _MOST_ALIKE - 1])
