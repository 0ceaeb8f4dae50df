"""Arithmetic of periods (billing-rules.md, "Periods"). Pure: instants in, instants out.

Instants are aware and returned in UTC. What a person names (a day, a month, "16 o'clock") is decided on the wall clock
of the tenant's zone; durations are seconds and no clock change touches them.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

NEVER_YEAR = 2100
DAY_SECONDS = 86_400

PeriodUnit = Literal["days", "months", "natural-day", "natural-month", "none"]


@dataclass(frozen=True, slots=True)
class Period:
    """How long one unit of a plan lasts: ``count`` days or calendar months, or until the end of a natural day/month.

    ``none``: the plan has no end of its own (a volume without validity).
    """

    unit: PeriodUnit
    count: int = 1


def never(zone: ZoneInfo) -> datetime:
    """*Never expires*: 2100-01-01 00:00 in the tenant's zone (SUB-9)."""
    return datetime(NEVER_YEAR, 1, 1, tzinfo=zone).astimezone(UTC)


def is_never(instant: datetime, zone: ZoneInfo) -> bool:
    """Whether an expiry means *never*."""
    return instant >= never(zone)


def _from_wall(naive: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the tenant's clock shows ``naive``.

    A time that the clock skips (spring) is the same distance after the jump, as PEP 495 reads fold 0 through UTC;
    one that it shows twice (autumn) is the first of the two.
    """
    return naive.replace(tzinfo=zone, fold=0).astimezone(UTC)


def add_months(instant: datetime, months: int, zone: ZoneInfo) -> datetime:
    """``months`` calendar months later: same local day and time, clamped to the month's last day.

    31 Jan + 1 month = 28/29 Feb; 31 Jan + 3 months = 30 Apr (one step, never through February).
    """
    local = instant.astimezone(zone)
    index = local.year * 12 + local.month - 1 + months
    year, month = divmod(index, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return _from_wall(local.replace(tzinfo=None, fold=0, year=year, month=month + 1, day=day), zone)


def add_days(instant: datetime, days: int, zone: ZoneInfo) -> datetime:
    """``days`` tenant days later: same local time of day, so a day with a clock change has 23 or 25 hours."""
    local = instant.astimezone(zone)
    return _from_wall(local.replace(tzinfo=None, fold=0) + timedelta(days=days), zone)


def end_of_day(instant: datetime, zone: ZoneInfo, days: int = 1) -> datetime:
    """24:00 of the tenant's day in which ``instant`` lies; with ``days`` n, of the (n − 1)th day after it."""
    local = instant.astimezone(zone)
    return _from_wall(datetime(local.year, local.month, local.day) + timedelta(days=days), zone)  # noqa: DTZ001


def end_of_month(instant: datetime, zone: ZoneInfo, months: int = 1) -> datetime:
    """24:00 of the last day of the tenant's month in which ``instant`` lies; with n, of the (n − 1)th month after."""
    local = instant.astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    return _from_wall(datetime(year, month + 1, 1), zone)  # noqa: DTZ001


def add_period(start: datetime, period: Period, quantity: int, zone: ZoneInfo) -> datetime:
    """End of ``quantity`` periods that begin at ``start``; the quantity multiplies before clamping.

    A natural day or month that begins exactly at midnight is the one that begins there. ``none`` and ends after
    2100 give *never*.
    """
    if quantity < 1:
        raise ValueError("a quantity is at least 1")
    limit = never(zone)
    units = period.count * quantity
    if period.unit == "none" or start >= limit or units > 40_000:
        return limit
    ends = {
        "days": add_days,
        "months": add_months,
        "natural-day": _natural_day,
        "natural-month": _natural_month,
    }[period.unit](start, units, zone)
    return min(ends, limit)


def _natural_day(start: datetime, units: int, zone: ZoneInfo) -> datetime:
    return end_of_day(start, zone, units)


def _natural_month(start: datetime, units: int, zone: ZoneInfo) -> datetime:
    return end_of_month(start, zone, units)


def unify_hour(expiry: datetime, hour: int | None, now: datetime, zone: ZoneInfo) -> datetime:
    """The expiry with only its local hour replaced (G5); unchanged where that would be earlier than ``now``,
    where no hour is set, or where it means *never*.
    """
    if hour is None or is_never(expiry, zone):
        return expiry
    local = expiry.astimezone(zone)
    moved = _from_wall(local.replace(tzinfo=None, fold=0, hour=hour), zone)
    return expiry if moved < now else moved


def whole_days_between(now: datetime, expiry: datetime) -> int:
    """Whole days (24 h) left until ``expiry``, floored; 0 when it has passed."""
    return max(0, int((expiry - now).total_seconds() // DAY_SECONDS))


def local_iso(instant: datetime, zone: ZoneInfo) -> str:
    """ISO 8601 with the tenant's offset (the contract's form of instants)."""
    return instant.astimezone(zone).isoformat()
