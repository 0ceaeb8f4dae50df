"""Which process is handed a Disconnect for a router that is connected by RadSec: the one that said so last."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from radius_cluster.coa import radsec_routes as module
from radius_cluster.coa.radsec_routes import RadsecRoutes
from radius_cluster.listen.peers import ASK, HOLDS, LOST, REPLY, Peers
from radius_cluster.radsec.holdings import encode_holdings
from tests.fixtures.busy_machine import limit


class Exchange:
    """What is told to whoever asked."""

    send_radsec: Any = None

    def __init__(self) -> None:
        self.told: list[tuple[str, int, bytes]] = []

    def on_radsec(self, nas_id: int, data: bytes) -> None:
        self.told.append(("answer", nas_id, data))

    def lost_radsec(self, nas_id: int, data: bytes) -> None:
        self.told.append(("lost", nas_id, data))


def test_routers_are_asked_through_who_holds_them_as_long_as_he_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        routes, exchange = RadsecRoutes(), Exchange()
        assert not routes.has(7)
        routes.open(tmp_path, cast(Any, exchange))
        asked: list[tuple[int, bytes]] = []
        holder = Peers(tmp_path, "radsec@here:1", lambda _sender, kind, body: asked.append((kind, body)))
        [coa] = holder.names("coa@")

        async def until(condition: Any) -> None:
            async with asyncio.timeout(limit(5)):
                while not condition():
                    await asyncio.sleep(0.001)

        assert not exchange.send_radsec(7, b"request")  # nobody has said that he has it
        for body in encode_holdings([7, 9]):
            holder.send(coa, HOLDS, body)
        await until(lambda: routes.has(7))
        assert not routes.has(8)
        assert exchange.send_radsec(7, b"request")
        await until(lambda: asked)
        assert asked == [(ASK, b"\0\0\0\x07request")]
        holder.send(coa, REPLY, b"\0\0\0\x07answer")
        holder.send(coa, REPLY, b"\0\0\0\x07")
        holder.send(coa, LOST, b"\0\0\0\x07head")
        await until(lambda: len(exchange.told) == 2)
        assert exchange.told == [("answer", 7, b"answer"), ("lost", 7, b"head")]
        assert (routes.has(7), routes.has(9)) == (False, True)
        for body in encode_holdings([7]):
            holder.send(coa, HOLDS, body)
        await until(lambda: routes.has(7))
        assert not routes.has(9)
        monkeypatch.setattr(module, "_FRESH_SECONDS", -1.0)
        assert not routes.has(7)  # it has said nothing for too long
        monkeypatch.undo()
        holder.close()  # it is dead, and said so just now
        assert not exchange.send_radsec(7, b"request")
        routes.close()

    asyncio.run(story())


def test_processes_that_have_ended_are_forgotten_when_new_ones_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes, now = RadsecRoutes(), 1_000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    [holds] = encode_holdings([7])
    for number in range(5):
        routes._on_message(f"radsec@here:{number}", HOLDS, holds)
        now += 50.0
    assert sorted(routes._told) == ["radsec@here:3", "radsec@here:4"]
    assert set(routes._heard_at) == set(routes._told)
