"""Edges of weekly windows, over midnight and where the clock is changed (PLN-7)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.access.rules import in_windows
from tenants.access.rules_windows import closes_at, edges_after, local_minute, next_edge
from tests.fixtures.local_time import BERLIN, SHANGHAI, at

WEEKDAYS = {"days": 0b0011111, "starts": 8 * 60, "ends": 18 * 60}
NIGHTS = {"days": 127, "starts": 22 * 60, "ends": 6 * 60}


@pytest.mark.parametrize(
    ("windows", "now", "edge"),
    [
        ([WEEKDAYS], "2026-11-20 07:59", "2026-11-20 08:00"),  # a Friday
        ([WEEKDAYS], "2026-11-20 08:00", "2026-11-20 18:00"),  # the edge itself is behind us
        ([WEEKDAYS], "2026-11-20 18:00", "2026-11-23 08:00"),  # over the weekend
        ([NIGHTS], "2026-11-20 23:00", "2026-11-21 06:00"),
        ([NIGHTS], "2026-11-20 05:00", "2026-11-20 06:00"),  # began yesterday
        ([WEEKDAYS, NIGHTS], "2026-11-20 19:00", "2026-11-20 22:00"),
        ([{"days": 1, "starts": 600, "ends": 600}], "2026-11-23 10:00", "2026-11-24 10:00"),  # 24 hours
    ],
)
def test_the_next_edge(windows: list[dict[str, int]], now: str, edge: str) -> None:
    assert next_edge(windows, at(now), SHANGHAI) == at(edge)


def test_no_windows_no_edge() -> None:
    assert next_edge([], at("2026-11-20 08:00"), SHANGHAI) is None


def test_a_clock_that_is_changed() -> None:
    window = {"days": 127, "starts": 150, "ends": 300}  # 02:30 to 05:00
    # On 2026-03-29 Berlin goes from 02:00 to 03:00: 02:30 does not exist; it means 01:30 UTC, half an hour later.
    assert next_edge([window], at("2026-03-29 00:00", BERLIN), BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    # On 2026-10-25 there are two 02:30; the first one counts.
    assert next_edge([window], at("2026-10-25 00:00", BERLIN), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_login_lasts_until_the_last_of_joined_windows_closes() -> None:
    joined = [{"days": 127, "starts": 480, "ends": 720}, {"days": 127, "starts": 720, "ends": 1080}]
    assert closes_at(joined, at("2026-11-20 09:00"), SHANGHAI) == at("2026-11-20 18:00")
    assert closes_at([{**NIGHTS, "profile_id": -3}], at("2026-11-20 09:00"), SHANGHAI) is None  # only a rate
    whole_day = [WEEKDAYS, {"days": 127, "starts": 0, "ends": 0}]
    assert closes_at(whole_day, at("2026-11-20 09:00"), SHANGHAI) is None  # never


@given(
    st.lists(
        st.fixed_dictionaries(
            {"days": st.integers(1, 127), "starts": st.integers(0, 1439), "ends": st.integers(0, 1439)}
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 365 * 24 * 3600),
)
def test_between_two_edges_nothing_changes(windows: list[dict[str, int]], seconds: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    edges = list(edges_after(windows, now, SHANGHAI))
    assert edges == sorted(edges)
    allowed = in_windows(windows, *local_minute(now, SHANGHAI))
    last = datetime.fromtimestamp(edges[0].timestamp() - 1, UTC)
    if last > now:
        assert in_windows(windows, *local_minute(last, SHANGHAI)) == allowed
