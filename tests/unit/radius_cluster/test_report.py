"""What a node reports every two seconds: nothing is lost when counts of many tenants are written less often."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from radius_cluster import report
from radius_cluster.counters import AUTH_ACCEPTED, Counters
from radius_cluster.report import MAIN_CELL, Reporter
from radius_cluster.routing.directory import LATENCY_SLOTS, Directory

LISTENING = ("127.0.0.1", 1812, 1813, None)


class Database:
    """Takes what is written; adds up the packets by kind."""

    def __init__(self) -> None:
        self.packets: dict[str, int] = {}

    def is_closed(self) -> bool:
        return False

    async def execute(self, statement: str, *values: Any, timeout: float = 0) -> None:
        if "aaa.packet_count" in statement:
            assert len(values[3]) <= report._ROWS_AT_ONCE
            for kind, packets in zip(values[3], values[5], strict=True):
                self.packets[kind] = self.packets.get(kind, 0) + packets


def _routers(count: int) -> list[Any]:
    return [
        SimpleNamespace(
            id=number,
            touched=False,
            accepted=0,
            stored=0,
            counts={},
            tenant=type("Tenant", (), {"id": number, "cell": MAIN_CELL, "latency": [0] * LATENCY_SLOTS})(),
        )
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize(("tenants", "at_once"), [(report._MANY_TENANTS, True), (report._MANY_TENANTS + 1, False)])
def test_counts_of_many_tenants_are_written_with_every_fifth_report_and_the_last(
    tenants: int, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, counters, routers = Database(), Counters(), _routers(tenants)

    async def connect(_url: str, _name: str) -> Database:
        return database

    monkeypatch.setattr(report, "connect", connect)
    monkeypatch.setattr(report, "_ROWS_AT_ONCE", 150)
    reporter = Reporter({MAIN_CELL: "postgresql://"}, Directory(), counters, 0.0)

    def written(state: str) -> tuple[int, int]:
        for router in routers:
            counters.count(router, AUTH_ACCEPTED)
            router.tenant.latency[0] += 1
        asyncio.run(reporter.report(0.0, state=state, listening=LISTENING))
        return database.packets.get("auth", 0) // tenants, database.packets.get("auth_ms", 0) // tenants

    every = report._MANY_EVERY
    for number in range(1, every + 2):
        due = number if at_once else number // every * every
        assert written("running") == (due, due)
    assert written("draining") == (every + 2, every + 2)
