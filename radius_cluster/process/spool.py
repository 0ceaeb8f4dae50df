"""Accounting that could not reach the database, in a local file (RAD-10): appended and synced before the router is
answered, replayed in order when the database is back.

A line is a checksum and a JSON array: the rows of one batch. Replaying a line twice changes nothing, because every row
carries its own time and the accounting functions take repeats; so at least once is exactly once. A process that died
leaves its file behind unlocked, and whichever process of this host starts or looks next replays it.
"""

import fcntl
import json
import os
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import structlog

LOG = structlog.get_logger(__name__)
_LOOK_FOR_ORPHANS_SECONDS: Final = 10.0
Line = list[Any]


class Spool:
    """The files of one cell on this host: our own, and those of the dead."""

    def __init__(self, folder: Path, cell: str, *, synced: bool = True) -> None:
        """Not ``synced``: what is appended outlives the process, but not the machine."""
        self._synced = synced
        self._folder = folder
        self._cell = cell
        self._fd = -1
        self._path = folder / f"{cell}@{os.getpid()}-{time.time_ns()}.spool"
        self._written = 0  # bytes of whole lines in our file
        self._replayed = 0
        self._orphan: tuple[int, Path, int] | None = None  # descriptor, path, bytes replayed
        self._looked_at = 0.0
        self._pending_end = 0
        self.appending = False  # set by the event loop around an append in a thread: the file must not shrink meanwhile

    @property
    def is_empty(self) -> bool:
        """Whether nothing of ours waits to be replayed."""
        return self._replayed >= self._written

    @property
    def backlog_octets(self) -> int:
        """How much waits to be replayed, the rest of a dead process's file included."""
        rest = 0
        if self._orphan is not None:
            fd, _, replayed = self._orphan
            rest = os.fstat(fd).st_size - replayed
        return rest + self._written - self._replayed

    def append(self, lines: Iterable[Line]) -> None:
        """Write and sync. Raises OSError when that is not certain (disk full); nothing of it stays in the file then."""
        if self._fd < 0:
            self._fd = self._create()
        data = b"".join(_encode(line) for line in lines)
        try:
            at = self._written
            while data:
                done = os.pwrite(self._fd, data, at)
                at, data = at + done, data[done:]
            if self._synced:
                os.fdatasync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._written)
            raise
        self._written = at

    def next_lines(self, now: float, most_octets: int = 524_288) -> list[Line]:
        """The next lines to replay, of the dead first; [] when there are none. The same again until :meth:`done`."""
        while self._orphan is not None or self._find_orphan(now):
            assert self._orphan is not None
            fd, path, replayed = self._orphan
            size = os.fstat(fd).st_size
            lines, self._pending_end = _read(fd, replayed, size, most_octets)
            if lines:
                return lines
            self.done()  # nothing readable in this piece
            if self._pending_end >= size:
                path.unlink(missing_ok=True)
                os.close(fd)
                self._orphan = None
        while not self.is_empty:
            lines, self._pending_end = _read(self._fd, self._replayed, self._written, most_octets)
            if lines:
                return lines
            self.done()
        return []

    def done(self) -> None:
        """The lines given last are in the database."""
        if self._orphan is not None:
            self._orphan = (self._orphan[0], self._orphan[1], self._pending_end)
            return
        self._replayed = self._pending_end
        if self.is_empty and self._fd >= 0 and not self.appending:
            os.ftruncate(self._fd, 0)
            self._written = self._replayed = 0

    def close(self) -> None:
        """Give the file up: removed when empty, else left for the next process."""
        if self._fd >= 0:
            if self.is_empty:
                self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1

    def _create(self) -> int:
        """Our file, locked. It has its name only then: another process would take it for a dead one's, and away."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = self._path.with_suffix(".new")
        fd = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            made.rename(self._path)
            _sync_folder(self._folder)
        except OSError:
            made.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
            os.close(fd)
            raise
        return fd

    def _find_orphan(self, now: float) -> bool:
        if now - self._looked_at < _LOOK_FOR_ORPHANS_SECONDS:
            return False
        self._looked_at = now
        if not self._folder.is_dir():
            return False
        for path in sorted(self._folder.glob(f"{self._cell}@*.spool")):
            if path == self._path:
                continue
            try:
                fd = os.open(path, os.O_RDWR)
            except OSError:
                continue
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # its owner lives
                os.close(fd)
                continue
            found = os.fstat(fd)
            if not found.st_nlink:  # another heir was faster, and is done
                os.close(fd)
                continue
            LOG.info("spool_found", file=path.name, octets=found.st_size)
            self._orphan = (fd, path, 0)
            return True
        return False


def _encode(line: Line) -> bytes:
    text = json.dumps(line, separators=(",", ":"), ensure_ascii=True).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _read(fd: int, start: int, end: int, most_octets: int) -> tuple[list[Line], int]:
    """Whole lines from ``start``, and where they end. A damaged line is passed over, an unfinished last one too."""
    data = os.pread(fd, min(most_octets, end - start), start)
    if not data.endswith(b"\n") and start + len(data) < end:
        cut = data.rfind(b"\n") + 1
        data = data[:cut] if cut else os.pread(fd, end - start, start)  # one line longer than a read
    lines = []
    for raw in data.split(b"\n"):
        if not raw:
            continue
        checksum, _, text = raw.partition(b" ")
        try:
            if int(checksum, 16) != zlib.crc32(text):
                raise ValueError("checksum")
            lines.append(json.loads(text))
        except ValueError:  # never acknowledged: the process died while it wrote
            LOG.warning("spool_line_damaged", octets=len(raw))
    return lines, start + len(data) if data else end


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
