"""Guessers are locked out, subscribers are not (RAD-9).

What is locked is a guesser's way in, not the account: the user name *from this device* (or from this router when it
names no device), and a device that fails with many names. So a stranger's guesses never keep the subscriber out, and
somebody who mistyped his own password waits a minute.

All processes of a host count together, in a table that they share; in it a failure forgets whoever had its slot. The
table knows marks, no names; so the process that sees a lock-out begin remembers whom it is about, and tells it to staff
(tell_locked.py), who may end it.
"""

import os
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import Final
from zlib import crc32

from radius_cluster.listen.receive import Request
from radius_cluster.process.shared_table import open_table
from radius_cluster.wire.codes import CALLING_STATION_ID
from radius_cluster.wire.devices import device_of
from radius_cluster.wire.packet import Packet

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
# A MAC in its usual notations has at most so many octets; of a DHCP client's identifier more may be digits.
_LONGEST_MAC: Final = 17
_SMALL_DIGITS: Final = bytes.maketrans(b"ABCDEF", b"abcdef")
# Lock-outs that one process remembers: each takes ten wrong passwords, so more are an attack.
_MOST_TOLD: Final = 500
_MOST_TOLD_OF_A_TENANT: Final = 200


class Locked:
    """A way in that is closed, as staff are told of it. ``username`` is "" where the device is refused with any name;
    ``told``: the tries that stand in the database, 0 for none."""

    __slots__ = (
        "account_id", "at", "cell", "device", "locked_at", "mac", "mark", "nas_id", "tenant_id", "told", "until",
        "username",
    )  # fmt: skip

    def __init__(self, request: Request, account_id: int | None, at: int, mark: bytes, now: float, until: int) -> None:
        """``account_id`` is None where it is about the device."""
        nas, packet = request.nas, request.packet
        self.tenant_id, self.cell, self.nas_id = nas.tenant.id, nas.tenant.cell, nas.id
        self.username = "" if account_id is None else request.user_name
        self.account_id = account_id
        self.device, self.mac = device_mark(packet), device_of(packet) or packet.text(CALLING_STATION_ID)
        self.at, self.mark = at, mark
        self.locked_at, self.until, self.told = now, until, 0


