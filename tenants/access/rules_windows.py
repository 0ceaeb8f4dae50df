"""When the weekly windows of a plan group change what is allowed or how fast it is (PLN-7). Pure.

Windows are wall-clock times of the tenant's zone, as ``aaa.profile.windows`` holds them (minutes; see ``rules``). Where
the clock is put forward a skipped time means the instant of the change; a time that comes twice means the first.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tenants.access.rules import in_windows

Windows = Sequence[dict[str, Any]]
_DAYS_AHEAD = 8  # a weekly pattern has shown all it has by then


def local_minute(at: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """(weekday with Monday 0, minute of the day) on the tenant's wall clock."""
    local = at.astimezone(zone)
    return local.weekday(), local.hour * 60 + local.minute


def edges_after(windows: Windows, at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants after ``at`` at which a window begins or ends, in order, for a week; none without windows."""
    first = at.astimezone(zone).date()
    found: set[datetime] = set()
    for offset in range(-1, _DAYS_AHEAD + 1):
        day = first + timedelta(days=offset)
        for window in windows:
            if window["days"] >> day.weekday() & 1:
                starts, ends = window["starts"], window["ends"]
                found.add(_instant(day.toordinal(), starts, zone))
                found.add(_instant(day.toordinal() + (0 if starts < ends else 1), ends, zone))
    yield from sorted(instant for instant in found if instant > at)


def next_edge(windows: Windows, at: datetime, zone: ZoneInfo) -> datetime | None:
    """When the group must be looked at again; None without windows."""
    return next(edges_after(windows, at, zone), None)


def closes_at(windows: Windows, at: datetime, zone: ZoneInfo) -> datetime | None:
    """When a login of now has to end because the last allowing window closes; None when none ever does."""
    for edge in edges_after(windows, at, zone):
        if not in_windows(list(windows), *local_minute(edge, zone)):
            return edge
    return None


def _instant(ordinal: int, minute: int, zone: ZoneInfo) -> datetime:
    wall = datetime.combine(date.fromordinal(ordinal), time(minute // 60, minute % 60), zone)
    return wall.astimezone(UTC)
