"""The local date of an instant, for the time zones of tenants: shared by all that have the same one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH_ORDINAL = 719163  # date(1970, 1, 1).toordinal()

DayNumber = Callable[[float], int]


class _LocalDay:
    """Remembers the day of the last instant: nearly all packets are of today."""

    __slots__ = ("_begins", "_ends", "_number", "_zone")

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._number = 0
        self._begins = self._ends = 0.0

    def number(self, at: float) -> int:
        """The local date at this instant (seconds since 1970), as days since 1970."""
        if self._begins <= at < self._ends:
            return self._number
        local = datetime.fromtimestamp(at, self._zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        # The next midnight may be 23 hours away, somewhere 22; keep the answer only for the hours that surely belong to
        # the day.
        self._number, self._begins = local.date().toordinal() - _EPOCH_ORDINAL, midnight.timestamp()
        self._ends = min(self._begins + 82800, (midnight + timedelta(days=1)).timestamp())
        return self._number


@cache  # there are some hundred zones
def day_numbers(zone_name: str) -> tuple[ZoneInfo, DayNumber]:
    """The zone, and what gives the local date in it as days since 1970. A name that nobody knows is UTC's."""
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return zone, _LocalDay(zone).number
