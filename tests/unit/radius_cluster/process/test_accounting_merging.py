"""Reports that wait for one commit are merged by session, and never where their order says something (RAD-4)."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_cluster.process.accounting_batches import CLOSE, Replay, add, largest_segment, parts_of
from radius_cluster.process.accounting_record import (
    DAY,
    KEY,
    OCTETS_IN,
    OCTETS_OUT,
    SECONDS,
    Row,
    _prefix6,
    merged,
    row_of,
)
from radius_cluster.wire.codes import ACCT_INTERIM, ACCT_START, ACCT_STOP

DETAILS = ("02:00:00:00:00:01", None, 7, None, None, None, None)


def row(kind: int, at: float, counters: int = 0, session: str = "s1") -> Row:
    return (1, 1, session, "alice", kind, at, counters, counters, counters, 0, 0, None, 20_000, 0, *DETAILS)


def test_of_two_interims_the_later_says_all() -> None:
    old, new = row(ACCT_INTERIM, 100.0, 5), row(ACCT_INTERIM, 160.0, 6)
    assert merged(old, new) == new
    assert merged(old, row(ACCT_INTERIM, 160.0, 5)) == row(ACCT_INTERIM, 160.0, 5)  # nothing was used meanwhile


def test_an_address_that_only_the_earlier_of_two_reports_told_is_kept() -> None:
    told = list(row(ACCT_INTERIM, 100.0, 5))
    told[11], told[19:21] = 1681915904, ["2001:db8::/64", "2001:db8:ab::/56"]
    later = list(row(ACCT_INTERIM, 160.0, 6))
    assert merged(tuple(told), tuple(later)) == (*later[:11], told[11], *later[12:19], *told[19:21])
    later[11], later[19] = 1681915905, "2001:db8:1::/64"
    together = merged(tuple(told), tuple(later))
    assert together == (*later[:20], told[20])


@pytest.mark.parametrize("column", [SECONDS, OCTETS_IN, OCTETS_OUT])
def test_a_counter_that_went_back_is_for_the_database_to_judge(column: int) -> None:
    new = list(row(ACCT_INTERIM, 160.0, 6))
    new[column] = 4
    assert merged(row(ACCT_INTERIM, 100.0, 5), tuple(new)) is None


def test_reports_of_another_kind_stay_apart() -> None:
    assert merged(row(ACCT_START, 100.0), row(ACCT_INTERIM, 160.0, 6)) is None
    assert merged(row(ACCT_INTERIM, 100.0, 6), row(ACCT_STOP, 160.0, 6)) is None


def test_what_was_used_before_midnight_is_not_counted_to_the_day_after() -> None:
    """A replay after an outage has both; a day's or a month's quota is counted by them (PLN-5)."""
    evening, morning = row(ACCT_INTERIM, 100.0, 5), row(ACCT_INTERIM, 160.0, 6)
    morning = (*morning[:DAY], evening[DAY] + 1, *morning[DAY + 1 :])
    assert merged(evening, morning) is None
    parts = parts_of(Replay([[list(evening)], [list(morning)]]))
    assert [[entry[0] for entry in part.values()] for part in parts if isinstance(part, dict)] == [[evening], [morning]]
    started = (*row(ACCT_START, 160.0)[:DAY], evening[DAY] + 1, *morning[DAY + 1 :])
    assert merged(row(ACCT_START, 100.0), started) == row(ACCT_START, 100.0)


def test_of_a_start_that_is_sent_again_the_first_says_when() -> None:
    assert merged(row(ACCT_START, 100.0), row(ACCT_START, 102.0)) == row(ACCT_START, 100.0)


def segments_of(*entries: Any) -> list[Any]:
    segments: list[Any] = []
    for entry in entries:
        if isinstance(entry, tuple):
            add(segments, [entry, f"request {entry[5]:.0f}"])
        else:
            segments.append(entry)
    return segments


def test_all_requests_of_a_merged_row_wait_for_its_answer() -> None:
    start, first, second = row(ACCT_START, 100.0), row(ACCT_INTERIM, 160.0, 5), row(ACCT_INTERIM, 220.0, 6)
    one, two = segments_of(start, row(ACCT_INTERIM, 110.0, 9, "s2"), first, second)
    assert one == {
        start[KEY]: [start, "request 100"], (1, 1, "s2", "alice"): [row(ACCT_INTERIM, 110.0, 9, "s2"), "request 110"],
    }  # fmt: skip
    assert two == {start[KEY]: [second, "request 160", "request 220"]}


def test_nothing_is_merged_past_an_accounting_on() -> None:
    restarted = SimpleNamespace()
    first, second = row(ACCT_INTERIM, 100.0, 5), row(ACCT_INTERIM, 160.0, 6)
    before, on, after = segments_of(first, restarted, second)
    assert (before[first[KEY]][0], on, after[first[KEY]][0]) == (first, restarted, second)


def test_a_batch_does_not_grow_without_end() -> None:
    segments: list[Any] = []
    for n in range(5):
        add(segments, [row(ACCT_START, 1.0, session=f"s{n}"), n], 2)
    assert [len(batch) for batch in segments] == [2, 2, 1]


def test_a_session_of_a_full_batch_still_has_its_reports_merged_there() -> None:
    segments: list[Any] = []
    for number, session in enumerate(("s1", "s2", "s2", "s1")):
        add(segments, [row(ACCT_INTERIM, 100.0 + number, number, session), number], 2)
    (batch,) = segments
    assert [entry[1:] for entry in batch.values()] == [[0, 3], [1, 2]]


def test_few_that_are_always_out_are_stored_in_two_equal_halves() -> None:
    """The database has one while the other is answered and read: 8 and 56 would stay 8 and 56, and both would wait."""
    segments: list[Any] = []
    sizes = []
    for out in (64, 100, 128):
        segments.clear()
        for n in range(out):
            add(segments, [row(ACCT_STOP, 1.0, session=f"s{n}"), n], largest_segment(out))
        sizes.append([len(batch) for batch in segments])
    assert sizes == [[32, 32], [50, 50], [64, 64]]


@given(st.integers(0, 60_000))
def test_a_batch_is_never_too_small_for_its_commit_nor_cut_where_it_is_large_anyhow(outstanding: int) -> None:
    largest = largest_segment(outstanding)
    assert 32 <= largest <= 256
    assert 2 * largest >= min(outstanding, 512)
    assert (largest == 256) == (outstanding > 128)


def test_a_replay_keeps_the_order_within_each_session_and_around_an_accounting_on() -> None:
    a = [row(ACCT_START, 1.0), row(ACCT_INTERIM, 2.0, 5), row(ACCT_INTERIM, 3.0, 6), row(ACCT_STOP, 4.0, 7)]
    b = [row(ACCT_START, 1.0, session="b"), row(ACCT_INTERIM, 9.0, 1, "b"), row(ACCT_INTERIM, 10.0, 0, "b")]
    on = [CLOSE, 1, 1, 5.0, 101]
    parts = parts_of(Replay([[list(a[0]), list(b[0])], [list(a[1])], [list(a[2]), list(b[1])], [list(a[3])], on,
                             [list(b[1])], [list(b[2])]]))  # fmt: skip
    rows = [part if isinstance(part, list) else [entry[0] for entry in part.values()] for part in parts]
    # the two interims became one; the session that came back after the On begins anew behind it
    assert rows == [[a[0], b[0]], [a[2], b[1]], [a[3]], on, [b[1]], [b[2]]]


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("0040 20010db800000001", "2001:db8:0:1::/64"),
        ("0038 fd00abcd", "fd00:abcd::/56"),  # shorter than 16 octets is filled with zeros
        ("0080 20010db8000000000000000000000007", "2001:db8::7/128"),
        ("0000", "::/0"),
        ("0081 20010db8000000000000000000000007", None),
        ("0080 20010db800000000000000000000000700", None),
        ("00", None),
    ],
)
def test_a_prefix_is_read_or_taken_for_none(octets: str, text: str | None) -> None:
    assert _prefix6(bytes.fromhex(octets)) == text


def fields(**more: Any) -> Row:
    """What is read of a Stop, in the order of ``accounting_record._FIELDS``."""
    values = {"kind": ACCT_STOP, "delay": None, "seconds": 60, "low_in": 1, "high_in": None, "low_out": 2,
              "high_out": None, "packets_in": None, "packets_out": None, "address": None, "cause": None, "port": None,
              "nas_address": None, "session": b"s1", "user": b"alice", "calling": None, "called": None, "port_id": None,
              "prefix": None, "delegated": None, "address6": None}  # fmt: skip
    assert set(more) <= set(values)
    return tuple((values | more).values())


def read(*, invert: bool = False, **more: Any) -> dict[str, Any]:
    """The row of a Stop that arrived at 1,000,000."""
    tenant = SimpleNamespace(id=1, day_number=lambda at: int(at // 86_400))
    nas = SimpleNamespace(id=1, tenant=tenant, invert=invert, dialect=SimpleNamespace(ipv6_octets=()))
    request: Any = SimpleNamespace(nas=nas, arrived=1_000_000.0, packet=SimpleNamespace(places={}))
    found = row_of(request, fields(**more))
    assert found is not None
    names = (
        "tenant nas session user kind at seconds octets_in octets_out packets_in packets_out ip day cause mac called"
    )
    return dict(zip([*names.split(), "port", "port_id", "nas_ip", "prefix", "delegated"], found, strict=True))


def test_it_happened_before_it_arrived_by_what_the_router_waited() -> None:
    assert read(delay=0)["at"] == 1_000_000.0
    late = read(delay=90_000)
    assert (late["at"], late["day"]) == (910_000.0, 10)  # the day of the event, not of the arrival
    assert read(delay=7 * 86_400)["at"] == 1_000_000.0 - 7 * 86_400
    assert read(delay=7 * 86_400 + 1)["at"] == 1_000_000.0  # a clock gone wrong


def test_gigawords_count_each_direction_by_itself() -> None:
    row = read(low_in=5, high_in=3, low_out=None, high_out=1)
    assert (row["octets_in"], row["octets_out"]) == (3 * 2**32 + 5, 2**32)
    assert read(low_in=5, high_in=1 << 24)["octets_in"] == (1 << 56) & 0xFFFFFFFF | 5  # no router has counted that
    turned = read(invert=True, low_in=5, high_in=3, low_out=7, packets_in=8, packets_out=9)
    assert (turned["octets_in"], turned["octets_out"]) == (7, 3 * 2**32 + 5)
    assert (turned["packets_in"], turned["packets_out"]) == (9, 8)


def test_why_a_session_ended_and_who_called_are_kept() -> None:
    row = read(cause=10, calling=b"10.1.2.3", called=b"pppoe1", port=7, port_id=b"ether2")
    assert (row["cause"], row["mac"], row["called"], row["port"], row["port_id"]) == (
        10,
        "10.1.2.3",
        "pppoe1",
        7,
        "ether2",
    )
    assert read(kind=ACCT_START, cause=10)["cause"] == 0
    assert read(calling=b"02-00-00-00-00-07")["mac"] == "02:00:00:00:00:07"
