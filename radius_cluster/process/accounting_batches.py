"""Batches of reports: gathered by session, complete for the spool, taken apart again where it is replayed (RAD-4)."""

from collections.abc import Iterator
from typing import Any, Final

from radius_cluster.listen.receive import Request
from radius_cluster.process.accounting_record import DETAILS, KEY, Row, event_time, fields_of, merged, row_of
from radius_cluster.process.spool import Line

CLOSE: Final = "close"  # how the line of an Accounting-On or -Off begins
# Of many that wait after the disk has held a commit up, none is answered before all of its batch are stored: 30 us a
# report. A commit that takes a quarter of a thousand costs a tenth more a report, and the first are answered at once.
_LARGEST_BATCH: Final = 256
_WORTH_A_COMMIT: Final = 32  # a batch costs as much as 30 rows of it
_LARGE_ANYHOW: Final = 64
_NAS_RESTARTED: Final = 101


class Replay(list[Line]):
    """Lines of the spool on their way to the database."""


# A row and the requests that wait for it (none when it comes from the spool). Rows of one commit by session; or one
# On/Off, which goes alone.
Entry = list[Any]
Segment = dict[Row, Entry]
Batch = Segment | Request | Replay


def largest_segment(outstanding: int) -> int:
    """How many sessions one commit may take while so many reports wait or are in the one under way: half of them.

    A few routers that send again as they are answered have the same reports out all the time. In equal halves the
    database has one while we answer and read the other; in unequal ones, which last, both wait for each other.
    """
    half = (outstanding + 1) >> 1
    return _WORTH_A_COMMIT if half < _WORTH_A_COMMIT else half if half <= _LARGE_ANYHOW else _LARGEST_BATCH


def add(segments: Any, entry: Entry, largest: int = _LARGEST_BATCH) -> None:
    """Put a row (and its request) into the last segment, or into a new one when it may not be merged there or as many
    sessions as it may have are in it."""
    row = entry[0]
    last = segments[-1] if segments else None
    if not isinstance(last, dict):
        last = {}
        segments.append(last)
    key = row[KEY]
    known = last.get(key)
    if known is None:
        if len(last) < largest:
            last[key] = entry
        else:
            segments.append({key: entry})
        return
    together = merged(known[0], row)
    if together is None:
        segments.append({key: entry})
    else:
        known[0] = together
        known += entry[1:]


def parts_of(lines: Replay) -> list[Segment | Line]:
    """The lines' rows in as few statements as the order within each session allows; On and Off stand between."""
    parts: list[Segment | Line] = []
    first, last = 0, dict[Row, int]()  # first part after the last On or Off; the part each session was last seen in
    for line in lines:
        if line[0] == CLOSE:
            parts.append(line)
            first = len(parts)
            last.clear()
            continue
        for row in map(tuple, line):
            key = row[KEY]
            at = last.get(key)
            if at is not None:
                part = parts[at]
                assert isinstance(part, dict)
                together = merged(part[key][0], row)
                if together is not None:
                    part[key][0] = together
                    continue
            at = first if at is None else at + 1
            if at == len(parts):
                parts.append({})
            part = parts[at]
            assert isinstance(part, dict)
            part[key] = [row]
            last[key] = at
    return parts


def requests_of(batches: list[Batch]) -> Iterator[Request]:
    for batch in batches:
        if isinstance(batch, Request):
            yield batch
        elif isinstance(batch, dict):
            for entry in batch.values():
                yield from entry[1:]


def close_line(request: Request) -> Line:
    nas = request.nas
    return [CLOSE, nas.tenant.id, nas.id, event_time(request), _NAS_RESTARTED]


def line_of(batch: Batch) -> Line:
    if isinstance(batch, dict):
        return [complete(batch[key]) for key in sorted(batch)]
    assert isinstance(batch, Request)
    return close_line(batch)


def requests_in(batch: Batch) -> int:
    return sum(len(entry) - 1 for entry in batch.values()) if isinstance(batch, dict) else 1


def complete(entry: Entry) -> Row:
    """The row with its session's details, which the quick path left out; counters stay as merged."""
    row: Row = entry[0]
    if len(entry) == 1:
        return row
    full = row_of(entry[-1], fields_of(entry[-1]), complete=True)
    assert full is not None
    details = zip(full[DETAILS:], row[DETAILS:], strict=True)  # an earlier one may have told what the last one does not
    return row[:DETAILS] + tuple(last if last is not None else known for last, known in details)
