"""Where a router is, as several processes tell it; and two routers that have one identifier (NET-2)."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from infra.settings import Settings
from radius_cluster.listen.database import connect
from radius_cluster.report import Reporter
from tests.fixtures.radius import World

START = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
HOME, AWAY, THIRD = "198.51.100.7", "203.0.113.9", "2001:db8::5"
Hear = Callable[..., None]


class Heard:
    """What the report reads of a NAS."""

    def __init__(self, nas_id: int) -> None:
        self.id, self.heard, self.last_at, self.saved_at = nas_id, False, 0.0, 0.0
        self.last_source: tuple[str, int] = ("", 0)
        self.saved_source: tuple[str, int] = ("", 0)


@pytest.fixture
def nas_id(world: World) -> int:
    return world.nas(world.tenant())[0]


@pytest.fixture
def hear(settings: Settings, nas_id: int) -> Hear:
    """``hear(process, seconds, address)``: that process hears the router, and reports; without an address it only
    reports what it heard before."""
    processes: dict[int, tuple[Heard, Reporter]] = {}

    def hear(process: int, seconds: float, address: str = "") -> None:
        if process not in processes:
            nas = Heard(nas_id)
            directory: Any = SimpleNamespace(nas={nas_id: nas})
            counters: Any = SimpleNamespace(seen=[])
            processes[process] = nas, Reporter({}, directory, counters, START)
        nas, reporter = processes[process]
        if address:
            nas.heard, nas.last_source = True, (address, 49_152)

        async def report() -> None:
            connection = await connect(settings.database_url, "test")
            try:
                await reporter._save_nas(connection, START + seconds)
            finally:
                await connection.close()

        asyncio.run(report())

    return hear


def seen(world: World, nas_id: int) -> tuple[str, int, float | None]:
    """(where it was heard last, how often it came back, when)"""
    [(source, returns, at)] = world.query(
        "SELECT last_source, returns, date_part('epoch', returned_at) FROM registry.nas WHERE id = %s", nas_id
    )
    return source.rpartition(":")[0], returns, None if at is None else at - START


def test_what_a_process_heard_before_another_says_nothing_of_where_it_is(world: World, nas_id: int, hear: Hear) -> None:
    """Disconnects went to the old address of a router that had dialled again, for up to half a minute."""
    hear(1, 0, HOME)
    hear(1, 20, HOME)  # written later
    hear(2, 25, AWAY)
    hear(1, 31)
    assert seen(world, nas_id) == (AWAY, 0, None)
    hear(2, 60, AWAY)
    assert seen(world, nas_id) == (AWAY, 0, None)


def test_an_address_that_changes_is_no_copy(world: World, nas_id: int, hear: Hear) -> None:
    for number in range(40):
        hear(1 + number % 3, number * 45, f"198.51.100.{number}")
    assert seen(world, nas_id)[1] == 0
    [(others,)] = world.query("SELECT other_sources FROM registry.nas WHERE id = %s", nas_id)
    assert sorted(others) == [f"198.51.100.{number}" for number in range(31, 39)]  # a few of the last minutes


def test_a_line_that_fails_and_comes_back_is_no_copy(world: World, nas_id: int, hear: Hear) -> None:
    hear(1, 0, HOME)
    hear(1, 100, AWAY)
    hear(1, 200, HOME)
    assert seen(world, nas_id) == (HOME, 1, 200)
    for day in range(1, 6):  # and again on other days
        hear(1, day * 86_400, AWAY)
        hear(1, day * 86_400 + 300, HOME)
        hear(1, day * 86_400 + 901 + 300, AWAY)
    assert seen(world, nas_id)[1] == 1


@pytest.mark.parametrize(("processes", "every"), [(1, 1), (1, 280), (2, 40), (2, 280)])
def test_two_routers_of_one_identifier(world: World, nas_id: int, hear: Hear, processes: int, every: int) -> None:
    """Each may be heard by a process of its own, or both by the same."""
    for number in range(6):
        hear(number % 2 % processes, number * every, (HOME, AWAY)[number % 2])
    assert seen(world, nas_id) == (AWAY, 4, 5 * every)


def test_three_routers_of_one_identifier(world: World, nas_id: int, hear: Hear) -> None:
    for number in range(9):
        hear(1, number * 60, (HOME, AWAY, THIRD)[number % 3])
    assert seen(world, nas_id) == (THIRD, 6, 480)
