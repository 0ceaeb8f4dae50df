"""Accounting (RAD-4): gathered and merged per session while a commit is under way, answered after theirs."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any, Final

import structlog

from radius_cluster.counters import ACCT_SPOOLED, ACCT_STORED, Counters, Outcome, dropped
from radius_cluster.listen.database import BAD_DATA, Lane
from radius_cluster.listen.receive import Request
from radius_cluster.process.accounting_batches import (
    Batch,
    Entry,
    Replay,
    Segment,
    add,
    close_line,
    complete,
    largest_segment,
    line_of,
    parts_of,
    requests_in,
    requests_of,
)
from radius_cluster.process.accounting_record import CAUSE, DAY, DETAILS, KEY, KIND, fields_of, row_of
from radius_cluster.process.outer_names import OuterNames
from radius_cluster.process.recent_starts import RecentStarts
from radius_cluster.process.session_limits import SessionLimits
from radius_cluster.process.spool import Line, Spool
from radius_cluster.wire.codes import (
    ACCT_INTERIM,
    ACCT_OFF,
    ACCT_ON,
    ACCT_START,
    ACCT_STOP,
)
from radius_cluster.wire.packet import encode_accounting_response

LOG = structlog.get_logger(__name__)

_TYPES: Final = (
    *("int[]", "int[]", "text[]", "text[]", "smallint[]", "float8[]", "bigint[]", "bigint[]", "bigint[]", "bigint[]"),
    *("bigint[]", "bigint[]", "int[]", "smallint[]", "text[]", "text[]", "bigint[]", "text[]", "bigint[]", "text[]"),
    "text[]",
)
_ACCOUNT: Final = f"SELECT aaa.account($1,$2,$3,{','.join(f'${n}::{kind}' for n, kind in enumerate(_TYPES, 4))})"
_EACH: Final = f"SELECT aaa.account_each({','.join(f'${n}::{kind}' for n, kind in enumerate(_TYPES, 1))})"
_CLOSE_NAS: Final = "SELECT aaa.close_nas_sessions($1, $2, $3, $4::smallint)"

_LONGEST_QUEUE: Final = 50_000
_TOO_OLD_SECONDS: Final = 30.0
_row_of_entry: Final = itemgetter(0)
Prepared = tuple[Any, Any, Any]  # connection, quick statement, exact statement

_AWAY_SECONDS: Final = 0.5  # without a connection for so long: accounting goes to the spool
_HANGS_SECONDS: Final = 2.0
_NEARLY_DONE_OCTETS: Final = 262_144  # some 1,500 reports: replayed within a moment


class Accounting:
    """The accounting of one cell's tenants: one lane, because order within a session matters (and two gain nothing)."""

    def __init__(
        self, url: str, cell: str, counters: Counters, spool: Spool | None = None, recent: RecentStarts | None = None
    ) -> None:
        self._segments: deque[Batch] = deque()
        self._waiting = 0
        self._under_way = 0  # in the commit that is under way
        self._counters = counters
        self._spool = spool
        self._outer = OuterNames()
        self._limits = SessionLimits(url, cell, recent or RecentStarts())
        self._spooling = False  # from the database's going away until the spool is replayed
        self._writing: asyncio.Task[None] | None = None
        self._disk_full = False  # the last write to the spool failed
        self.lane: Lane[Batch] = Lane(
            url,
            f"broadloom radius {cell} accounting",
            prepare=self._prepare,
            take=self._take,
            work=self._work,
            give_back=self._give_back,
        )

    def submit(self, request: Request) -> None:
        """Take a verified Accounting-Request."""
        fields = fields_of(request)
        kind = fields[0]
        if self._waiting >= _LONGEST_QUEUE:
            self._drop(request, "overload")
            return
        if kind in (ACCT_START, ACCT_STOP, ACCT_INTERIM):
            row = row_of(request, fields)
            if row is None:
                self._drop(request, "incomplete")
                return
            if kind == ACCT_START:
                self._outer.note(row, request)
                self._limits.note(row, request)
            add(self._segments, [row, request], largest_segment(self._waiting + self._under_way))
        elif kind in (ACCT_ON, ACCT_OFF):
            self._segments.append(request)
        elif kind is None:  # no Acct-Status-Type, or none that can be read: it was not stored, and is not said to be
            self._drop(request, "incomplete")
            return
        else:  # tunnels, failures: nothing of ours, but the router wants its answer (RFC 2866, 4.1)
            self._answer(request, ACCT_STORED)
            return
        self._waiting += 1
        if self._spooling:
            self._write_soon()
        else:
            self.lane.wake()

    def tick(self, now: float) -> None:
        """Twice a second: notice that the database is away, and look after what the spool holds."""
        self._limits.tick(now)
        if self._spool is None:
            return
        lane = self.lane
        away = not lane.up and now - lane.down_since > _AWAY_SECONDS
        if (away or (lane.busy_since and now - lane.busy_since > _HANGS_SECONDS)) and not self._spooling:
            self._spooling = True
            LOG.warning("accounting_goes_to_the_spool")
            lane.cut_if_busy()  # what hangs goes there, too; should it be stored after all, the replay changes nothing
        if self._spooling:
            self._write_soon()
        lane.wake()

    @property
    def state(self) -> str:
        """running, or catching_up (the spool is replayed), degraded (reports go to it), spool_full (they cannot)."""
        if not self._spooling:
            return "running"
        hangs = self.lane.busy_since and time.monotonic() - self.lane.busy_since > _HANGS_SECONDS
        if self.lane.works and not hangs:
            return "catching_up"
        return "spool_full" if self._disk_full else "degraded"

    def busy(self) -> bool:
        """Whether anything still waits for its commit; also the spool, while the database can take it."""
        if self._segments or self.lane.busy_since or self._writing is not None:
            return True
        return self.lane.up and self._spool is not None and not self._spool.is_empty

    def close(self) -> None:
        """Give up the spool's file; what is in it waits for the next process."""
        self._limits.close()
        if self._spool is not None:
            self._spool.close()

    async def _prepare(self, connection: Any) -> Prepared:
        return connection, await connection.prepare(_ACCOUNT), await connection.prepare(_EACH)

    def _take(self) -> Batch | None:
        if self._spool is not None:
            lines = self._spool.next_lines(time.monotonic())
            if lines:
                if not self._spooling:  # found from an earlier life: what comes now waits its turn behind it, answered
                    self._spooling = True
                    self._write_soon()
                return Replay(lines)
            if self._spooling:
                if self._writing is not None:
                    return None  # it wakes us
                self._spooling = False
                LOG.info("accounting_goes_to_the_database")
        self._under_way = 0
        if not self._segments:
            return None
        segment = self._segments.popleft()
        self._under_way = requests_in(segment)
        self._waiting -= self._under_way
        return segment

    def _give_back(self, batch: Batch) -> None:
        if isinstance(batch, Replay):
            return  # the spool has it still
        if isinstance(batch, dict):
            oldest = time.time() - _TOO_OLD_SECONDS
            for key in [key for key, entry in batch.items() if entry[-1].arrived < oldest]:
                for request in batch.pop(key)[1:]:
                    self._drop(request, "too_late")
            if not batch:
                return
        self._segments.appendleft(batch)
        self._under_way = 0
        self._waiting += requests_in(batch)
        if self._spooling:
            self._write_soon()

    async def _work(self, prepared: Prepared, batch: Batch) -> Callable[[], None] | None:
        connection, account, each = prepared
        if isinstance(batch, Replay):
            assert self._spool is not None
            for part in parts_of(batch):
                self.lane.busy_since = time.monotonic()  # it gets on: not a database that hangs
                if isinstance(part, dict):  # answered long ago
                    await self._store(account, each, part, [])
                else:
                    await connection.execute(_CLOSE_NAS, *part[1:])
            self._spool.done()
            if self._outer:
                await self._outer.adopt(connection)
        elif isinstance(batch, dict):
            stored: list[Entry] = []
            try:
                await self._store(account, each, batch, stored)
                if self._outer:
                    await self._outer.adopt(connection)
            except BaseException:
                self._answer_all(stored)
                raise
            return partial(self._answer_all, stored)
        else:
            await connection.execute(_CLOSE_NAS, *close_line(batch)[1:])
            self._answer(batch, ACCT_STORED)
        return None

    async def _store(self, account: Any, each: Any, batch: Segment, stored: list[Entry]) -> None:
        """Carry the batch through; what is committed leaves it and joins ``stored``, to be answered."""
        entries = sorted(batch.values(), key=_row_of_entry)  # by session: two nodes never wait for each other
        rows = [entry[0] for entry in entries]
        columns = list(zip(*rows, strict=True))
        kinds = columns[KIND]
        starts, stops = kinds.count(ACCT_START), kinds.count(ACCT_STOP)
        # A column of nothing costs both sides as much as one of numbers; an empty one gives nulls.
        if not stops:
            columns[CAUSE] = ()
        if starts == len(rows):
            columns[DAY] = ()
        for at in range(DETAILS, len(columns)):
            column = columns[at]
            if column[0] is None and column.count(None) == len(rows):
                columns[at] = ()
        try:
            undone = await account.fetchval(starts, len(rows) - starts - stops, stops, *columns)
        except BAD_DATA:
            undone = list(range(1, len(rows) + 1))
        if not undone:
            stored += entries
            batch.clear()
            return
        waiting = set(undone)
        for ordinal, entry in enumerate(entries, 1):
            if ordinal not in waiting:
                stored.append(batch.pop(entry[0][KEY]))
        await self._store_each(each, batch, [entries[ordinal - 1] for ordinal in sorted(undone)], stored)

    async def _store_each(self, each: Any, batch: Segment, entries: list[Entry], stored: list[Entry]) -> None:
        """The exact path; when a row breaks it, each goes alone and the broken ones get no answer."""
        rows = [complete(entry) for entry in entries]
        try:
            await each.fetchval(*zip(*rows, strict=True))
        except BAD_DATA:
            if len(entries) == 1:
                LOG.warning("accounting_refused", username=rows[0][3], session=rows[0][2])
                for request in entries[0][1:]:
                    self._drop(request, "bad_data")
                del batch[rows[0][KEY]]
                return
            for entry in entries:
                await self._store_each(each, batch, [entry], stored)
            return
        for entry in entries:
            stored.append(batch.pop(entry[0][KEY]))

    def _is_catching_up(self) -> bool:
        """The replay is nearly done: what comes now waits for it in memory, else the spool would never be empty."""
        lane = self.lane
        hangs = lane.busy_since and time.monotonic() - lane.busy_since > _HANGS_SECONDS
        return lane.up and not hangs and self._spool is not None and self._spool.backlog_octets < _NEARLY_DONE_OCTETS

    def _write_soon(self) -> None:
        if self._writing is None and self._segments and not self._is_catching_up():
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Everything that waits goes to the spool in one write and one sync, then gets its answers."""
        spool = self._spool
        assert spool is not None
        try:
            while self._spooling and self._segments and not self._is_catching_up():
                batches = list(self._segments)
                self._segments.clear()
                self._waiting = 0
                lines: list[Line] = [line_of(batch) for batch in batches]
                spool.appending = True
                try:
                    await asyncio.get_running_loop().run_in_executor(None, spool.append, lines)
                except OSError as error:
                    if not self._disk_full:
                        LOG.error("spool_not_written", error=str(error))
                    self._disk_full = True
                    for request in requests_of(batches):
                        self._drop(request, "spool_full")
                else:
                    self._disk_full = False
                    for request in requests_of(batches):
                        request.note("spooled")
                        self._answer(request, ACCT_SPOOLED)
                finally:
                    spool.appending = False
        finally:
            self._writing = None
            self.lane.wake()

    def _answer_all(self, stored: list[Entry]) -> None:
        """Answer what the database has committed."""
        requests = [request for entry in stored for request in entry[1:]]
        counters = self._counters
        for request in requests:  # as in _answer, which this saves from a call or two each
            nas = request.nas
            request.answer(encode_accounting_response(request.packet, nas.secret))
            nas.stored += 1
            if not nas.touched:
                nas.touched = True
                counters.touched.append(nas)
            if not nas.seen & 4:
                counters.first_seen(nas, 2)
        counters.took("acct", time.time(), requests)

    def _answer(self, request: Request, outcome: Outcome) -> None:
        nas = request.nas
        request.answer(encode_accounting_response(request.packet, nas.secret))
        self._counters.count(nas, outcome)

    def _drop(self, request: Request, reason: str) -> None:
        request.forget(reason)
        self._counters.count(request.nas, dropped("acct", reason))
