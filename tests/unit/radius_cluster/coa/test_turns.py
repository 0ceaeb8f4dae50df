"""No router has more in hand than it takes in a moment; the rest comes again in order."""

import pytest

from radius_cluster.coa.turns import Turns


def taken(turns: Turns, rate: float, wishes: int = 5_000) -> int:
    """How many are in hand of so many."""
    for number in range(wishes):
        if turns.wait(7, rate, 100.0):
            return number
        turns.take(7)
    return wishes


@pytest.mark.parametrize(("rate", "most"), [(1.0, 10), (5.0, 10), (50.0, 100), (500.0, 1_000), (10_000.0, 1_000)])
def test_what_a_router_takes_in_two_seconds_is_in_hand(rate: float, most: int) -> None:
    turns = Turns()
    assert taken(turns, rate) == most
    assert turns.wait(8, rate, 100.0) == 0.0  # another one's
    turns.ended(7)
    assert turns.wait(7, rate, 100.0) == 0.0


def test_the_others_come_again_one_after_the_other_at_its_pace() -> None:
    turns = Turns()
    taken(turns, 2.0)  # and one that was not, which comes after 1.5 s
    waits = [turns.wait(7, 2.0, 100.0) for _ in range(4)]
    assert waits == [2.0, 2.5, 3.0, 3.5]
    assert turns.wait(7, 2.0, 102.0) == 2.0  # behind those
    assert turns.wait(7, 2.0, 200.0) == 1.5


def test_nothing_waits_for_long_before_it_is_looked_at_again_and_the_order_stays() -> None:
    turns = Turns()
    taken(turns, 1.0)
    waits = [turns.wait(7, 1.0, 100.0) for _ in range(1_000)]
    assert waits == sorted(set(waits))
    assert 30.0 < waits[-1] < 33.0


def test_nothing_is_kept_of_routers_that_were_asked() -> None:
    turns = Turns()
    for _ in range(taken(turns, 1.0)):
        turns.ended(7)
    assert (turns._in_hand, turns._free_at) == ({}, {})
