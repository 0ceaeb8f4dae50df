"""The decision of radius.md: each reason, their order, and the instants at the edge (RAD-3)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.access import rules
from tenants.access.reasons import CODES, REASONS
from tenants.access.rules import decide, in_windows, is_over, may_connect_until, session_seconds, window_profile

NOW = 1_700_000_000.0
MAC = "aa:bb:cc:dd:ee:ff"
FINE: dict[str, Any] = {
    "state": rules.STATE_ACTIVE,
    "activated": True,
    "valid_until": NOW + 3600,
    "in_arrears": False,
    "now": NOW,
    "place_allowed": True,
    "bind_mac": "",
    "mac": MAC,
    "bind_port": "",
    "port": "eth 1/2:100",
    "quota_used_up": False,
    "in_window": True,
    "open_sessions": 0,
    "max_sessions": 1,
    "drop_oldest": False,
}

CASES = [
    ({}, rules.OK),
    ({"state": rules.STATE_DISABLED}, rules.DISABLED),
    ({"state": 99}, rules.DISABLED),
    ({"state": rules.STATE_HELD}, rules.HELD),
    ({"place_allowed": False}, rules.WRONG_NAS),
    ({"bind_mac": MAC}, rules.OK),
    ({"bind_mac": "00:00:00:00:00:01"}, rules.BINDING),
    ({"bind_mac": MAC, "mac": ""}, rules.BINDING),
    ({"bind_mac": rules.LEARN}, rules.OK),
    ({"bind_port": "eth 1/2:100"}, rules.OK),
    ({"bind_port": "eth 9/9:1"}, rules.BINDING),
    ({"bind_port": rules.LEARN}, rules.OK),
    # An account that expires at this very instant is over; a microsecond before it is not.
    ({"valid_until": NOW}, rules.EXPIRED),
    ({"valid_until": NOW + 0.000001}, rules.OK),
    ({"valid_until": NOW - 0.000001}, rules.EXPIRED),
    ({"valid_until": NOW - 1, "in_arrears": True}, rules.ARREARS),
    ({"valid_until": NOW + 1, "in_arrears": True}, rules.OK),
    # Before the first login no expiry counts (SUB-3).
    ({"valid_until": NOW - 1, "activated": False}, rules.OK),
    ({"quota_used_up": True}, rules.QUOTA),
    ({"in_window": False}, rules.OUTSIDE_WINDOW),
    ({"open_sessions": 1}, rules.TOO_MANY_SESSIONS),
    ({"open_sessions": 1, "max_sessions": 2}, rules.OK),
    ({"open_sessions": 3, "max_sessions": 2}, rules.TOO_MANY_SESSIONS),
    ({"open_sessions": 1, "drop_oldest": True}, rules.OK),
    ({"open_sessions": 500, "max_sessions": 0}, rules.OK),
]


@pytest.mark.parametrize(("difference", "expected"), CASES)
def test_each_reason(difference: dict[str, Any], expected: int) -> None:
    assert decide(*(FINE | difference).values()) == expected


ORDER = [
    ({"state": rules.STATE_HELD}, rules.HELD),
    ({"place_allowed": False}, rules.WRONG_NAS),
    ({"bind_mac": "00:00:00:00:00:01"}, rules.BINDING),
    ({"valid_until": NOW}, rules.EXPIRED),
    ({"quota_used_up": True}, rules.QUOTA),
    ({"in_window": False}, rules.OUTSIDE_WINDOW),
    ({"open_sessions": 1}, rules.TOO_MANY_SESSIONS),
]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_order_of_radius_md(first: int) -> None:
    everything_wrong_from_here_on: dict[str, Any] = {}
    for difference, _ in ORDER[first:]:
        everything_wrong_from_here_on |= difference
    assert decide(*(FINE | everything_wrong_from_here_on).values()) == ORDER[first][1]


def test_every_reason_is_explained() -> None:
    assert len(CODES) == rules.TOO_MANY_SESSIONS + 1
    for code in CODES[1:]:
        reason = REASONS[code]
        assert reason.message.endswith(".")
        assert reason.remedy.endswith(".")
        assert len(reason.reply.encode()) <= 253


NIGHT = {"days": 0b0000001, "starts": 22 * 60, "ends": 6 * 60}  # begins on Mondays
WORK = {"days": 0b0011111, "starts": 8 * 60, "ends": 18 * 60}


@pytest.mark.parametrize(
    ("windows", "weekday", "minute", "expected"),
    [
        ([], 6, 0, True),
        ([WORK], 0, 8 * 60, True),
        ([WORK], 0, 8 * 60 - 1, False),
        ([WORK], 4, 18 * 60 - 1, True),
        ([WORK], 4, 18 * 60, False),  # the end is exclusive
        ([WORK], 5, 12 * 60, False),
        ([NIGHT], 0, 23 * 60, True),
        ([NIGHT], 1, 5 * 60 + 59, True),  # Tuesday morning still belongs to Monday's night
        ([NIGHT], 1, 6 * 60, False),
        ([NIGHT], 0, 60, False),  # Monday's first hour belongs to Sunday's night
        ([NIGHT | {"days": 0b1000000}], 0, 60, True),  # a night that begins on Sunday ends on Monday
        ([WORK, NIGHT], 0, 23 * 60, True),
        ([NIGHT | {"profile_id": -3}], 3, 12 * 60, True),  # a rate window limits nobody
        ([NIGHT | {"profile_id": -3}, WORK], 5, 12 * 60, False),  # nor does it lift the limit of those after it
        ([NIGHT | {"profile_id": -3}, WORK], 0, 12 * 60, True),
    ],
)
def test_windows(windows: list[dict[str, int]], weekday: int, minute: int, expected: bool) -> None:
    assert in_windows(windows, weekday, minute) is expected


def test_rate_windows() -> None:
    windows = [WORK, NIGHT | {"profile_id": -3}, WORK | {"profile_id": -4}]
    assert window_profile(windows, 0, 23 * 60) == -3
    assert window_profile(windows, 1, 12 * 60) == -4
    assert window_profile(windows, 6, 12 * 60) is None


@pytest.mark.parametrize(
    ("left", "longest", "renews", "expected"),
    [
        (3600.0, 86400, False, 3600.0),
        (10**9, 86400, False, 86400),
        (3600.0, 86400, True, 86400),  # the renewal at the expiry does not interrupt him
        (-5.0, 86400, True, 86400),  # it is late by five seconds: he has the money
    ],
)
def test_session_timeout(left: float, longest: int, renews: bool, expected: float) -> None:
    assert session_seconds(NOW + left, NOW, longest, renews) == expected


def test_a_late_renewal_refuses_nobody_who_has_the_money() -> None:
    assert may_connect_until(NOW, False) == NOW
    assert may_connect_until(NOW, True) == NOW + 900


@given(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 127), st.integers(0, 1439), st.integers(0, 1439))
def test_a_window_and_its_complement_cover_each_minute_once(
    weekday: int, minute: int, days: int, starts: int, ends: int
) -> None:
    if starts == ends:
        return  # 24 hours
    every_day = {"days": 127, "starts": starts, "ends": ends}
    complement = {"days": 127, "starts": ends, "ends": starts}
    assert in_windows([every_day], weekday, minute) != in_windows([complement], weekday, minute)


@pytest.mark.parametrize("renews", [False, True])
@pytest.mark.parametrize("left", [-901, -900, -899, -0.000001, 0, 0.000001, 5])
def test_the_short_way_of_ordinary_accounts_says_the_same(left: float, renews: bool) -> None:
    ordinary = FINE | {"valid_until": may_connect_until(NOW + left, renews)}
    assert decide(*ordinary.values()) == (rules.EXPIRED if is_over(NOW + left, renews, NOW) else rules.OK)
