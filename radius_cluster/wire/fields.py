"""A choice of attributes out of a packet: numbers as int, others as bytes; in one call where the shape is known."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from struct import Struct
from typing import Any, Final

from radius_cluster.wire.packet import Packet

_MOST_READERS: Final = 4_096
_ABSENT: Final = (None,)

Places = Mapping[int, slice]
Reader = tuple[Places, Callable[[bytes], tuple[Any, ...]], Callable[[tuple[Any, ...]], tuple[Any, ...]]]


class Fields:
    """Reads the attributes ``numbers`` and then ``values``, in this order; None for what a packet does not have.

    A number that has not four octets counts as absent.
    """

    __slots__ = ("_numbers", "_readers", "_wanted")

    def __init__(self, numbers: Sequence[int], values: Sequence[int]) -> None:
        self._numbers = frozenset(numbers)
        self._wanted = (*numbers, *values)
        self._readers: dict[int, Reader] = {}  # by the identity of the places, which a reader keeps alive

    def of(self, packet: Packet) -> tuple[Any, ...]:
        """What the packet has of them."""
        places = packet.places
        reader = self._readers.get(id(places)) if packet.shaped else None
        if reader is None:
            reader = self._reader(places)
            if packet.shaped:
                if len(self._readers) >= _MOST_READERS:
                    self._readers.clear()
                self._readers[id(places)] = reader
        return reader[2](reader[1](packet.raw) + _ABSENT)

    def _reader(self, places: Places) -> Reader:
        found = sorted((place.start, place.stop, kind) for kind, place in places.items() if self._is_read(kind, place))
        layout, at = ">", 0
        for begin, end, kind in found:
            layout += f"{begin - at}x" + ("I" if kind in self._numbers else f"{end - begin}s")
            at = end
        order = {kind: number for number, (_begin, _end, kind) in enumerate(found)}
        return places, Struct(layout).unpack_from, itemgetter(*(order.get(kind, -1) for kind in self._wanted))

    def _is_read(self, kind: int, place: slice) -> bool:
        return kind in self._wanted and (kind not in self._numbers or place.stop - place.start == 4)
