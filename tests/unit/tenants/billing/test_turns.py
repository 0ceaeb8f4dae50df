"""Units of work of one process take turns, whatever their tenants; none that hangs keeps the others waiting."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from unittest import mock

import pytest

from tenants.billing import turns
from tenants.billing.turns import Turns

FAR = 3600.0
WAIT_SECONDS = 30


def waits_for_turn(all_turns: Turns, how_many: int) -> None:
    bell = threading.Event()
    for _ in range(3000):
        if len(all_turns._waiting) == how_many:
            return
        bell.wait(0.01)
    raise AssertionError("they do not wait")


def queue_up(pool: ThreadPoolExecutor, all_turns: Turns, names: str, then: Callable[[str], None]) -> list[Future[None]]:
    """Each asks for a turn after the one before him."""

    def go(name: str) -> None:
        with all_turns.turn():
            then(name)

    results = []
    for place, name in enumerate(names, start=1):
        results.append(pool.submit(go, name))
        waits_for_turn(all_turns, place)
    return results


@mock.patch.object(turns, "_COUNTS_SECONDS", FAR)
def test_turns_come_one_after_the_other_in_the_order_asked_for() -> None:
    one_by_one, seen, inside = Turns(1), [], []

    def note(name: str) -> None:
        inside.append(name)
        seen.append((name, len(inside)))
        inside.remove(name)

    with ThreadPoolExecutor(4) as pool:
        with one_by_one.turn():
            results = queue_up(pool, one_by_one, "abcd", note)
            assert seen == []
        for result in results:
            result.result(WAIT_SECONDS)
    assert seen == [("a", 1), ("b", 1), ("c", 1), ("d", 1)]


@mock.patch.object(turns, "_COUNTS_SECONDS", FAR)
def test_who_is_alone_has_his_turn_at_once_and_may_end_it_early() -> None:
    one_by_one = Turns(1)
    with one_by_one.turn() as end:
        end()
        with one_by_one.turn():  # would wait for ever
            pass
        end()  # ends nobody else's
    assert not one_by_one._under_way


@mock.patch.object(turns, "_COUNTS_SECONDS", 0.01)
def test_one_that_hangs_soon_keeps_nobody_waiting() -> None:
    one_by_one, seen = Turns(1), []
    with one_by_one.turn(), ThreadPoolExecutor(1) as pool:
        pool.submit(one_by_one.turn().__enter__).result(WAIT_SECONDS)  # waits a hundredth of a second
        seen.append("next")
    assert seen == ["next"]


@mock.patch.object(turns, "_COUNTS_SECONDS", FAR)
def test_who_is_interrupted_while_he_waits_loses_his_place() -> None:
    one_by_one = Turns(1)
    with one_by_one.turn():
        with (
            mock.patch.object(turns, "_COUNTS_SECONDS", 0.0),
            mock.patch.object(one_by_one, "_go_on", side_effect=[None, KeyboardInterrupt, None]),
            pytest.raises(KeyboardInterrupt),
            one_by_one.turn(),
        ):
            raise AssertionError("it is not his turn")
        assert not one_by_one._waiting
    with one_by_one.turn():
        pass
