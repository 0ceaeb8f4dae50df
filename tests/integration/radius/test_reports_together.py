"""Reports of one batch: each counts for its own account, and only what it says more than the last one (RAD-4)."""

import time
from typing import Any

import pytest

from radius_cluster.wire.codes import ACCT_INTERIM, ACCT_START, ACCT_STOP
from tests.fixtures.accounting import store
from tests.fixtures.radius import World, WorldTenant

NOW = float(int(time.time())) - 5_000
USERS = ("alice", "bob", "carol")


@pytest.fixture
def tenant(world: World) -> WorldTenant:
    """Two accounts with a quota, one without."""
    made = world.tenant()
    for number, name in enumerate(USERS, 1):
        quota = {} if name == "carol" else {"quota_kind": 1, "quota_octets": 10_000, "quota_epoch": 1}
        world.subscriber(made, name, account_id=number, **quota)
    return made


def report(tenant: WorldTenant, user: str, kind: int, at: int, counters: tuple[int, int, int], **more: Any) -> Any:
    prefix, delegated = more.get("prefix"), more.get("delegated")
    session = more.get("session", f"s-{user}")
    return (tenant.id, 1, session, user, kind, NOW + at, *counters, 0, 0, None, int((NOW + at) // 86400), 1,
            None, None, None, None, None, prefix, delegated)  # fmt: skip


def used(world: World, tenant: WorldTenant, table: str, *columns: str) -> dict[str, tuple[int, ...]]:
    names = ", ".join(f"sum({column})::int" for column in columns)
    rows = world.query(f"SELECT account_id, {names} FROM aaa.{table} WHERE tenant_id = %s GROUP BY 1", tenant.id)
    return {USERS[account_id - 1]: tuple(values) for account_id, *values in rows}


@pytest.mark.parametrize("kind", [ACCT_INTERIM, ACCT_STOP])
def test_each_report_of_a_batch_counts_once_and_for_its_own_account(
    world: World, tenant: WorldTenant, kind: int
) -> None:
    neighbour = world.tenant()
    world.subscriber(neighbour, "alice", account_id=1, quota_kind=1, quota_octets=5, quota_epoch=1)
    store(world, [report(tenant, user, ACCT_START, 0, (0, 0, 0)) for user in USERS])
    batch = [report(tenant, user, kind, 100, (100, 10 * n, n)) for n, user in enumerate(USERS, 1)]
    lost = report(tenant, "alice", kind, 100, (50, 500, 5), session="whose Start was lost")
    assert store(world, sorted([*batch, lost], key=lambda row: row[:4])) == 1
    assert used(world, tenant, "usage", "octets_in", "octets_out", "seconds") == {
        "alice": (510, 6, 150), "bob": (20, 2, 100), "carol": (30, 3, 100),
    }  # fmt: skip
    assert used(world, tenant, "quota_use", "octets", "seconds") == {"alice": (516, 150), "bob": (22, 100)}
    assert used(world, neighbour, "quota_use", "octets") == {}
    assert len(world.sessions(tenant) if kind == ACCT_INTERIM else world.history(tenant)) == 4


@pytest.mark.parametrize("kind", [ACCT_INTERIM, ACCT_STOP])
@pytest.mark.parametrize("more", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_what_goes_one_way_counts_and_what_says_nothing_new_does_not(
    world: World, tenant: WorldTenant, kind: int, more: tuple[int, int, int]
) -> None:
    first = (100, 10, 20)
    store(world, [report(tenant, "alice", ACCT_START, 0, (0, 0, 0))])
    store(world, [report(tenant, "alice", ACCT_INTERIM, 100, first)])
    world.run("DELETE FROM aaa.usage WHERE tenant_id = %s", tenant.id)
    world.run("DELETE FROM aaa.quota_use WHERE tenant_id = %s", tenant.id)
    store(world, [report(tenant, "alice", ACCT_INTERIM, 101, first)])
    assert used(world, tenant, "usage", "seconds") == {}
    store(world, [report(tenant, "alice", kind, 102, tuple(a + b for a, b in zip(first, more, strict=True)))])  # type: ignore[arg-type]
    seconds, octets_in, octets_out = more
    found = used(world, tenant, "usage", "octets_in", "octets_out", "seconds")
    assert found == {"alice": (octets_in, octets_out, seconds)}
    assert used(world, tenant, "quota_use", "octets", "seconds") == {"alice": (octets_in + octets_out, seconds)}


def test_a_stop_that_says_nothing_new_leaves_no_usage(world: World, tenant: WorldTenant) -> None:
    store(world, [report(tenant, "carol", ACCT_START, 0, (0, 0, 0))])
    store(world, [report(tenant, "carol", ACCT_STOP, 0, (0, 0, 0))])
    assert len(world.history(tenant)) == 1
    assert used(world, tenant, "usage", "seconds") == {}


@pytest.mark.parametrize("known", [{}, {"prefix": "2001:db8:1::/64", "delegated": "2001:db8:ab::/56"}])
@pytest.mark.parametrize("told", [{"prefix": "2001:db8:2::/64"}, {"delegated": "2001:db8:cd::/56"}])
def test_a_report_may_tell_one_of_the_prefixes(
    world: World, tenant: WorldTenant, known: dict[str, str], told: dict[str, str]
) -> None:
    """Another session of the batch tells none."""
    store(world, [report(tenant, user, ACCT_START, 0, (0, 0, 0), **known) for user in ("alice", "bob")])
    reports = [
        report(tenant, user, ACCT_INTERIM, 60, (60, 5, 6), **more) for user, more in (("alice", told), ("bob", {}))
    ]
    assert store(world, reports) == 0
    alice, bob = sorted(world.sessions(tenant), key=lambda row: row["username"])
    names = {"prefix": "framed_ipv6_prefix", "delegated": "delegated_ipv6_prefix"}
    assert {name: alice[column] for name, column in names.items() if alice[column]} == {**known, **told}
    assert {name: bob[column] for name, column in names.items() if bob[column]} == known
