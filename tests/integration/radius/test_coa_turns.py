"""One router's long queue, or its silence, keeps no other router's Disconnects waiting (RAD-5)."""

import asyncio
import time

import psycopg

from infra.settings import Settings
from radius_cluster.coa.outbox_rows import claim
from radius_cluster.listen.database import connect
from radius_cluster.wire import codes
from tests.fixtures.busy_machine import limit
from tests.fixtures.coa_listener import acknowledge, states, wish
from tests.fixtures.radius import Processes, World, wait_for
from tests.fixtures.tcp_relay import TcpRelay


def test_a_slow_router_with_thousands_waiting_keeps_nobody_elses_session_online(
    world: World, processes: Processes, listener
) -> None:
    slow, quick = listener(acknowledge), listener(acknowledge)
    one, two = world.tenant(), world.tenant()
    nas_one, _ = world.nas(one, last_source="127.0.0.1:5", coa_port=slow.port, options={"coa_rate": 2})
    nas_two, _ = world.nas(two, last_source="127.0.0.1:5", coa_port=quick.port)
    world.run(
        "INSERT INTO work.outbox (tenant_id, topic, payload, available_at) SELECT %s, 'radius.disconnect',"
        " jsonb_build_object('nas_id', %s::int, 'session_id', 's' || lpad(n::text, 5, '0'), 'username', 'u'),"
        " now() - make_interval(secs => 1 - n * 1e-6) FROM generate_series(1, 9000) n", one.id, nas_one,
    )  # fmt: skip
    processes.start("radius_cluster.coa", "coa_ready")
    wait_for(lambda: len(slow.seen) > 1)
    began = time.monotonic()
    wish(world, two.id, nas_two, "s1", "alice")
    world.run("SELECT pg_notify('broadloom_outbox', 'radius')")
    wait_for(lambda: states(world, two.id)["s1"] == ("done", ""))
    assert time.monotonic() - began < limit(4)
    # The slow one is asked at its own pace, in the order in which the rows came; none was given up.
    before = len(slow.seen)
    wait_for(lambda: len(slow.seen) > before + 6)
    named = [packet.text(codes.ACCT_SESSION_ID) for _, packet in slow.seen]
    assert named == [f"s{number:05d}" for number in range(1, len(named) + 1)]
    pace = (slow.seen[-1][0] - slow.seen[before][0]) / (len(slow.seen) - 1 - before)
    assert 0.4 < pace < 0.5 + limit(0.2)
    assert {state for state, _ in states(world, one.id).values()} <= {"waiting", "taken", "done"}


def test_changes_of_speed_for_thousands_keep_no_disconnect_waiting(world: World, settings: Settings) -> None:
    tenant = world.tenant()
    for topic, count in (("radius.coa", 50), ("radius.disconnect", 6)):
        for number in range(count):
            wish(world, tenant.id, 1, f"{topic} {number}", "alice", topic)

    async def claimed() -> list[list[str]]:
        connection = await connect(settings.database_url, "claims")
        try:
            return [[row.session_id for row in await claim(connection, "main", 10)] for _ in range(3)]
        finally:
            await connection.close()

    first, second, third = asyncio.run(claimed())
    coa, cut = ([f"radius.{kind} {number}" for number in range(20)] for kind in ("coa", "disconnect"))
    assert first == coa[:5] + cut[:5]  # the oldest, as many of either
    assert second == coa[5:10] + cut[5:6]
    assert third == coa[10:15]


def test_what_was_taken_when_the_connection_broke_is_sent_by_the_next(
    settings: Settings, behind_relay: Settings, relay: TcpRelay, world: World, processes: Processes, listener
) -> None:
    """Not only after the minute in which rows of a dead engine are waited for."""
    router = listener(acknowledge)
    tenant = world.tenant()
    nas_id, _ = world.nas(tenant, last_source="127.0.0.1:5", coa_port=router.port)
    world.profile(tenant)
    account = world.subscriber(tenant, "alice")
    processes.settings = behind_relay
    processes.start("radius_cluster.coa", "coa_ready")
    with psycopg.connect(settings.database_url) as locking:
        locking.execute("LOCK TABLE aaa.subscriber IN ACCESS EXCLUSIVE MODE")
        # The change of speed waits for its account; the Disconnect behind it was taken with it.
        world.run(
            "INSERT INTO work.outbox (tenant_id, topic, payload) SELECT %s, topic, jsonb_build_object("
            "'nas_id', %s::int, 'session_id', session, 'username', 'alice', 'framed_ip', '100.64.0.1',"
            " 'account_id', %s::bigint)"
            " FROM unnest(ARRAY['radius.coa', 'radius.disconnect'], ARRAY['s1', 's2']) q(topic, session)",
            tenant.id, nas_id, account,
        )  # fmt: skip
        world.run("SELECT pg_notify('broadloom_outbox', 'radius')")
        # Until then the answer that tells what was taken may be under way: lost, it would cost that minute.
        waits = "SELECT 1 FROM pg_locks WHERE relation = 'aaa.subscriber'::regclass AND NOT granted"
        wait_for(lambda: world.query(waits))
        assert {state for state, _ in states(world, tenant.id).values()} == {"taken"}
        assert router.seen == []
        relay.cut()
    began = time.monotonic()
    wait_for(lambda: states(world, tenant.id)["s2"] == ("done", ""))
    assert time.monotonic() - began < limit(10)
