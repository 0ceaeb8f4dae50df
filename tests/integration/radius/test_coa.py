"""Disconnect and CoA through the outbox to a real UDP listener (RAD-5, RAD-6)."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from infra.settings import Settings
from radius_cluster.coa.outbox_rows import release_stuck
from radius_cluster.listen.database import connect
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet, verify_message_authenticator, verify_request_authenticator
from tests.fixtures.busy_machine import limit
from tests.fixtures.coa_listener import acknowledge, states, wish
from tests.fixtures.radius import SECRET, Processes, World, WorldTenant, wait_for


def test_disconnect_is_signed_names_the_session_and_keeps_the_result(
    world: World, processes: Processes, listener
) -> None:
    def answer(packet: Packet) -> tuple[int, bytes] | None:
        session = packet.text(codes.ACCT_SESSION_ID)
        if session == "gone":
            return codes.DISCONNECT_NAK, encode.number(codes.ERROR_CAUSE, 503)
        return None if session == "silent" else (codes.DISCONNECT_ACK, b"")

    router = listener(answer)
    tenant = world.tenant()
    nas_id, _ = world.nas(tenant, last_source="127.0.0.1:5", coa_port=router.port)
    processes.start("radius_cluster.coa", "coa_ready")
    for session in ("s1", "gone"):
        world.run(
            "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at,"
            " seconds, octets_in, octets_out, packets_in, packets_out)"
            " VALUES (%s, %s, %s, 'alice', 0, now(), now(), 0, 0, 0, 0, 0)",
            tenant.id, nas_id, session,
        )  # fmt: skip
    for session in ("s1", "gone", "silent"):
        wish(world, tenant.id, nas_id, session, "alice")
    wait_for(lambda: all(state not in ("waiting", "taken") for state, _ in states(world, tenant.id).values()))
    found = states(world, tenant.id)
    assert found["s1"] == ("done", "")
    assert found["gone"] == ("refused", "session_context_not_found")
    assert found["silent"][0] == "unanswered"
    packet = next(packet for _, packet in router.seen if packet.text(codes.ACCT_SESSION_ID) == "s1")
    assert packet.code == codes.DISCONNECT_REQUEST
    assert verify_request_authenticator(packet, SECRET.encode())
    assert verify_message_authenticator(packet, SECRET.encode())
    assert packet.text(codes.USER_NAME) == "alice"
    assert packet.attributes[codes.FRAMED_IP_ADDRESS] == bytes((100, 64, 0, 1))
    assert abs(packet.number(codes.EVENT_TIMESTAMP) - time.time()) < 20
    tries = [packet.raw for _, packet in router.seen if packet.text(codes.ACCT_SESSION_ID) == "silent"]
    assert len(tries) == 3
    assert len(set(tries)) == 1  # the same bytes each time, so that the router sees a repeat
    [session] = world.sessions(tenant)
    assert session["session_id"] == "s1"
    assert session["cut_requested_at"] is not None
    assert [row["session_id"] for row in world.history(tenant)] == ["gone"]


def test_a_router_heard_from_just_now_is_waited_for_and_one_never_heard_from_is_not_for_long(
    world: World, processes: Processes, listener
) -> None:
    """Where a router is, nodes write every two seconds: a cut-off may come before that."""
    router = listener(acknowledge)
    tenant = world.tenant()
    (new, _), (never, _) = (world.nas(tenant, name, coa_port=router.port) for name in ("new", "never"))
    processes.start("radius_cluster.coa", "coa_ready")
    wish(world, tenant.id, new, "s1", "alice")
    wish(world, tenant.id, never, "s2", "alice")
    wait_for(lambda: world.query("SELECT 1 FROM work.outbox WHERE tenant_id = %s AND attempts > 0", tenant.id))
    world.run("UPDATE registry.nas SET last_source = '127.0.0.1:5' WHERE id = %s", new)
    wait_for(lambda: states(world, tenant.id)["s1"] == ("done", ""))
    wait_for(lambda: states(world, tenant.id)["s2"] == ("refused", "no_address"))
    tries = "SELECT attempts, finished_at - created_at > '3 s' FROM work.outbox WHERE payload ->> 'nas_id' = %s"
    assert world.query(tries, str(never)) == [(4, True)]  # a second apart


def test_a_thousand_at_once(world: World, processes: Processes, listener) -> None:
    router = listener(acknowledge)
    deaf = listener(lambda _packet: None)
    one, two = world.tenant(), world.tenant()
    nas_one, _ = world.nas(one, last_source="127.0.0.1:5", coa_port=router.port)
    nas_two, _ = world.nas(two, last_source="127.0.0.1:5", coa_port=deaf.port)
    processes.start("radius_cluster.coa", "coa_ready")
    began = time.monotonic()
    for tenant, nas_id in ((one, nas_one), (two, nas_two)):
        world.run(
            "INSERT INTO work.outbox (tenant_id, topic, payload) SELECT %s, 'radius.disconnect',"
            " jsonb_build_object('nas_id', %s::int, 'session_id', 's' || n, 'username', 'u' || n)"
            " FROM generate_series(1, 1000) n", tenant.id, nas_id,
        )  # fmt: skip
    world.run("SELECT pg_notify('broadloom_outbox', 'radius')")

    def first_sends(seen: list[tuple[float, Packet]]) -> dict[str, float]:
        first: dict[str, float] = {}
        for at, packet in seen:
            first.setdefault(packet.text(codes.ACCT_SESSION_ID), at)
        return first

    # also where nobody answers: silence must not hold up the first sending to others
    wait_for(lambda: len(first_sends(router.seen)) == 1000 and len(first_sends(deaf.seen)) == 1000)
    assert max(first_sends(router.seen).values()) - began < limit(5)
    assert max(first_sends(deaf.seen).values()) - began < limit(5)
    ended = ("done", "refused", "unanswered")
    wait_for(lambda: all(state in ended for state, _ in states(world, one.id).values()))
    assert Counter(states(world, one.id).values()) == {("done", ""): 1000}


@pytest.fixture
def neighbour(world: World) -> WorldTenant:
    """A provider whose accounts have the same numbers, and everything else otherwise."""
    made = world.tenant()
    world.profile(made, 1, up_bps=1_000, down_bps=1_000)
    quota = {"quota_kind": 1, "quota_octets": 1, "quota_cut": True}
    for number in range(6):
        account_id = world.subscriber(made, f"u{number}", valid_until=_in(-1), **quota)
        world.run(
            "INSERT INTO aaa.quota_use (tenant_id, account_id, epoch, window_on, octets, seconds, over_octets,"
            " over_seconds) VALUES (%s, %s, 0, '1970-01-01', 1, 0, 0, 0)", made.id, account_id,
        )  # fmt: skip
    return made


@pytest.mark.usefixtures("neighbour")
def test_a_rate_change_reaches_the_running_session(world: World, processes: Processes, listener) -> None:
    router = listener(acknowledge)
    tenant = world.tenant()
    nas_id, _ = world.nas(tenant, last_source="127.0.0.1:5", coa_port=router.port)
    account_id = world.subscriber(tenant, "alice")
    world.profile(tenant, 1, up_bps=20_000_000, down_bps=90_000_000)
    processes.start("radius_cluster.coa", "coa_ready")
    wish(world, tenant.id, nas_id, "s1", "alice", topic="radius.coa", account_id=account_id)
    wait_for(lambda: states(world, tenant.id)["s1"][0] == "done")
    packet = router.seen[0][1]
    assert {seen.raw for _, seen in router.seen} == {packet.raw}  # one request, which may have been sent again
    assert packet.code == codes.COA_REQUEST
    assert packet.vendor(codes.VENDOR_MIKROTIK, 8) == b"20M/90M"


def _in(seconds: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def _begun(world: World, tenant_id: int, nas_id: int, session: str, account_id: int, seconds_ago: int) -> None:
    world.run(
        "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at,"
        " seconds, octets_in, octets_out, packets_in, packets_out) VALUES (%s, %s, %s, %s, %s,"
        " now() - make_interval(secs => %s), now(), 0, 0, 0, 0, 0)",
        tenant_id, nas_id, session, session, account_id, seconds_ago,
    )  # fmt: skip


@pytest.mark.usefixtures("neighbour")
def test_a_moved_end_reaches_the_running_session(world: World, processes: Processes, listener) -> None:
    """Counted from the session's beginning, by all that a login would be told: expiry, renewal, longest session."""
    router = listener(acknowledge)
    tenant = world.tenant()
    nas_id, _ = world.nas(tenant, last_source="127.0.0.1:5", coa_port=router.port)
    other, _ = world.nas(tenant, "other", vendor="huawei", last_source="127.0.0.1:5", coa_port=router.port)
    world.profile(tenant, 1)
    hour = 3600
    accounts = {
        "in an hour": world.subscriber(tenant, "in an hour", valid_until=_in(hour)),
        "next month": world.subscriber(tenant, "next month", valid_until=_in(720 * hour)),
        "renews": world.subscriber(tenant, "renews", valid_until=_in(hour), renews=True),
        "over": world.subscriber(tenant, "over", valid_until=_in(-1)),
        "untold": world.subscriber(tenant, "untold", valid_until=_in(hour)),
    }
    for session, account_id in accounts.items():
        nas = other if session == "untold" else nas_id
        _begun(world, tenant.id, nas, session, account_id, 1000)
        wish(world, tenant.id, nas, session, session, "radius.coa", account_id=account_id, reason="end_moved")
    processes.start("radius_cluster.coa", "coa_ready")
    wait_for(lambda: all(state not in ("waiting", "taken") for state, _ in states(world, tenant.id).values()))
    found = states(world, tenant.id)
    assert found["over"] == found["untold"] == ("done", "no_live_end")
    told = {packet.text(codes.USER_NAME): packet for _, packet in router.seen}
    assert {packet.code for packet in told.values()} == {codes.COA_REQUEST}
    assert {packet.vendor(codes.VENDOR_MIKROTIK, 8) for packet in told.values()} == {None}  # the rate stays
    seconds = {user: packet.number(codes.SESSION_TIMEOUT) for user, packet in told.items()}
    assert set(seconds) == {"in an hour", "next month", "renews"}
    assert abs(seconds["in an hour"] - 1000 - hour) <= limit(5)
    assert seconds["next month"] == seconds["renews"] == 24 * hour


