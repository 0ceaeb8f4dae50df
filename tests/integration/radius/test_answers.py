"""What an Access-Accept carries, over real sockets, processes and PostgreSQL (RAD-3, NET-3 … NET-5)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg

from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from tests.fixtures.radius import Processes, World, wait_for

ACCEPT, REJECT = codes.ACCESS_ACCEPT, codes.ACCESS_REJECT


def seconds_to(instant: datetime) -> float:
    return (instant - datetime.now(UTC)).total_seconds()


def test_accept_carries_what_the_profile_says(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    account_id = world.subscriber(tenant, "alice")
    processes.start()
    answer = client(identifier).log_in("alice")
    assert answer.code == ACCEPT
    assert answer.raw[20] == codes.MESSAGE_AUTHENTICATOR  # first (CVE-2024-3596)
    assert answer.vendor(codes.VENDOR_MIKROTIK, 8) == b"10M/50M"
    assert answer.text(codes.FRAMED_POOL) == "pool1"
    assert answer.number(codes.SESSION_TIMEOUT) == 86400  # the tenant's longest session
    assert answer.number(codes.ACCT_INTERIM_INTERVAL) == 300
    assert answer.text(codes.CLASS) == f"{tenant.id:05d}.{account_id:08d}"


def test_a_changed_profile_counts_from_its_commit_on(world: World, processes: Processes, client, settings) -> None:
    """Replies are kept ready, but none longer than its profile stays as it is (NET-5)."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    router = client(identifier)

    def rate() -> bytes:
        return router.log_in("alice").vendor(codes.VENDOR_MIKROTIK, 8)

    assert rate() == b"10M/50M"
    for megabits in (20, 30):
        world.profile(tenant, up_bps=megabits * 1_000_000)
        assert [rate(), rate()] == [b"%dM/50M" % megabits] * 2
    with psycopg.connect(settings.database_url) as slow, psycopg.connect(settings.database_url) as late:
        slow.execute("UPDATE aaa.profile SET version = version WHERE tenant_id = 0")  # holds every snapshot back
        slow.execute("SELECT pg_current_xact_id()")
        late.execute("UPDATE aaa.profile SET up_bps = 40e6 WHERE tenant_id = %s", [tenant.id])
        assert rate() == b"30M/50M"  # not committed
        late.commit()
        assert [rate(), rate()] == [b"40M/50M"] * 2
        world.profile(tenant, up_bps=50_000_000)
        assert [rate(), rate()] == [b"50M/50M"] * 2