class LockOut:
    """Failures of the last minute. Without a folder of this process alone."""

    __slots__ = ("_mistyped", "_noted", "_table", "_words", "anybody")

    def __init__(self, folder: Path | None = None) -> None:
        self.anybody = False  # whether any failure counts: what the hot path asks first
        self._table = open_table(folder, "lock_out", _HEAD_OCTETS + _SLOTS * _SLOT.size)
        self._words = memoryview(self._table).cast("I")
        self._mistyped: Request | None = None  # the login asked about last, where its name's slot is not empty
        self._noted: dict[bytes, Locked] = {}  # by their marks: those that this process saw begin
        until, secret = _HEAD.unpack_from(self._table)
        if not any(secret):  # made by us, or by several at once: whatever was marked before is forgotten
            _HEAD.pack_into(self._table, 0, until, os.urandom(16))

    def tick(self, now: float) -> None:
        """Twice a second: notice what other processes have counted, and that a minute is over."""
        self.anybody = now < _HEAD.unpack_from(self._table)[0]

    def is_locked(self, request: Request, now: float) -> bool:
        """Whether this login is to be refused unseen."""
        device = device_mark(request.packet)
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

    def refused(self, request: Request) -> None:
        """Count the try of somebody who is locked out; it makes nothing longer."""
        for at, about, limit in _places(request):
            failures, until, mark = _SLOT.unpack_from(self._table, at)
            if failures >= limit and mark == self._mark(about):
                _SLOT.pack_into(self._table, at, min(failures + 1, 0xFFFF), until, mark)

    def failed(self, request: Request, now: float, account_id: int) -> None:
        """Note a wrong password for this account."""
        table = self._table
        account: int | None = account_id
        for at, about, limit in _places(request):
            failures, until, known = _SLOT.unpack_from(table, at)
            mark = self._mark(about)
            count = failures + 1 if known == mark and now < until else 1
            until = int(now + (LOCKED_SECONDS if count >= limit else WINDOW_SECONDS)) + 1
            _SLOT.pack_into(table, at, min(count, 0xFFFF), until, mark)
            if count == limit:
                self._note(Locked(request, account, at, mark, now, until), now)
            account = None  # what follows is about the device
        _, secret = _HEAD.unpack_from(table)
        _HEAD.pack_into(table, 0, int(now + max(LOCKED_SECONDS, WINDOW_SECONDS)) + 1, secret)
        self.anybody = True

    def succeeded(self, request: Request) -> None:
        """A right password forgives the name's earlier mistakes; after :meth:`is_locked` of the same login."""
        if self._mistyped is request:
            at, about, _limit = _places(request)[0]
            if _SLOT.unpack_from(self._table, at)[2] == self._mark(about):
                _SLOT.pack_into(self._table, at, 0, 0, bytes(8))

    def unlock(self, nas_id: int, username: str, device: bytes) -> None:
        """Forget the failures of a name from a device, or of a device with any name ("")."""
        name = username.encode("utf-8", "surrogateescape")
        at, about, _limit = _of_name(nas_id, device, name) if username else _of_device(nas_id, device)
        if _SLOT.unpack_from(self._table, at)[2] == self._mark(about):
            _SLOT.pack_into(self._table, at, 0, 0, bytes(8))

    def noted(self, now: float) -> Iterable[tuple[Locked, int]]:
        """What is to be told of: lock-outs that began here and whose time is not over, and after how many tries; 0
        where it has been ended before its time."""
        self._noted = {mark: locked for mark, locked in self._noted.items() if now < locked.until}
        for locked in self._noted.values():
            failures, until, mark = _SLOT.unpack_from(self._table, locked.at)
            yield locked, failures if mark == locked.mark and now < until else 0

    def forget(self, locked: Locked) -> None:
        """It was told that this one has been ended."""
        if self._noted.get(locked.mark) is locked:
            del self._noted[locked.mark]

    @property
    def name(self) -> str:
        """The same for all that count together, and no secret."""
        return blake2b(_HEAD.unpack_from(self._table)[1], digest_size=8, person=b"name").hexdigest()

    def close(self) -> None:
        """Give up the memory."""
        self._words.release()
        self._table.close()

    def _note(self, locked: Locked, now: float) -> None:
        known = self._noted
        if len(known) >= _MOST_TOLD:  # nobody has asked for long
            known = self._noted = {mark: one for mark, one in known.items() if now < one.until}
        of_tenant = sum(one.tenant_id == locked.tenant_id and now < one.until for one in known.values())
        if len(known) < _MOST_TOLD and of_tenant < _MOST_TOLD_OF_A_TENANT:
            known[locked.mark] = locked

    def _mark(self, about: bytes) -> bytes:
        """Keyed, so that nobody can choose a name that has another's mark, and lock him out by it."""
        return blake2b(about, digest_size=8, key=_HEAD.unpack_from(self._table)[1]).digest()


def device_mark(packet: Packet) -> bytes:
    """By what a device is counted: the twelve digits of its MAC, in whatever notation they come, or what the router
    calls it instead; b"" where it names none."""
    called = packet.value(CALLING_STATION_ID)
    if called and len(called) <= _LONGEST_MAC:  # nearly always it is a plain MAC: 0.3 µs
        digits = called.translate(_SMALL_DIGITS, b":-. ")
        if len(digits) == 12 and not digits.translate(None, b"0123456789abcdef"):
            return digits
    mac = device_of(packet)
    return mac.replace(":", "").encode() if mac else called


def _places(request: Request) -> list[tuple[int, bytes, int]]:
    """The name's from this device, then the device's: where the slot is, what it is about, how many failures lock."""
    device = device_mark(request.packet)
    found = [_of_name(request.nas.id, device, request.user_name.encode("utf-8", "surrogateescape"))]
    if device:  # of a router that names none only the name can be counted, or one guesser would lock all
        found.append(_of_device(request.nas.id, device))
    return found


def _of_name(nas_id: int, device: bytes, name: bytes) -> tuple[int, bytes, int]:
    checksum = crc32(name, crc32(device, nas_id) ^ _SEED_OF_NAMES)
    return _at(checksum), b"%b%d:%b%b" % (nas_id.to_bytes(8, "big"), len(device), device, name), _ATTEMPTS


def _of_device(nas_id: int, device: bytes) -> tuple[int, bytes, int]:
    return _at(crc32(device, nas_id)), b"%b-%b" % (nas_id.to_bytes(8, "big"), device), _ATTEMPTS_ANY_NAME


def _at(checksum: int) -> int:
    return _HEAD_OCTETS + checksum % _SLOTS * _SLOT.size