def test_junipers_service_is_exchanged_for_the_one_that_the_session_has(
    world: World, processes: Processes, listener
) -> None:
    refusing = {"value": True}
    router = listener(lambda packet: (packet.code + (2 if refusing["value"] else 1), b""))
    tenant = world.tenant()
    nas_id, _ = world.nas(tenant, vendor="juniper", last_source="127.0.0.1:5", coa_port=router.port)
    account_id = world.subscriber(tenant, "alice")
    processes.start("radius_cluster.coa", "coa_ready")

    def ask(service: str, reason: str = "rate_changed", **more: str) -> tuple[bytes | None, bytes | None]:
        """What is activated and deactivated."""
        router.seen.clear()
        world.run("DELETE FROM aaa.profile WHERE tenant_id = %s", tenant.id)
        world.profile(tenant, 1, options={"service": service} if service else {})
        told = {"account_id": account_id, "reason": reason, **more}
        wish(world, tenant.id, nas_id, "s1", "alice", topic="radius.coa", **told)
        world.run("UPDATE work.outbox SET subject = 'account:' || %s WHERE tenant_id = %s", account_id, tenant.id)
        wait_for(lambda: not world.query(
            "SELECT 1 FROM work.outbox WHERE tenant_id = %s AND state IN ('waiting', 'taken')", tenant.id))  # fmt: skip
        packet = router.seen[0][1]
        return packet.vendor(4874, 65), packet.vendor(4874, 66)

    assert ask("fast", previous_service="slow") == (b"\x01fast", b"slow")  # refused
    assert ask("faster", previous_service="fast") == (b"\x01faster", b"slow")  # which it still has; refused again
    refusing["value"] = False
    assert ask("slow", previous_service="faster") == (None, None)
    assert ask("fast", previous_service="slow") == (b"\x01fast", b"slow")
    assert ask("fast") == (None, None)  # another rate
    assert ask("fastest", "plan_changed", previous_service="") == (b"\x01fastest", None)  # the old plan had none
    assert ask("", previous_service="fastest") == (None, b"fastest")


