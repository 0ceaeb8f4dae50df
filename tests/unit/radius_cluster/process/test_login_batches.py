"""When a login starts a batch of its own, and when it waits for the one under way (natural batching)."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from radius_cluster.counters import Counters
from radius_cluster.process.access_request import Logins


class _Lane:
    """Stands for an idle connection; counts how often it was woken."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> bool:
        self.woken += 1
        return True


@pytest.fixture
def logins() -> Logins:
    made = Logins("postgresql://nowhere", "main", Counters(), eap=None)  # type: ignore[arg-type]
    made.lanes = [_Lane()]  # type: ignore[list-item]
    return made


def woken_after(logins: Logins, requests: int) -> int:
    request: Any = SimpleNamespace(arrived=time.time())
    for _ in range(requests):
        logins.submit(request)
    lane: Any = logins.lanes[0]
    return int(lane.woken)


def test_the_first_login_waits_for_nothing(logins: Logins) -> None:
    assert woken_after(logins, 1) == 1


def test_those_that_arrive_with_it_join_its_batch(logins: Logins) -> None:
    assert woken_after(logins, 31) == 1


def test_who_comes_while_a_batch_is_under_way_waits_for_its_return(logins: Logins) -> None:
    logins._asked = 20
    assert woken_after(logins, 31) == 0


def test_enough_of_them_are_a_batch_of_their_own(logins: Logins) -> None:
    logins._asked = 20
    assert woken_after(logins, 32) == 1
    assert woken_after(logins, 32) == 2


def test_the_next_batch_is_as_large_as_what_is_under_way(logins: Logins) -> None:
    logins._asked = 90
    assert woken_after(logins, 95) == 0
    assert woken_after(logins, 1) == 1


def test_a_full_batch_waits_for_nothing(logins: Logins) -> None:
    logins._asked = 1_500
    assert woken_after(logins, 511) == 0
    assert woken_after(logins, 1) == 1


def test_a_lane_that_is_free_again_leaves_a_few_for_the_return_of_many(logins: Logins) -> None:
    logins._asked = 90
    woken_after(logins, 40)
    assert logins._take() is None
    logins._asked = 0
    batch = logins._take()
    assert batch is not None
    assert len(batch) == 40


def test_more_is_read_at_once_until_nearly_as_many_wait_as_are_under_way(logins: Logins) -> None:
    assert not logins.wants_more()
    logins._asked = 90
    woken_after(logins, 80)
    assert logins.wants_more()
    woken_after(logins, 1)
    assert not logins.wants_more()
