"""Calendar arithmetic: month ends, leap days, clock changes, natural days, the unified hour (G5)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.kernel.period import (
    Period,
    add_days,
    add_months,
    add_period,
    end_of_day,
    end_of_month,
    is_never,
    never,
    unify_hour,
    whole_days_between,
)  # fmt: skip
from tests.fixtures.local_time import BERLIN, SHANGHAI, at, show

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2015-01-31 10:00:00", 1, "2015-02-28 10:00:00"),  # clamped
        ("2016-01-31 10:00:00", 1, "2016-02-29 10:00:00"),  # leap year
        ("2015-01-31 10:00:00", 3, "2015-04-30 10:00:00"),  # in one step, not via February
        ("2016-02-29 00:00:00", 12, "2017-02-28 00:00:00"),
        ("2016-02-29 00:00:00", 48, "2020-02-29 00:00:00"),
        ("2015-12-31 23:59:59", 2, "2016-02-29 23:59:59"),
        ("2015-04-15 11:43:12", 1, "2015-05-15 11:43:12"),
        ("2000-01-30 01:02:03", 1, "2000-02-29 01:02:03"),
        ("2100-01-30 01:02:03", 1, "2100-02-28 01:02:03"),  # 2100 is no leap year
    ],
)
def test_months_keep_day_and_time(start: str, months: int, end: str) -> None:
    assert show(add_months(at(start), months, SHANGHAI)) == end


def test_months_and_days_keep_the_wall_clock_over_a_clock_change() -> None:
    start = at("2026-03-28 12:00:00", BERLIN)  # the clock goes forward on 29 March
    assert show(add_days(start, 1, BERLIN), BERLIN) == "2026-03-29 12:00:00"
    assert add_days(start, 1, BERLIN) - start == timedelta(hours=23)
    autumn = at("2026-10-24 12:00:00", BERLIN)
    assert add_days(autumn, 1, BERLIN) - autumn == timedelta(hours=25)
    assert show(add_months(at("2026-02-28 02:30:00", BERLIN), 1, BERLIN), BERLIN) == "2026-03-28 02:30:00"


def test_a_time_that_the_clock_skips_moves_past_the_gap() -> None:
    assert show(add_days(at("2026-03-28 02:30:00", BERLIN), 1, BERLIN), BERLIN) == "2026-03-29 03:30:00"


def test_a_time_that_comes_twice_is_the_first() -> None:
    ends = add_days(at("2026-10-24 02:30:00", BERLIN), 1, BERLIN)
    assert ends == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after"),
    [("2015-05-01 12:10:00", "2015-05-01 16:10:00"), ("2015-06-08 03:22:12", "2015-06-08 16:22:12")],
)
def test_G5_only_the_hour_is_replaced(before: str, after: str) -> None:
    assert show(unify_hour(at(before), 16, at("2015-01-01 00:00:00"), SHANGHAI)) == after


def test_the_unified_hour_never_moves_an_expiry_before_now() -> None:
    expiry = at("2015-05-01 20:10:00")
    assert unify_hour(expiry, 16, at("2015-05-01 16:10:01"), SHANGHAI) == expiry
    assert show(unify_hour(expiry, 16, at("2015-05-01 16:10:00"), SHANGHAI)) == "2015-05-01 16:10:00"
    assert unify_hour(never(SHANGHAI), 16, expiry, SHANGHAI) == never(SHANGHAI)
    assert unify_hour(expiry, None, expiry, SHANGHAI) == expiry


def test_natural_day_and_month_end_at_midnight_of_the_tenant() -> None:
    assert show(end_of_day(at("2015-05-01 00:00:00"), SHANGHAI)) == "2015-05-02 00:00:00"
    assert show(end_of_day(at("2015-05-01 23:59:59"), SHANGHAI, 2)) == "2015-05-03 00:00:00"
    assert show(end_of_month(at("2016-02-01 00:00:00"), SHANGHAI)) == "2016-03-01 00:00:00"
    assert show(end_of_month(at("2015-12-31 23:59:59"), SHANGHAI)) == "2016-01-01 00:00:00"
    # The day of the clock change has 23 hours and still ends at 24:00.
    assert end_of_day(at("2026-03-29 00:00:00", BERLIN), BERLIN) - at("2026-03-29 00:00:00", BERLIN) == timedelta(
        hours=23
    )


def test_never_is_2100_in_the_tenants_zone() -> None:
    assert show(never(SHANGHAI)) == "2100-01-01 00:00:00"
    assert show(never(NEW_YORK), NEW_YORK) == "2100-01-01 00:00:00"
    assert is_never(add_period(at("2099-12-31 00:00:00"), Period("months", 12), 1, SHANGHAI), SHANGHAI)
    assert add_period(at("2015-01-01 00:00:00"), Period("none"), 1, SHANGHAI) == never(SHANGHAI)


def test_whole_days_left_are_floored() -> None:
    now = at("2015-04-15 11:35:31")
    assert whole_days_between(now, at("2015-05-15 11:43:12")) == 30  # 30 d 0 h 7 m 41 s
    assert whole_days_between(now, at("2015-04-16 11:35:30")) == 0
    assert whole_days_between(now, at("2015-04-01 00:00:00")) == 0


_FIRST, _LAST = datetime.fromisoformat("2001-01-01"), datetime.fromisoformat("2060-01-01")
INSTANTS = st.datetimes(_FIRST, _LAST).map(lambda d: d.replace(tzinfo=UTC, microsecond=0))
ZONES = st.sampled_from([SHANGHAI, BERLIN, NEW_YORK, ZoneInfo("Asia/Kathmandu")])


@given(INSTANTS, st.integers(1, 120), ZONES)
def test_more_months_never_end_earlier(start: datetime, months: int, zone: ZoneInfo) -> None:
    ends = add_months(start, months, zone)
    assert start < ends <= add_months(start, months + 1, zone)
    assert ends.astimezone(zone).day <= start.astimezone(zone).day + 1  # + 1: a gap at midnight


@given(INSTANTS, st.integers(1, 12), ZONES)
def test_a_quarter_is_three_months_in_one_step(start: datetime, quantity: int, zone: ZoneInfo) -> None:
    assert add_period(start, Period("months", 3), quantity, zone) == add_months(start, 3 * quantity, zone)


@given(INSTANTS, INSTANTS, st.integers(0, 23), ZONES)
def test_unified_hours_change_the_hour_or_nothing(expiry: datetime, now: datetime, hour: int, zone: ZoneInfo) -> None:
    moved = unify_hour(expiry, hour, now, zone)
    assert moved == expiry or moved >= now
    assert abs(moved - expiry) <= timedelta(hours=24)
    assert moved.second == expiry.second
