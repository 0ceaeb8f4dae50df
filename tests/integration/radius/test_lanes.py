"""Lanes to the database when something beside it fails: none ends for ever, none leaves connections behind."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
import uvloop

from radius_cluster.listen.database import Lane, connect, transport_of
from tests.fixtures.busy_machine import limit
from tests.fixtures.radius import World


def lane_of(
    url: str, name: str, prepare: Callable[[Any], Awaitable[Any]], take: Callable[[], str | None], done: list[str]
) -> Lane[str]:
    async def work(_prepared: Any, batch: str) -> None:
        done.append(batch)

    return Lane(url, name, prepare=prepare, take=take, work=work, give_back=lambda _batch: None)


def test_a_database_that_lacks_what_is_asked_of_it_is_not_filled_with_connections(
    world: World, database_url: str
) -> None:
    """Half an upgrade: each try would leave one behind, until nobody else got any."""
    tries = 0

    async def prepare(connection: Any) -> Any:
        nonlocal tries
        tries += 1
        return await connection.prepare("SELECT aaa.not_there_yet()" if tries < 5 else "SELECT 1")

    async def story() -> int:
        running = asyncio.create_task(lane_of(database_url, "half an upgrade", prepare, lambda: None, []).run())
        async with asyncio.timeout(limit(20)):
            while tries < 5:
                await asyncio.sleep(0.01)
            while len(world.query(count, "half an upgrade")) > 1:  # the server sees an end a moment later
                await asyncio.sleep(0.05)
        found = len(world.query(count, "half an upgrade"))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return found

    count = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s"
    assert asyncio.run(story()) == 1


def test_a_lane_goes_on_when_what_it_is_to_take_could_not_be_read(database_url: str) -> None:
    """The spool's disk fails: accounting must not stand still when it is back."""
    done: list[str] = []
    waiting: list[Any] = [OSError("Input/output error"), "batch"]

    def take() -> str | None:
        found = waiting.pop(0) if waiting else None
        if isinstance(found, OSError):
            raise found
        return found

    async def prepare(_connection: Any) -> None:
        return None

    async def story() -> None:
        lane = lane_of(database_url, "unreadable", prepare, take, done)
        running = asyncio.create_task(lane.run())
        async with asyncio.timeout(limit(20)):
            while not done:
                await asyncio.sleep(0.01)
        assert lane.works
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
    assert done == ["batch"]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_database_host_that_has_gone_is_noticed_within_a_quarter_of_a_minute(
    database_url: str, run: Callable[[Coroutine[Any, Any, list[int]]], list[int]]
) -> None:
    """Else the engine of Disconnects, and whoever keeps routers and credentials up to date, would hang at the old host
    for a quarter of an hour while a standby has taken over."""

    async def story() -> list[int]:
        connection = await connect(database_url, "test")
        opened = transport_of(connection).get_extra_info("socket")
        names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        found = [opened.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names]
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        await connection.close()
        return found

    idle, pause, count, unsent = run(story())
    assert idle + pause * count <= 15
    assert 0 < unsent <= 15_000
