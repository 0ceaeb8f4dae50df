"""Accounting (RAD-4): gathered and merged per session while a commit is under way, answered after theirs."""

import time
from collections import deque
from typing import Any, Final

import structlog

from radius_cluster.counters import ACCT_STORED, Counters, dropped
from radius_cluster.listen.database import BAD_DATA, Lane
from radius_cluster.listen.receive import Request
from radius_cluster.process.accounting_record import KEY, KIND, Row, event_time, merged, row_of
from radius_cluster.wire.codes import (
    ACCT_INTERIM,
    ACCT_OFF,
    ACCT_ON,
    ACCT_START,
    ACCT_STATUS_TYPE,
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

_LARGEST_BATCH: Final = 1_000
_LONGEST_QUEUE: Final = 50_000
_TOO_OLD_SECONDS: Final = 30.0
_NAS_RESTARTED: Final = 101

# Rows of one commit by session, each with the requests that wait for it; or one On/Off, which goes alone.
Segment = dict[Row, list[Any]]
Batch = Segment | Request


class Accounting:
    """The accounting of one cell's tenants: one lane, because order within a session matters (and two gain nothing)."""

    def __init__(self, url: str, cell: str, counters: Counters) -> None:
        self._segments: deque[Batch] = deque()
        self._waiting = 0
        self._counters = counters
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
        value = request.packet.attributes.get(ACCT_STATUS_TYPE)
        kind = int.from_bytes(value, "big") if value is not None else 0
        if self._waiting >= _LONGEST_QUEUE:
            self._drop(request, "overload")
            return
        if kind in (ACCT_START, ACCT_STOP, ACCT_INTERIM):
            row = row_of(request, kind)
            if row is None:
                self._drop(request, "incomplete")
                return
            self._add(row, request)
        elif kind in (ACCT_ON, ACCT_OFF):
            self._segments.append(request)
        else:  # tunnels, failures: nothing of ours, but the router wants its answer (RFC 2866, 4.1)
            self._answer(request)
            return
        self._waiting += 1
        self.lane.wake()

    def busy(self) -> bool:
        """Whether anything still waits for its commit."""
        return bool(self._segments) or bool(self.lane.busy_since)

    def _add(self, row: Row, request: Request) -> None:
        segments = self._segments
        last = segments[-1] if segments else None
        if not isinstance(last, dict) or len(last) >= _LARGEST_BATCH:
            last = {}
            segments.append(last)
        key = row[KEY]
        entry = last.get(key)
        if entry is None:
            last[key] = [row, request]
            return
        together = merged(entry[0], row)
        if together is None:
            segments.append({key: [row, request]})
        else:
            entry[0] = together
            entry.append(request)

    async def _prepare(self, connection: Any) -> tuple[Any, Any, Any]:
        return connection, await connection.prepare(_ACCOUNT), await connection.prepare(_EACH)

    def _take(self) -> Batch | None:
        if not self._segments:
            return None
        segment = self._segments.popleft()
        self._waiting -= _requests_in(segment)
        return segment

    def _give_back(self, batch: Batch) -> None:
        if isinstance(batch, dict):
            oldest = time.time() - _TOO_OLD_SECONDS
            for key in [key for key, entry in batch.items() if entry[-1].arrived < oldest]:
                for request in batch.pop(key)[1:]:
                    self._drop(request, "too_late")
            if not batch:
                return
        self._segments.appendleft(batch)
        self._waiting += _requests_in(batch)

    async def _work(self, prepared: tuple[Any, Any, Any], batch: Batch) -> None:
        connection, account, each = prepared
        if not isinstance(batch, dict):
            nas = batch.nas
            await connection.execute(_CLOSE_NAS, nas.tenant.id, nas.id, event_time(batch), _NAS_RESTARTED)
            self._answer(batch)
            return
        entries = [batch[key] for key in sorted(batch)]  # sorted: two nodes never wait for each other
        rows = [entry[0] for entry in entries]
        columns = list(zip(*rows, strict=True))
        kinds = columns[KIND]
        try:
            undone = await account.fetchval(
                kinds.count(ACCT_START), kinds.count(ACCT_INTERIM), kinds.count(ACCT_STOP), *columns
            )
        except BAD_DATA:
            undone = list(range(1, len(rows) + 1))
        waiting = set(undone)
        for ordinal, entry in enumerate(entries, 1):
            if ordinal not in waiting:
                self._done(batch, entry)
        if undone:
            await self._work_each(each, batch, [entries[ordinal - 1] for ordinal in sorted(undone)])

    async def _work_each(self, each: Any, batch: Segment, entries: list[list[Any]]) -> None:
        """The exact path; when a row breaks it, each goes alone and the broken ones get no answer."""
        rows = [_complete(entry) for entry in entries]
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
                await self._work_each(each, batch, [entry])
            return
        for entry in entries:
            self._done(batch, entry)

    def _done(self, batch: Segment, entry: list[Any]) -> None:
        del batch[entry[0][KEY]]
        for request in entry[1:]:
            self._answer(request)
        nas = entry[1].nas
        if not nas.seen & 4:
            self._counters.first_seen(nas, 2)

    def _answer(self, request: Request) -> None:
        nas = request.nas
        request.answer(encode_accounting_response(request.packet, nas.secret))
        self._counters.count(nas, ACCT_STORED)

    def _drop(self, request: Request, reason: str) -> None:
        request.forget()
        self._counters.count(request.nas, dropped("acct", reason))


def _requests_in(batch: Batch) -> int:
    return sum(len(entry) - 1 for entry in batch.values()) if isinstance(batch, dict) else 1


def _complete(entry: list[Any]) -> Row:
    """The row with its session's details, which the quick path left out; counters stay as merged."""
    row: Row = entry[0]
    full = row_of(entry[-1], row[KIND], complete=True)
    assert full is not None
    return row[:14] + full[14:]
