"""Whose unit of work is next in one process, whatever its tenant: a few are under way, the others wait their turn.

More of them at once make nothing faster where the database has a core or two: they only end later, each with fewer
operations in it. While a unit waits its tenant's operations gather in line for it (:mod:`tenants.billing.share`).
Turns come in the order in which they were asked for, so a busy tenant waits for each of the others in between. A unit
that takes long, because somebody else keeps its account locked, soon counts no more: it keeps no other tenant waiting.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AT_ONCE = max(1, (os.cpu_count() or 1) // 2)  # half is the database's; while one waits for the disk the next begins
_COUNTS_SECONDS = 0.02  # several times what a large unit takes


class Turns:
    """The turns of one process."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._under_way: dict[threading.Lock, float] = {}  # those that count, the oldest first: since when
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def turn(self) -> Iterator[Callable[[], None]]:
        """Wait for a turn and have it until the end of the block, or until what it gives is called."""
        bell = threading.Lock()
        bell.acquire()
        try:
            with self._lock:
                self._waiting.append(bell)
                self._go_on()
            while not bell.acquire(timeout=_COUNTS_SECONDS):
                with self._lock:
                    self._go_on()
            yield lambda: self._end(bell)
        finally:
            self._end(bell)

    def _end(self, bell: threading.Lock) -> None:
        with self._lock:
            if self._under_way.pop(bell, None) is None and bell in self._waiting:
                self._waiting.remove(bell)  # interrupted while it waited
            self._go_on()

    def _go_on(self) -> None:
        """Give turns to those who wait, as many as there are. The lock is held."""
        if not self._waiting:
            return
        now = time.monotonic()
        while self._under_way and now - next(iter(self._under_way.values())) > _COUNTS_SECONDS:
            del self._under_way[next(iter(self._under_way))]
        while self._waiting and len(self._under_way) < self._at_once:
            bell = self._waiting.popleft()
            self._under_way[bell] = now
            bell.release()