@pytest.mark.usefixtures("neighbour")
def test_an_edited_rate_lifts_no_throttle_and_a_window_counts(world: World, processes: Processes, listener) -> None:
    router = listener(acknowledge)
    tenant = world.tenant()
    nas_id, _ = world.nas(tenant, last_source="127.0.0.1:5", coa_port=router.port)
    always = {"days": 127, "starts": 0, "ends": 0}
    world.profile(tenant, 1, up_bps=20_000_000, down_bps=90_000_000)
    world.profile(tenant, 2, windows=[{**always, "profile_id": -8}])
    world.profile(tenant, -8, up_bps=5_000_000, down_bps=6_000_000)
    world.profile(tenant, -9, up_bps=1_000_000, down_bps=2_000_000)
    quota = {"quota_kind": 1, "quota_octets": 1000, "quota_cut": False, "throttle_profile_id": -9}
    accounts = {
        "slow": world.subscriber(tenant, "slow", **quota),
        "fast": world.subscriber(tenant, "fast", **quota),  # has something left
        "evening": world.subscriber(tenant, "evening", profile_id=2),
    }
    for user, used in (("slow", 1000), ("fast", 999)):
        world.run(
            "INSERT INTO aaa.quota_use (tenant_id, account_id, epoch, window_on, octets, seconds, over_octets,"
            " over_seconds) VALUES (%s, %s, 0, '1970-01-01', %s, 0, 0, 0)",
            tenant.id, accounts[user], used,
        )  # fmt: skip
    processes.start("radius_cluster.coa", "coa_ready")
    for user, account_id in accounts.items():
        wish(world, tenant.id, nas_id, user, user, topic="radius.coa", account_id=account_id)
    wait_for(lambda: all(state not in ("waiting", "taken") for state, _ in states(world, tenant.id).values()))
    assert set(states(world, tenant.id).values()) == {("done", "")}
    rates = {packet.text(codes.USER_NAME): packet.vendor(codes.VENDOR_MIKROTIK, 8) for _, packet in router.seen}
    assert rates == {"slow": b"1M/2M", "fast": b"20M/90M", "evening": b"5M/6M"}


