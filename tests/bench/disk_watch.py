"""How long the disk keeps a small write waiting while something else is measured.

A commit cannot be durable before the disk has it. A virtual disk may keep everybody waiting for 20 to 500 ms though
nobody writes much, so a latency says something of us only together with what the disk did in the same seconds.
"""

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_BETWEEN_SECONDS = 0.01
_OCTETS = 4_096


class DiskWatch:
    """Writes and flushes a page a hundred times a second, beside what runs within its ``with``."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "disk-watch"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.longest_ms = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def _write(self) -> None:
        page = os.urandom(_OCTETS)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.pwrite(file, page, 0)
            os.fsync(file)  # the file exists; what follows changes a page of it, as a commit does
            while not self._done.wait(_BETWEEN_SECONDS):
                began = time.monotonic()
                os.pwrite(file, page, 0)
                os.fdatasync(file)
                self.longest_ms = max(self.longest_ms, (time.monotonic() - began) * 1_000)
        finally:
            os.close(file)
