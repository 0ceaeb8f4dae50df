"""A database that takes a statement and never answers it: whoever works beside the packet path begins anew (RAD-10)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from radius_cluster.coa import engine as coa
from radius_cluster.coa.engine import Engine
from radius_cluster.counters import Counters
from radius_cluster.listen import stay_connected as background
from radius_cluster.routing.directory import Directory
from tests.fixtures.busy_machine import limit
from tests.fixtures.coa_listener import states, wish
from tests.fixtures.radius import World


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (coa, background):
        monkeypatch.setattr(module, "LONGEST_IN_BACKGROUND_SECONDS", 0.2)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(limit(20)):
        while not condition():
            await asyncio.sleep(0.02)


def test_what_keeps_a_connection_gets_another_one(database_url: str) -> None:
    served: list[int] = []

    async def serve(connection: Any) -> None:
        served.append(connection.get_server_pid())
        await connection.fetchval("SELECT pg_sleep(600)")

    async def story() -> None:
        keeping: Awaitable[None] = background.stay_connected(database_url, "test", serve, "away")
        task = asyncio.ensure_future(keeping)
        await until(lambda: len(served) == 2)
        task.cancel()

    asyncio.run(story())
    assert len(set(served)) == 2


def test_disconnects_go_on_by_another_connection(world: World, database_url: str) -> None:
    tenant = world.tenant()
    wish(world, tenant.id, 1, "s1", "alice")
    ours = "SELECT pid FROM pg_stat_activity WHERE application_name = 'broadloom coa main'"

    async def story() -> None:
        engine = Engine({"main": database_url}, "main", Directory(), Counters())
        with psycopg.connect(database_url) as locking:
            locking.execute("LOCK TABLE work.outbox IN ACCESS EXCLUSIVE MODE")
            serving = asyncio.create_task(engine.serve_cell("main"))
            await until(lambda: world.query(ours))
            first = world.query(ours)
            await until(lambda: world.query(ours) and world.query(ours) != first)
        await until(lambda: states(world, tenant.id)["s1"] == ("refused", "unknown_nas"))
        engine.stop()
        await serving

    asyncio.run(story())
