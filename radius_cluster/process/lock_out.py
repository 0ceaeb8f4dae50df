"""Guessers are locked out, subscribers are not (RAD-9).

What is locked is a guesser's way in, not the account: the user name *from this device* (or from this router when it
names no device), and a device that fails with many names. So a stranger's guesses never keep the subscriber out, and
somebody who mistyped his own password waits a minute.

All processes of a host count together, in a table that they share; in it a failure forgets whoever had its slot.
"""

import os
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import Final
from zlib import crc32

from radius_cluster.listen.receive import Request
from radius_cluster.process.shared_table import open_table
from radius_cluster.wire.codes import CALLING_STATION_ID

_ATTEMPTS: Final = 10  # wrong passwords of one name from one device within the window
_ATTEMPTS_ANY_NAME: Final = 50  # of any names from one device: somebody tries a list
WINDOW_SECONDS: Final = 60.0
LOCKED_SECONDS: Final = 60.0
_SLOTS: Final = 1 << 16
_SLOT: Final = Struct("<II8s")  # failures, until when they count (whole seconds), the key's mark
_HEAD: Final = Struct("<I16s")  # until when anything counts, the secret of the marks
_HEAD_OCTETS: Final = 64
_FIRST_WORD, _WORDS = _HEAD_OCTETS // 4, _SLOT.size // 4
_SEED_OF_NAMES: Final = 0x9E3779B9


class LockOut:
    """Failures of the last minute. Without a folder of this process alone."""

    __slots__ = ("_mistyped", "_table", "_words", "anybody")

    def __init__(self, folder: Path | None = None) -> None:
        self.anybody = False  # whether any failure counts: what the hot path asks first
        self._table = open_table(folder, "lock_out", _HEAD_OCTETS + _SLOTS * _SLOT.size)
        self._words = memoryview(self._table).cast("I")
        self._mistyped: Request | None = None  # the login asked about last, where its name's slot is not empty
        until, secret = _HEAD.unpack_from(self._table)
        if not any(secret):  # made by us, or by several at once: whatever was marked before is forgotten
            _HEAD.pack_into(self._table, 0, until, os.urandom(16))

    def tick(self, now: float) -> None:
        """Twice a second: notice what other processes have counted, and that a minute is over."""
        self.anybody = now < _HEAD.unpack_from(self._table)[0]

    def is_locked(self, request: Request, now: float) -> bool:
        """Whether this login is to be refused unseen."""
        device = request.packet.value(CALLING_STATION_ID)
        name = request.user_name.encode("utf-8", "surrogateescape")
        of_device = crc32(device, request.nas.id)
        of_name = crc32(name, of_device ^ _SEED_OF_NAMES)
        words = self._words
        in_names_slot = words[_FIRST_WORD + of_name % _SLOTS * _WORDS]
        self._mistyped = request if in_names_slot else None
        # Nearly all are done here: somebody counts, but not under this name or from this device.
        if in_names_slot < _ATTEMPTS and words[_FIRST_WORD + of_device % _SLOTS * _WORDS] < _ATTEMPTS_ANY_NAME:
            return False
        for at, about, limit in _places(request):
            failures, until, mark = _SLOT.unpack_from(self._table, at)
            if failures >= limit and now < until and mark == self._mark(about):
                return True
        return False

    def failed(self, request: Request, now: float) -> None:
        """Note a wrong password."""
        table = self._table
        for at, about, limit in _places(request):
            failures, until, known = _SLOT.unpack_from(table, at)
            mark = self._mark(about)
            count = failures + 1 if known == mark and now < until else 1
            until = int(now + (LOCKED_SECONDS if count >= limit else WINDOW_SECONDS)) + 1
            _SLOT.pack_into(table, at, min(count, 0xFFFF), until, mark)
        _, secret = _HEAD.unpack_from(table)
        _HEAD.pack_into(table, 0, int(now + max(LOCKED_SECONDS, WINDOW_SECONDS)) + 1, secret)
        self.anybody = True

    def succeeded(self, request: Request) -> None:
        """A right password forgives the name's earlier mistakes; after :meth:`is_locked` of the same login."""
        if self._mistyped is request:
            at, about, _limit = _places(request)[0]
            if _SLOT.unpack_from(self._table, at)[2] == self._mark(about):
                _SLOT.pack_into(self._table, at, 0, 0, bytes(8))

    def close(self) -> None:
        """Give up the memory."""
        self._words.release()
        self._table.close()

    def _mark(self, about: bytes) -> bytes:
        """Keyed, so that nobody can choose a name that has another's mark, and lock him out by it."""
        return blake2b(about, digest_size=8, key=_HEAD.unpack_from(self._table)[1]).digest()


def _places(request: Request) -> list[tuple[int, bytes, int]]:
    """The name's from this device, then the device's: where the slot is, what it is about, how many failures lock."""
    device = request.packet.value(CALLING_STATION_ID)
    name = request.user_name.encode("utf-8", "surrogateescape")
    router = request.nas.id.to_bytes(8, "big")
    of_device = crc32(device, request.nas.id)
    found = [
        (_at(crc32(name, of_device ^ _SEED_OF_NAMES)), b"%b%d:%b%b" % (router, len(device), device, name), _ATTEMPTS)
    ]
    if device:  # of a router that names none only the name can be counted, or one guesser would lock all
        found.append((_at(of_device), b"%b-%b" % (router, device), _ATTEMPTS_ANY_NAME))
    return found


def _at(checksum: int) -> int:
    return _HEAD_OCTETS + checksum % _SLOTS * _SLOT.size
