"""Connections of the packet path to one PostgreSQL, and lanes: connections that work through batches.

Measured settings (packet-path.md): custom plans cost up to twice as much, and statistics taken while a table was empty
make the planner scan; so plans are generic and scans are off for these connections.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import asyncpg
import structlog
from asyncpg.protocol import protocol

from radius_cluster.listen.raise_backend import raise_backend

LOG = structlog.get_logger(__name__)
Batch = TypeVar("Batch")

ROLE = "broadloom_radius"
CONNECT_TIMEOUT_SECONDS = 4.0
HANGING_SECONDS = 3.0  # a statement that takes longer: the database hangs or is cut off, the connection is dropped
LONGEST_IN_BACKGROUND_SECONDS = 30.0  # the same of whoever works beside the packet path, where nothing is urgent
AWAY_SECONDS = 0.5  # without a connection for so long: others than the database decide
SHORT_WORK_HANGS_SECONDS = 1.5  # logins take milliseconds, and routers give up after a few seconds
# A host that went without a word: lanes are watched, but whoever waits for a notification, or looks now and then (the
# directory, the coa engine, RadSec's credentials), would wait for the kernel's patience, a quarter of an hour and more.
SILENT_HOST = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000),
)
ELEMENT_CHECKS = ("IterableABC", "SizedABC")
_SETTINGS = {
    "role": ROLE,
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
# The work is right and another try may succeed: deadlocks between nodes, a session that appeared meanwhile.
TRY_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
# The row is wrong and no further try can succeed.
BAD_DATA = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


def spare_element_checks() -> None:
    """Let asyncpg see by its type whether an element of an array is an array itself.

    It asks abstract base classes, in Python, of every element: a sixth of what a report costs us. Our arrays are lists
    and tuples of plain values. Where a version has other names for them this does nothing (a test would tell).
    """
    for name in ELEMENT_CHECKS:
        if hasattr(protocol, name):
            setattr(protocol, name, (list, tuple))


async def connect(url: str, name: str, longest_seconds: float | None = None) -> Any:
    """A connection as the packet path's role; a statement that takes longer than ``longest_seconds`` fails.

    Raises OSError, TimeoutError or an asyncpg error.
    """
    connection = await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=longest_seconds,
        server_settings={**_SETTINGS, "application_name": name},
    )
    opened = transport_of(connection).get_extra_info("socket")
    if opened is not None and opened.family in (socket.AF_INET, socket.AF_INET6):
        for option in SILENT_HOST:
            opened.setsockopt(*option)
    return connection


def transport_of(connection: Any) -> Any:
    """What carries the connection; asyncpg has no public name for it (a test would tell)."""
    return connection._transport


class Lane(Generic[Batch]):
    """One connection that takes batches while there are any (natural batching) and reconnects by itself.

    ``take`` gives the next batch or None; ``work`` carries it through and may give what can be done while the database
    is at the next batch already (the answers); ``give_back`` gets a batch whose connection failed, which is then tried
    again: all our statements may be repeated.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        prepare: Callable[[Any], Awaitable[Any]],
        take: Callable[[], Batch | None],
        work: Callable[[Any, Batch], Awaitable[Callable[[], None] | None]],
        give_back: Callable[[Batch], None],
    ) -> None:
        self._url = url
        self._name = name
        self._prepare = prepare
        self._take = take
        self._work = work
        self._give_back = give_back
        self._sleeper: asyncio.Future[None] | None = None
        self._connection: Any = None
        self._failing = False  # connections come about, but no batch has been carried through since the last failure
        self._worked = False  # on the present connection
        self.busy_since = 0.0  # monotonic; 0 = idle
        self.done_at = 0.0  # monotonic: when the last batch was carried through
        self.up = False
        self.down_since = time.monotonic()

    @property
    def works(self) -> bool:
        """Whether there is a connection, and it does not refuse the work."""
        return self.up and not self._failing

    def wake(self) -> bool:
        """Start the lane if it is idle; False when it is at work (it will see the queue when it is done)."""
        sleeper = self._sleeper
        if sleeper is None or sleeper.done():
            return False
        sleeper.set_result(None)
        return True

    def drop_if_hanging(self, now: float) -> float:
        """Cut the connection of a statement that takes too long; what it was doing is tried again.

        Gives since when it has been hanging, 0 when it does not.
        """
        since = self.busy_since
        if not since or now - since <= HANGING_SECONDS or self._connection is None:
            return 0.0
        LOG.warning("database_hangs", lane=self._name, seconds=round(now - since, 1))
        self._cut()
        return since

    def cut_if_busy(self) -> None:
        """Cut the connection of a statement under way; what it was doing is given back."""
        if self.busy_since and self._connection is not None:
            self._cut()

    def drop_if_silent(self, since: float) -> None:
        """Cut a connection that has done nothing since another one began to hang: it would be the next to hang."""
        if self.up and not self.busy_since and self.done_at <= since and self._connection is not None:
            self._cut()

    def _cut(self) -> None:
        """Down at once, not only when the connection's end has come round to :meth:`run`."""
        self.up, self.busy_since, self.down_since = False, 0.0, time.monotonic()
        self._connection.terminate()

    async def run(self) -> None:
        """Until cancelled."""
        delay = 0.05
        while True:
            connection = None
            try:
                connection = self._connection = await connect(self._url, self._name)
                async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                    prepared = await self._prepare(connection)
            except BaseException as error:
                if connection is not None:  # nobody else ends it: there would be one more after each try
                    connection.terminate()
                if not isinstance(error, Exception):
                    raise
                if delay == 0.05 or delay >= 2.0:
                    LOG.warning("database_unreachable", lane=self._name, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
                continue
            raise_backend(self._url, self._connection)
            self._connection.add_termination_listener(lambda _connection: self.wake())
            self.up = True
            try:
                await self._serve(prepared)
            finally:
                self.up, self.busy_since = False, 0.0
                if not self._failing:
                    self.down_since = time.monotonic()
                self._connection.terminate()
            # A database that takes connections and refuses the work (read-only after a fail-over) counts as away, too.
            self._failing = self._failing or not self._worked
            delay = min(delay * 2, 2.0) if self._failing else 0.05
            if self._failing:
                await asyncio.sleep(delay)

    async def _serve(self, prepared: Any) -> None:
        connection, loop = self._connection, asyncio.get_running_loop()
        attempts = 0
        self._worked = False
        while not connection.is_closed():
            try:
                batch = self._take()
            except Exception as error:  # a disk that fails under the spool: the lane must not end for ever
                LOG.warning("no_batch_taken", lane=self._name, error=f"{type(error).__name__}: {error}")
                self._worked, self._failing = False, True
                return
            if batch is None:
                attempts = 0
                self._sleeper = loop.create_future()
                try:
                    await self._sleeper
                finally:
                    self._sleeper = None
                continue
            self.busy_since = time.monotonic()
            try:
                rest = await self._work(prepared, batch)
                if rest is not None:
                    loop.call_soon(rest)  # runs when the next batch's statement is on its way
                attempts = 0
                self._worked, self._failing = True, False
                self.done_at = time.monotonic()
            except asyncio.CancelledError:
                self._give_back(batch)
                raise
            except TRY_AGAIN:
                attempts += 1
                self._give_back(batch)
                await asyncio.sleep(0.005 * attempts)
            except Exception as error:
                LOG.warning("batch_failed", lane=self._name, error=f"{type(error).__name__}: {error}")
                self._give_back(batch)
                return
            self.busy_since = 0.0


def drop_if_away(lanes: Sequence[Lane[Any]], now: float) -> bool:
    """Whether lanes that share short work have lost their database; what waits for its answer is given back.

    Either none has a connection, or some wait for too long and none has carried anything through since: then the idle
    ones would be the next to hang.
    """
    if all(not lane.up and now - lane.down_since > AWAY_SECONDS for lane in lanes):
        return True
    waiting = [lane.busy_since for lane in lanes if lane.busy_since]
    since = max(min(waiting), *(lane.done_at for lane in lanes)) if waiting else now
    if now - since <= SHORT_WORK_HANGS_SECONDS:
        return False
    for lane in lanes:
        lane.cut_if_busy()
        lane.drop_if_silent(since)
    return True