def test_a_row_never_reaches_another_tenants_router(world: World, processes: Processes, listener) -> None:
    router = listener(acknowledge)
    one, two = world.tenant(), world.tenant()
    nas_id, _ = world.nas(one, last_source="127.0.0.1:5", coa_port=router.port)
    processes.start("radius_cluster.coa", "coa_ready")
    wish(world, two.id, nas_id, "s1", "alice")
    wait_for(lambda: states(world, two.id)["s1"] == ("refused", "unknown_nas"))
    assert router.seen == []


def test_rows_of_a_killed_engine_are_sent_by_the_next(world: World, processes: Processes, listener) -> None:
    router = listener(acknowledge)
    tenant = world.tenant()
    nas_id, _ = world.nas(tenant, last_source="127.0.0.1:5", coa_port=router.port)
    wish(world, tenant.id, nas_id, "s1", "alice")
    world.run(
        "UPDATE work.outbox SET state = 'taken', taken_at = now() - interval '2 minutes' WHERE tenant_id = %s",
        tenant.id,
    )
    processes.start("radius_cluster.coa", "coa_ready")
    wait_for(lambda: states(world, tenant.id)["s1"][0] == "done")


def test_a_dialect_may_name_sessions_by_their_port(world: World, processes: Processes, listener) -> None:
    """NET-3: what ``identify`` says is sent, also where the outbox row does not have it."""
    router = listener(acknowledge)
    tenant = world.tenant()
    text = "identify NAS-Port-Id NAS-Port User-Name\n[accept]\nFramed-Pool = {pool}\n"
    world.run("INSERT INTO registry.dialects (tenant_id, key, text) VALUES (%s, 'own-olt', %s)", tenant.id, text)
    nas_id, _ = world.nas(tenant, vendor="own-olt", last_source="127.0.0.1:5", coa_port=router.port)
    processes.start("radius_cluster.coa", "coa_ready")
    world.run(
        "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at,"
        " seconds, octets_in, octets_out, packets_in, packets_out, nas_port_id, nas_port)"
        " VALUES (%s, %s, 's1', 'alice', 0, now(), now(), 0, 0, 0, 0, 0, 'gpon 0/1/2', 4000000007)",
        tenant.id, nas_id,
    )  # fmt: skip
    wish(world, tenant.id, nas_id, "s1", "alice")
    wait_for(lambda: states(world, tenant.id)["s1"][0] == "done", 12)
    [(_, packet)] = router.seen
    assert packet.text(codes.NAS_PORT_ID) == "gpon 0/1/2"
    assert packet.number(codes.NAS_PORT) == 4_000_000_007
    assert packet.text(codes.USER_NAME) == "alice"
    assert codes.ACCT_SESSION_ID not in packet.attributes


def test_rows_that_wait_for_their_turn_are_not_taken_for_a_dead_engines(world: World, settings: Settings) -> None:
    """A router that wants one request a second and is sent hundreds: each row waits longer than a dead engine's may."""
    tenant = world.tenant()
    for session in ("waits", "stuck", "done"):
        wish(world, tenant.id, 1, session, "alice")
    wish(world, tenant.id, 1, "a worker's", "alice", topic="account.bind")
    world.run(
        "UPDATE work.outbox SET state = 'taken', taken_at = now() - interval '61 seconds' WHERE tenant_id = %s",
        tenant.id,
    )
    world.run(
        "UPDATE work.outbox SET state = 'done' WHERE payload ->> 'session_id' = 'done' AND tenant_id = %s", tenant.id
    )
    rows = "SELECT payload ->> 'session_id', id FROM work.outbox WHERE tenant_id = %s"
    ids = dict(world.query(rows, tenant.id))

    async def release() -> None:
        connection = await connect(settings.database_url, "test")
        try:
            await release_stuck(connection, [ids["waits"], ids["done"]])
        finally:
            await connection.close()

    asyncio.run(release())
    assert {session: state for session, (state, _) in states(world, tenant.id).items()} == {
        "waits": "taken", "stuck": "waiting", "done": "done", "a worker's": "taken",
    }  # fmt: skip
