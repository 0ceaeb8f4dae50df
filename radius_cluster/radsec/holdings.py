"""Which routers a RadSec process has connections of, as it tells the coa processes (listen/peers.py, HOLDS).

A process may have thousands, more than one message takes: a list goes in parts, and counts when its last part is there.
"""

import struct
from collections.abc import Iterable
from typing import Final

_HEAD: Final = struct.Struct(">HH")  # number of this part, number of parts
_ID_OCTETS: Final = 4
_IDS_OF_A_PART: Final = 1_500


def encode_holdings(nas_ids: Iterable[int]) -> list[bytes]:
    """The messages' bodies, at least one."""
    ordered = sorted(nas_ids)
    parts = [ordered[at : at + _IDS_OF_A_PART] for at in range(0, len(ordered), _IDS_OF_A_PART)] or [[]]
    return [_HEAD.pack(number, len(parts)) + struct.pack(f">{len(part)}I", *part) for number, part in enumerate(parts)]


class Holdings:
    """What one process has told."""

    __slots__ = ("_next", "_so_far", "routers")

    def __init__(self) -> None:
        self.routers: frozenset[int] = frozenset()
        self._so_far: set[int] = set()
        self._next = 0  # the part that is awaited

    def take(self, body: bytes) -> bool:
        """One part; whether the list is complete with it. A list that lost a part is forgotten, the next one comes."""
        number, count = _HEAD.unpack_from(body)
        if number == 0:
            self._so_far = set()
        elif number != self._next:
            self._next = 0
            return False
        self._so_far.update(struct.unpack_from(f">{(len(body) - _HEAD.size) // _ID_OCTETS}I", body, _HEAD.size))
        self._next = number + 1
        if self._next < count:
            return False
        self.routers, self._so_far, self._next = frozenset(self._so_far), set(), 0
        return True
