"""The day that usage is counted to, in the provider's time zone, also where the clock is changed (RAD-4)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from radius_cluster.routing.local_day import day_numbers

EPOCH = datetime(1970, 1, 1).date()  # noqa: DTZ001  a date


@pytest.mark.parametrize(
    ("zone", "changed"),
    [
        ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"), ("America/Havana", "2026-03-08"),
        ("America/Havana", "2026-11-01"), ("Asia/Beirut", "2026-03-29"), ("Asia/Beirut", "2026-10-25"),
        ("Australia/Lord_Howe", "2026-04-05"), ("Antarctica/Troll", "2026-03-29"), ("Antarctica/Troll", "2026-10-25"),
        ("Pacific/Apia", "2011-12-30"), ("Asia/Shanghai", "2026-12-31"), ("Asia/Kathmandu", "2028-02-29"),
    ],
)  # fmt: skip
def test_every_quarter_of_an_hour_belongs_to_its_day_in_whatever_order_they_come(zone: str, changed: str) -> None:
    there, number = day_numbers(zone)
    assert there == ZoneInfo(zone)
    noon = datetime.fromisoformat(f"{changed}T12:00").replace(tzinfo=there)
    instants = [noon.timestamp() + 900 * quarter for quarter in range(-4 * 60, 4 * 60)]
    for at in (*instants, *reversed(instants), *instants[::7], *instants[::-5]):
        local = datetime.fromtimestamp(at, there)
        assert EPOCH + timedelta(days=number(at)) == local.date(), local


def test_a_zone_that_nobody_knows_is_utc() -> None:
    there, number = day_numbers("Nowhere/At all")
    assert str(there) == "UTC"
    assert [number(at) for at in (0.0, 86_399.9, 86_400.0)] == [0, 0, 1]
