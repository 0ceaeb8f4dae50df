"""Instants on a tenant's wall clock, written from billing-rules.md ("Periods") alone."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Zone = ZoneInfo
NEVER = datetime(2100, 1, 1)  # noqa: DTZ001 - on the tenant's wall clock


def shown(at: datetime, zone: Zone) -> datetime:
    """What the tenant's clock shows, without a zone."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def instant(wall: datetime, zone: Zone) -> datetime:
    """A skipped time is moved past the gap, one that comes twice is the first."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def plus_months(at: datetime, months: int, zone: Zone) -> datetime:
    """Same day of month and time of day; a day that the month lacks is its last one."""
    wall = shown(at, zone)
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    day = min(wall.day, calendar.monthrange(year, month + 1)[1])
    return instant(wall.replace(year=year, month=month + 1, day=day), zone)


def plus_days(at: datetime, days: int, zone: Zone) -> datetime:
    return instant(shown(at, zone) + timedelta(days=days), zone)


def end_of_days(at: datetime, days: int, zone: Zone) -> datetime:
    """24:00 of the ``days``-th day, the present one being the first."""
    return instant(datetime.combine(shown(at, zone).date() + timedelta(days=days), time()), zone)


def end_of_months(at: datetime, months: int, zone: Zone) -> datetime:
    """24:00 of the last day of the ``months``-th month, the present one being the first."""
    first = shown(at, zone).date().replace(day=1)
    return plus_months(instant(datetime.combine(first, time()), zone), months, zone)


def with_hour(expiry: datetime, hour: int | None, now: datetime, zone: Zone) -> datetime:
    """G5: only the hour is replaced, and never so that the expiry would lie before now."""
    if hour is None:
        return expiry
    moved = instant(shown(expiry, zone).replace(hour=hour), zone)
    return expiry if moved < now else moved


def day_of(at: datetime, zone: Zone) -> date:
    return shown(at, zone).date()


def never(zone: Zone) -> datetime:
    return instant(NEVER, zone)
