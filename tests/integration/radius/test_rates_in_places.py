"""Changes of speed for sessions that are in a place for who has not paid (NET-4, NET-5)."""

from datetime import UTC, datetime, timedelta

from radius_cluster.wire import codes
from tests.fixtures.coa_listener import acknowledge, states, wish
from tests.fixtures.radius import Processes, World, wait_for


def test_an_edited_rate_leads_nobody_out_of_his_place(world: World, processes: Processes, listener) -> None:
    """Who has expired, or is in the place for accounts that end soon, has that place's speed (NET-4, NET-5)."""
    router = listener(acknowledge)
    tenant = world.tenant()
    slow = {"up_bps": 1_000_000, "down_bps": 1_000_000, "address_list": "walled"}
    options = {"expired": slow, "expiring": {"up_bps": 3_000_000, "down_bps": 3_000_000}, "expiring_days": 9}
    nas_id, _ = world.nas(tenant, last_source="127.0.0.1:5", coa_port=router.port, options=options)
    world.profile(tenant, 1, up_bps=20_000_000, down_bps=90_000_000)
    world.profile(tenant, 2, options={"expired": {"pool": "own"}})  # says nothing of a speed
    now = datetime.now(UTC)
    left = {"over": -1, "pool": -1, "soon": 5, "dialled before": 5, "paid": 30}
    accounts = {
        user: world.subscriber(
            tenant, user, profile_id=2 if user == "pool" else 1, valid_until=now + timedelta(days=days)
        )
        for user, days in left.items()
    }
    for user, account_id in accounts.items():
        began = now - timedelta(hours=1)
        world.run(
            "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at,"
            " seconds, octets_in, octets_out, packets_in, packets_out) VALUES (%s, %s, %s, %s, %s, %s, now(), 0, 0, 0,"
            " 0, 0)", tenant.id, nas_id, user, user, account_id, began,
        )  # fmt: skip
    world.run(
        "INSERT INTO aaa.place_login (tenant_id, account_id, nas_id, mac, at, soon_seconds)"
        " VALUES (%s, %s, %s, '', %s, 777600)", tenant.id, accounts["soon"], nas_id, now - timedelta(hours=1),
    )  # fmt: skip
    processes.start("radius_cluster.coa", "coa_ready")
    for user, account_id in accounts.items():
        wish(world, tenant.id, nas_id, user, user, topic="radius.coa", account_id=account_id, reason="rate_changed")
    wait_for(lambda: all(state not in ("waiting", "taken") for state, _ in states(world, tenant.id).values()))
    found = states(world, tenant.id)
    assert found.pop("pool") == ("done", "place_without_speed")
    assert set(found.values()) == {("done", "")}
    told = {
        packet.text(codes.USER_NAME): (
            packet.vendor(codes.VENDOR_MIKROTIK, 8),
            packet.vendor(codes.VENDOR_MIKROTIK, 19),
        )
        for _, packet in router.seen
    }
    usual = (b"20M/90M", None)
    assert told == {"over": (b"1M/1M", b"walled"), "soon": (b"3M/3M", None), "dialled before": usual, "paid": usual}


def test_why_a_session_that_is_over_was_told_nothing(world: World, processes: Processes, listener) -> None:
    """No place: the end itself disconnects it. A make that cannot: said as for everybody else."""
    router = listener(acknowledge)
    tenant = world.tenant()
    slow = {"up_bps": 1_000_000, "down_bps": 1_000_000}
    address = {"last_source": "127.0.0.1:5", "coa_port": router.port}
    without, _ = world.nas(tenant, "without", **address)
    unable, _ = world.nas(tenant, "unable", vendor="cisco-ios", options={"expired": slow}, **address)
    account_id = world.subscriber(tenant, "over", valid_until=datetime.now(UTC) - timedelta(days=1))
    processes.start("radius_cluster.coa", "coa_ready")
    for nas_id, session in ((without, "no place"), (unable, "no way")):
        wish(
            world, tenant.id, nas_id, session, "over", topic="radius.coa", account_id=account_id, reason="rate_changed"
        )
    wait_for(lambda: all(state not in ("waiting", "taken") for state, _ in states(world, tenant.id).values()))
    assert states(world, tenant.id) == {"no place": ("done", "account_over"), "no way": ("refused", "no_live_change")}
    assert router.seen == []
