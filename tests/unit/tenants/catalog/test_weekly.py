"""Days and times as people write them (PLN-7)."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.catalog.errors import BadDays, BadTimeOfDay
from tenants.catalog.weekly import parse_days, parse_time_of_day, show_days


@pytest.mark.parametrize(
    ("text", "mask"),
    [("mon-fri", 31), ("sat,sun", 96), ("all", 127), ("Mon Wed", 5), ("fri-mon", 0b1110001), ("sun", 64)],
)
def test_days(text: str, mask: int) -> None:
    assert parse_days(text) == mask


@pytest.mark.parametrize("text", ["", "monday", "mon-", "mon-xyz", "1-5", "mon,,tue,"])
def test_no_days(text: str) -> None:
    with pytest.raises(BadDays):
        parse_days(text)


@given(st.integers(1, 127))
def test_shown_days_are_read_back(mask: int) -> None:
    assert parse_days(show_days(mask)) == mask


def test_times() -> None:
    assert parse_time_of_day("8:30", field="from") == time(8, 30)
    assert parse_time_of_day("24:00", field="to") == time(0)
    for text in ("", "8", "24:01", "12:60", "12.30", "-1:00"):
        with pytest.raises(BadTimeOfDay):
            parse_time_of_day(text, field="to")
