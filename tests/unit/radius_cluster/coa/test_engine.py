"""What the engine has in hand, without a database."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from infra.radius_text.dialects import dialect_for
from radius_cluster.coa.engine import Engine
from radius_cluster.coa.outbox_rows import DISCONNECT, Wish
from radius_cluster.counters import Counters
from radius_cluster.routing.directory import Directory
from radius_cluster.wire.coa import DynamicReply

TENANT, NAS = 7, 3


class Routers:
    """The exchange: whoever is asked, and how that goes on."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def ask(self, *asked: Any) -> None:
        self.asked.append(asked)


def engine_with(routers: Routers) -> Engine:
    directory = Directory()
    directory.nas[NAS] = cast(Any, SimpleNamespace(
        id=NAS, tenant=SimpleNamespace(id=TENANT, slug="one"), address="192.0.2.1", dynamic_addresses=(),
        coa_port=3799, options={"coa_rate": 1}, dialect=dialect_for("mikrotik"), secret=b"secret", counts={},
        touched=False,
    ))  # fmt: skip
    engine = Engine({"main": ""}, "main", directory, Counters())
    engine.exchange = cast(Any, routers)
    return engine


def wish(number: int) -> Wish:
    return Wish(number, TENANT, DISCONNECT, NAS, f"s{number}", "alice", "", "", 1, "main", 1)


class Registry:
    """Has heard of no router."""

    async def fetch(self, *_: Any) -> list[Any]:
        return []


def test_what_is_in_hand_is_not_asked_again_and_keeps_no_room_for_ever() -> None:
    """Two engines, and a database that was away for a minute: the other one puts our rows back, and we claim them."""
    routers = Routers()
    engine = engine_with(routers)
    both, nothing = [wish(number) for number in range(5)], cast(Any, None)
    for _ in range(4):
        asyncio.run(engine._send(both, nothing, Registry()))
    assert len(routers.asked) == 5
    for _destination, _secret, _code, _attributes, on_answer, *_ in routers.asked:
        on_answer(DynamicReply(True, 0, ""))
    assert [outcome.wish.id for outcome in engine._outcomes["main"]] == [0, 1, 2, 3, 4]
    asyncio.run(engine._send([wish(number) for number in range(10, 20)], nothing, Registry()))
    assert len(routers.asked) == 15  # ten at a time of one so slow; none of their places is lost