def test_vendor_dialects_static_address_and_inverted_nas(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, huawei = world.nas(tenant, "huawei", vendor="huawei")
    _, inverted = world.nas(tenant, "inverted", invert_directions=True)
    _, standard = world.nas(tenant, "standard", vendor="standard", options={"extra": 'Reply-Message = "hello"'})
    world.subscriber(tenant, "alice", static_ip="100.64.3.7", max_sessions=0)
    processes.start()
    answer = client(huawei).log_in("alice")
    rates = {kind: int.from_bytes(value, "big") for vendor, kind, value in answer.vendor_attributes() if vendor == 2011}
    assert rates[2] == 10_000_000
    assert rates[5] == 50_000_000
    assert answer.attributes[codes.FRAMED_IP_ADDRESS] == bytes((100, 64, 3, 7))
    world.subscriber(tenant, "six", static_ip="2001:db8::7", max_sessions=0)
    assert client(huawei).log_in("six").attributes[168] == bytes.fromhex("20010db8000000000000000000000007")
    assert client(inverted).log_in("alice").vendor(codes.VENDOR_MIKROTIK, 8) == b"50M/10M"
    answer = client(standard).log_in("alice")
    assert answer.vendor(codes.VENDOR_WISPR, 7) == (10_000_000).to_bytes(4, "big")
    assert answer.text(codes.REPLY_MESSAGE) == "hello"


def test_more_attributes_than_a_packet_takes_cost_nobody_his_answer(world: World, processes: Processes, client) -> None:
    """What an ISP adds, and what a router wants back, is left out or cut; the others in the batch notice nothing."""
    tenant, other = world.tenant(), world.tenant()
    much = "\n".join(f'Cisco-AVPair = "acl#{number}={"x" * 220}"' for number in range(15))
    _, identifier = world.nas(tenant, options={"extra": much})
    _, neighbour = world.nas(other)
    world.profile(tenant, 7, options={"extra": much})
    world.subscriber(tenant, "alice", max_sessions=0, profile_id=7)
    world.subscriber(tenant, "expiring", max_sessions=0, profile_id=7, quota_kind=1, quota_octets=10)
    world.subscriber(other, "bob", max_sessions=0)
    processes.start()
    router, other_router = client(identifier), client(neighbour)
    states = encode.octets(codes.PROXY_STATE, b"s" * 253) * 15
    for name, extra in (("alice", b""), ("expiring", b""), ("alice", states), ("nobody", states)):
        answer = router.ask(router.access(name, extra=extra))
        assert answer is not None, name
        assert answer.code == (REJECT if name == "nobody" else ACCEPT)
        assert len(answer.raw) <= 4096
        assert len(answer.all(codes.PROXY_STATE)) == len(extra) // 255
        if not extra:
            assert {codes.SESSION_TIMEOUT, codes.CLASS} <= set(answer.places)
        assert other_router.log_in("bob").code == ACCEPT
    assert "batch_failed" not in processes.logs()


def test_session_ends_with_the_account_not_before(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    ends_at = datetime.now(UTC) + timedelta(seconds=20)
    world.set(tenant, "alice", valid_until=ends_at)
    answer, after = client(identifier).log_in("alice"), seconds_to(ends_at)
    assert answer.code == ACCEPT  # some seconds before the end it is not over
    assert after - 1 < answer.number(codes.SESSION_TIMEOUT) <= 20
    world.set(tenant, "alice", valid_until=datetime.now(UTC))
    assert client(identifier).log_in("alice").code == REJECT


def test_who_has_the_money_is_not_timed_out_at_his_expiry(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    soon = datetime.now(UTC) + timedelta(seconds=60)
    world.subscriber(tenant, "alice", valid_until=soon, max_sessions=0, renews=True)
    processes.start()
    router = client(identifier)
    assert router.log_in("alice").number(codes.SESSION_TIMEOUT) == 86400
    world.set(tenant, "alice", valid_until=datetime.now(UTC) - timedelta(minutes=5))  # the renewal is late
    assert router.log_in("alice").code == ACCEPT
    world.set(tenant, "alice", valid_until=datetime.now(UTC) - timedelta(minutes=16))  # the worker must be dead
    assert router.log_in("alice").code == REJECT
    world.run("UPDATE registry.tenants SET max_session_seconds = 0 WHERE id = %s", tenant.id)  # never
    world.set(tenant, "alice", valid_until=soon + timedelta(days=3), renews=False)
    wait_for(lambda: router.log_in("alice").number(codes.SESSION_TIMEOUT) > 86400)


def test_a_session_ends_with_the_plans_hours(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    local = datetime.now(ZoneInfo("Asia/Shanghai"))
    closes = (local.hour * 60 + local.minute + 30) % 1440
    closes_at = local.replace(second=0, microsecond=0) + timedelta(minutes=30)
    world.profile(tenant, 2, windows=[{"days": 127, "starts": (closes - 60) % 1440, "ends": closes}])
    world.subscriber(tenant, "alice", profile_id=2)
    processes.start()
    answer, after = client(identifier).log_in("alice"), seconds_to(closes_at)
    assert after - 1 < answer.number(codes.SESSION_TIMEOUT) <= 30 * 60


def test_expired_pool_instead_of_a_refusal(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant, options={"expired": {"pool": "walled", "address_list": "expired"}})
    world.subscriber(tenant, "alice", valid_until=datetime.now(UTC) - timedelta(days=1))
    processes.start()
    answer = client(identifier).log_in("alice")
    assert answer.code == ACCEPT
    assert answer.text(codes.FRAMED_POOL) == "walled"
    assert answer.vendor(codes.VENDOR_MIKROTIK, 19) == b"expired"
    assert client(identifier).log_in("alice", "wrong").code == REJECT


def test_a_profile_edit_reaches_the_next_login(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    router = client(identifier)
    assert router.log_in("alice").vendor(codes.VENDOR_MIKROTIK, 8) == b"10M/50M"
    world.profile(tenant, 1, up_bps=20_000_000, down_bps=100_000_000)
    assert router.log_in("alice").vendor(codes.VENDOR_MIKROTIK, 8) == b"20M/100M"
