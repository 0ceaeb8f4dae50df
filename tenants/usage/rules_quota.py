"""How much of a quota is left (billing-rules.md, "Balance, prepaid, quotas"; RAD-3). Pure.

A counter belongs to an epoch (what was sold) and a window (a local day or month, or the whole period). Counters of
another epoch count as 0; those of an earlier window of the same epoch have only their excess left, which came out of
supplementary packs. The SQL of the packet path does the same; a test compares both.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

QUOTA_NONE, QUOTA_PERIOD, QUOTA_DAY, QUOTA_MONTH = 0, 1, 2, 3
WHOLE_PERIOD = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Counter:
    """One row of ``aaa.quota_use`` for one unit (octets or seconds)."""

    epoch: int
    window_on: date
    used: int
    over: int  # used beyond the quota in earlier windows of the epoch


def window_of(kind: int, at: datetime, zone: ZoneInfo) -> date:
    """The window that an instant lies in, on the tenant's calendar."""
    if kind == QUOTA_DAY:
        return at.astimezone(zone).date()
    if kind == QUOTA_MONTH:
        return at.astimezone(zone).date().replace(day=1)
    return WHOLE_PERIOD


def as_of(counter: Counter | None, epoch: int, window_on: date, quota: int) -> Counter:
    """The counter as it stands in this epoch and window: the reset is this comparison."""
    if counter is None or counter.epoch != epoch:
        return Counter(epoch, window_on, 0, 0)
    if counter.window_on == window_on:
        return counter
    return Counter(epoch, window_on, 0, counter.over + max(0, counter.used - quota))


def count(counter: Counter | None, epoch: int, window_on: date, quota: int, used: int) -> Counter:
    """The counter after ``used`` more was reported in this window.

    A late report of an earlier window (Acct-Delay-Time over midnight) changes nothing: that window is over, and the
    counter must not go back to it and forget what the present one has used. (Unless the counter's own window has not
    come yet, by the database's clock: then a clock had gone wrong when it was begun.)
    """
    if counter is not None and counter.epoch == epoch and window_on < counter.window_on:
        return counter
    now = as_of(counter, epoch, window_on, quota)
    return Counter(now.epoch, now.window_on, now.used + used, now.over)


def packs_left(counter: Counter | None, epoch: int, window_on: date, quota: int, packs: int) -> int:
    """What is left of the packs alone: they are touched only by what goes beyond the quota."""
    now = as_of(counter, epoch, window_on, quota)
    return max(0, packs - now.over - max(0, now.used - quota))


def left(counter: Counter | None, epoch: int, window_on: date, quota: int, packs: int) -> int:
    """What is left of the quota and then of the packs; never below 0.

    What was used beyond both (slower, or before a router obeyed) is no debt of the next window.
    """
    now = as_of(counter, epoch, window_on, quota)
    return max(0, quota - now.used + max(0, packs - now.over))


def window_ends(kind: int, at: datetime, zone: ZoneInfo) -> datetime | None:
    """When the window that an instant lies in is over: the tenant's next midnight or month; None for a whole period."""
    if kind not in (QUOTA_DAY, QUOTA_MONTH):
        return None
    day = window_of(kind, at, zone)
    following = day + timedelta(days=1) if kind == QUOTA_DAY else (day + timedelta(days=32)).replace(day=1)
    return datetime.combine(following, time(), zone).astimezone(UTC)
