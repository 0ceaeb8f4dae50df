"""What a router's answer to a Disconnect means for the session that it was about, and for no other (RAD-5)."""

import asyncio
import time
from typing import Final

import pytest

from infra.settings import Settings
from radius_cluster.coa.outbox_rows import CHANGE, DISCONNECT, Outcome, Wish, finish
from radius_cluster.listen.database import connect
from radius_cluster.wire.codes import ACCT_INTERIM, ACCT_START, ACCT_STOP
from tests.fixtures.accounting import store
from tests.fixtures.radius import World

_WAITS: Final = "SELECT FROM pg_locks WHERE pid = %s AND NOT granted"


@pytest.mark.parametrize(
    ("topic", "state", "gone", "cut"),
    [(DISCONNECT, "done", False, True), (DISCONNECT, "refused", True, False), (DISCONNECT, "unanswered", False, False),
     (CHANGE, "done", False, False), (CHANGE, "refused", True, False)],
)  # fmt: skip
def test_only_the_session_that_was_asked_about(
    world: World, settings: Settings, topic: str, state: str, gone: bool, cut: bool
) -> None:
    tenant = world.tenant()
    (one, _), (two, _) = (world.nas(tenant, name) for name in ("one", "two"))
    asked = (one, "s1", "alice")
    sessions = {asked, (one, "s1", "bob"), (one, "s2", "alice"), (two, "s1", "alice")}
    for nas_id, session_id, username in sessions:
        world.run(
            "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at,"
            " seconds, octets_in, octets_out, packets_in, packets_out)"
            " VALUES (%s, %s, %s, %s, 0, now(), now(), 0, 0, 0, 0, 0)",
            tenant.id, nas_id, session_id, username,
        )  # fmt: skip
    rows = []
    for _ in range(2):
        rows += world.query(
            "INSERT INTO work.outbox (tenant_id, topic, payload, state) VALUES (%s, %s, '{}', 'taken') RETURNING id",
            tenant.id, topic,
        )  # fmt: skip
    wish = Wish(rows[0][0], tenant.id, topic, one, "s1", "alice", "", "", 0, "main", 1)

    async def write() -> None:
        connection = await connect(settings.database_url, "test")
        try:
            await finish(connection, [Outcome(wish, state, "its words", gone)])
        finally:
            await connection.close()

    asyncio.run(write())
    found = "SELECT state, result, finished_at IS NOT NULL FROM work.outbox WHERE tenant_id = %s ORDER BY id"
    assert world.query(found, tenant.id) == [(state, "its words", True), ("taken", "", False)]
    still = {(row["nas_id"], row["session_id"], row["username"]): row for row in world.sessions(tenant)}
    assert set(still) == (sessions - {asked} if gone else sessions)
    assert {key for key, row in still.items() if row["cut_requested_at"] is not None} == ({asked} if cut else set())
    not_cut = {asked: state} if topic == DISCONNECT and not gone and not cut else {}
    assert {key: row["cut_failed"] for key, row in still.items() if row["cut_failed"] is not None} == not_cut
    if not_cut:  # until a later one is acknowledged
        state = "done"
        asyncio.run(write())
        assert [row["cut_failed"] for row in world.sessions(tenant)] == [None] * 4


@pytest.mark.parametrize("kind", [ACCT_INTERIM, ACCT_STOP])
def test_a_session_that_reports_while_its_router_denies_it_is_closed_once_and_with_what_it_said_last(
    world: World, settings: Settings, kind: int
) -> None:
    """The router ends it by itself as we ask: its Stop is being stored when we read that there is no such session."""
    tenant = world.tenant()
    account_id = world.subscriber(tenant, "alice")
    nas_id, _ = world.nas(tenant)
    now = float(int(time.time()))

    def report(kind: int, at: float, seconds: int, octets: int) -> None:
        store(world, [(tenant.id, nas_id, "s1", "alice", kind, at, seconds, octets, 0, 0, 0, None, int(at // 86400), 1,
                       *[None] * 7)])  # fmt: skip

    report(ACCT_START, now - 60, 0, 0)
    wish = Wish(0, tenant.id, DISCONNECT, nas_id, "s1", "alice", "", "", account_id, "main", 1)

    async def close_meanwhile() -> None:
        connection = await connect(settings.database_url, "test")
        try:
            with world.connection.transaction():
                report(kind, now - 10, 50, 900)
                closing = asyncio.create_task(finish(connection, [Outcome(wish, "refused", "no session", True)]))
                while not world.query(_WAITS, connection.get_server_pid()):
                    await asyncio.sleep(0.01)
            await closing
        finally:
            await connection.close()

    asyncio.run(close_meanwhile())
    assert world.sessions(tenant) == []
    assert [(row["seconds"], row["octets_in"]) for row in world.history(tenant)] == [(50, 900)]
    report(ACCT_STOP, now, 60, 1_000)
    assert [(row["seconds"], row["octets_in"]) for row in world.history(tenant)] == [(60, 1_000)]
    assert world.usage(tenant) == (1_000, 0, 60)
