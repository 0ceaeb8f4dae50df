"""``aaa.count_quota``: what accounts used of their quota, who is told, and whose sessions end with it (RAD-6)."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tenants.usage.rules_quota import Counter, count
from tests.fixtures.radius import World, WorldTenant


@pytest.fixture
def tenant(world: World) -> WorldTenant:
    return world.tenant()


@pytest.mark.parametrize("packs", [0, 50])
def test_who_used_far_more_than_his_day_has_the_next_day_whole(world: World, tenant: WorldTenant, packs: int) -> None:
    facts = {"quota_kind": 2, "quota_octets": 100, "quota_epoch": 1, "pack_octets": packs}
    account_id = world.subscriber(tenant, "carol", quota_cut=False, throttle_profile_id=-1, **facts)
    told = "SELECT payload -> 'percent' FROM work.outbox WHERE tenant_id = %s AND topic = 'account.quota' ORDER BY id"

    def report(day: int, octets: int) -> list[int]:
        before = len(world.query(told, tenant.id))
        world.run("SELECT aaa.count_quota(%s, %s, %s, %s, 0)", tenant.id, account_id, date(2026, 3, day), octets)
        return [percent for (percent,) in world.query(told, tenant.id)[before:]]

    assert report(1, 1000) == [100]  # slower since the first hundred
    for other, name in ((tenant, "dave"), (world.tenant(), "carol")):  # of the same provider, and of the same number
        neighbour = world.subscriber(other, name, **facts)
        world.run("SELECT aaa.count_quota(%s, %s, %s, 7, 0)", other.id, neighbour, date(2026, 3, 2))
        assert neighbour == account_id or other is tenant
    assert report(2, 79) == []
    assert report(2, 1) == [80]
    warned = "SELECT count(*) FROM aaa.quota_use WHERE warned > 0 AND octets = 7 AND tenant_id >= %s"
    assert world.query(warned, tenant.id) == [(0,)]  # each is told for itself
    assert report(2, 19) == []
    assert report(2, 1) == [100]
    assert report(2, 500) == []


@pytest.mark.parametrize("unit", ["octets", "seconds"])
def test_what_is_left_of_packs_goes_on_from_day_to_day_and_ends_the_session_only_then(
    world: World, tenant: WorldTenant, unit: str
) -> None:
    account_id = world.subscriber(
        tenant, "carol", quota_kind=2, quota_epoch=1, **{f"quota_{unit}": 100, f"pack_{unit}": 50}
    )
    world.run(
        "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at, seconds,"
        " octets_in, octets_out, packets_in, packets_out)"
        " VALUES (%s, 1, 's1', 'carol', %s, now(), now(), 0, 0, 0, 0, 0)",
        tenant.id, account_id,
    )  # fmt: skip
    told = "SELECT topic, payload ->> 'percent' FROM work.outbox WHERE tenant_id = %s ORDER BY id"

    def report(day: int, amount: int) -> list[str]:
        """What is told: the percentage, and that the session ends."""
        before = len(world.query(told, tenant.id))
        used = (amount, 0) if unit == "octets" else (0, amount)
        world.run("SELECT aaa.count_quota(%s, %s, %s, %s, %s)", tenant.id, account_id, date(2026, 3, day), *used)
        return [percent or topic for topic, percent in world.query(told, tenant.id)[before:]]

    over = ["100", "radius.disconnect"]
    assert [report(1, amount) for amount in (119, 1, 10)] == [[], ["80"], []]  # 130 of 150: 30 of the packs are used
    assert [report(2, amount) for amount in (95, 1, 23, 1)] == [[], ["80"], [], over]  # of 120
    assert [report(3, amount) for amount in (79, 1, 19, 1)] == [[], ["80"], [], over]  # nothing is left of them


def test_quota_counts_the_same_in_sql_as_by_the_rule(world: World, tenant: WorldTenant) -> None:
    account_id = world.subscriber(tenant, "bob", quota_kind=2, quota_octets=100, quota_seconds=70, quota_epoch=1)
    chance, epoch = random.Random(5), 1
    octets: Counter | None = None
    seconds: Counter | None = None
    today = date(2026, 3, 30)
    for _ in range(60):
        if chance.random() < 0.3:
            today += timedelta(days=1)
        if chance.random() < 0.1:
            epoch += 1
            world.set(tenant, "bob", quota_epoch=epoch)
        used, lasted = chance.randrange(80), chance.randrange(50)
        day = today - timedelta(days=chance.choice((0, 0, 0, 1, 5)))  # some reports come late
        world.run("SELECT aaa.count_quota(%s, %s, %s, %s, %s)", tenant.id, account_id, day, used, lasted)
        octets = count(octets, epoch, day, 100, used)
        seconds = count(seconds, epoch, day, 70, lasted)
        [(*window, of_octets, over_octets, of_seconds, over_seconds)] = world.query(
            "SELECT epoch, window_on, octets, over_octets, seconds, over_seconds FROM aaa.quota_use"
            " WHERE tenant_id = %s AND account_id = %s", tenant.id, account_id,
        )  # fmt: skip
        assert Counter(*window, of_octets, over_octets) == octets
        assert Counter(*window, of_seconds, over_seconds) == seconds


@pytest.mark.parametrize(("kind", "window"), [(1, date(1970, 1, 1)), (2, date(2026, 3, 30)), (3, date(2026, 3, 1))])
def test_a_window_is_the_whole_period_the_day_or_the_month(
    world: World, tenant: WorldTenant, kind: int, window: date
) -> None:
    account_id = world.subscriber(tenant, "bob", quota_kind=kind, quota_octets=100)
    world.run("SELECT aaa.count_quota(%s, %s, %s, 7, 8)", tenant.id, account_id, date(2026, 3, 30))
    counted = "SELECT window_on, octets, seconds FROM aaa.quota_use WHERE tenant_id = %s"
    assert world.query(counted, tenant.id) == [(window, 7, 8)]


def test_a_counter_of_days_to_come_does_not_stop_the_counting(world: World, tenant: WorldTenant) -> None:
    """A clock that was ahead for a while began a window that is not yet; reports of today count all the same."""
    account_id = world.subscriber(tenant, "bob", quota_kind=2, quota_octets=100)
    today = datetime.now(UTC).date()
    for day in (today + timedelta(days=9), today):
        world.run("SELECT aaa.count_quota(%s, %s, %s, 7, 0)", tenant.id, account_id, day)
    counted = world.query("SELECT window_on, octets FROM aaa.quota_use WHERE tenant_id = %s", tenant.id)
    assert counted == [(today, 7)]


@pytest.mark.parametrize(
    ("facts", "before", "last"),
    [
        ({"quota_octets": 1000, "pack_octets": 200}, (1199, 5000), (1, 0)),
        ({"quota_octets": 1000, "quota_seconds": 100, "pack_seconds": 20}, (990, 119), (0, 1)),
        ({"quota_octets": 1000, "quota_seconds": 100}, (999, 90), (1, 0)),
    ],
)
def test_the_report_that_uses_the_quota_up_ends_the_accounts_sessions(
    world: World, tenant: WorldTenant, facts: dict[str, Any], before: tuple[int, int], last: tuple[int, int]
) -> None:
    account_id = world.subscriber(tenant, "alice", quota_kind=1, **facts)
    neighbour = world.tenant()
    assert world.subscriber(neighbour, "alice", quota_kind=1, **facts) == account_id
    for isp in (tenant, neighbour):
        for session, owner in (("one", account_id), ("two", account_id), ("other", account_id + 1)):
            world.run(
                "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at,"
                " seconds, octets_in, octets_out, packets_in, packets_out)"
                " VALUES (%s, 1, %s, 'alice', %s, now(), now(), 0, 0, 0, 0, 0)", isp.id, session, owner,
            )  # fmt: skip

    def report(octets: int, seconds: int) -> list[tuple[Any, ...]]:
        world.run("DELETE FROM work.outbox WHERE tenant_id = %s", tenant.id)
        world.run("SELECT aaa.add_usage(%s, %s, current_date, %s, 0, %s)", tenant.id, account_id, octets, seconds)
        return world.query(
            "SELECT tenant_id, topic, payload ->> 'session_id' FROM work.outbox WHERE topic LIKE 'radius.%%'"
            " AND tenant_id IN (%s, %s) ORDER BY 1, 2, 3", tenant.id, neighbour.id,
        )  # fmt: skip

    assert report(*before) == []
    assert report(*last) == [(tenant.id, "radius.disconnect", session) for session in ("one", "two")]
    assert report(5, 5) == []  # said once for each quota
    assert world.query("SELECT 1 FROM aaa.quota_use WHERE tenant_id = %s", neighbour.id) == []


def test_what_is_nobodys_or_nothing_leaves_no_usage(world: World, tenant: WorldTenant) -> None:
    account_id = world.subscriber(tenant, "alice")
    for owner, used in ((0, (5, 5, 5)), (account_id, (0, 0, 0))):
        world.run("SELECT aaa.add_usage(%s, %s, current_date, %s, %s, %s)", tenant.id, owner, *used)
    assert world.query("SELECT account_id FROM aaa.usage WHERE tenant_id = %s", tenant.id) == []
    for used in ((1, 0, 0), (0, 2, 0), (0, 0, 3)):
        world.run("SELECT aaa.add_usage(%s, %s, current_date, %s, %s, %s)", tenant.id, account_id, *used)
    assert world.usage(tenant) == (1, 2, 3)
