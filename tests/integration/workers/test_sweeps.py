"""Sweeps over all tenants of a cell (RAD-5, RAD-8, UX-4, JOB-3): right, and harmless when run twice."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from infra import clock
from infra.db import MAIN_CELL, Database
from infra.outbox import DueRow
from infra.tenant_scope import TenantRef, tenant_scope, unscoped
from tenants.network.add_nas import AddNas, add_nas
from tenants.registry.nodes import beat
from tenants.usage.close_stale import longest_silence
from tenants.usage.models import OnlineSample, RefusedPacket, SessionHistory
from tenants.usage.models import Session as OnlineSession
from tests.fixtures.accounts import OWNER, go_online, open_one, sell
from workers.context import Context
from workers.due_kinds import UPKEEP_KINDS
from workers.jobs import sweeps
from workers.jobs.run_due import run_due


@pytest.fixture
def radius_listens(database: Database) -> None:
    """A RADIUS node that has listened for a day."""
    now = clock.now()
    with unscoped(database, reason="test") as registry:
        beat(registry, kind="radius", host="test", pid=1, started_at=now - timedelta(days=1), now=now)


def test_silent_sessions_are_closed_with_what_they_last_reported(
    job_context: Context, database: Database, tenant: TenantRef, radius_listens: None
) -> None:
    now = clock.now()
    seen = now - timedelta(seconds=1201)  # 4 x 300 s
    with tenant_scope(database, tenant) as scope:
        account_id = open_one(scope, "u1", sell(scope, max_sessions=0))
        go_online(scope, account_id, "stale", at=seen, seconds=50, octets_in=7, octets_out=5_000_000_000)
        go_online(scope, account_id, "alive", at=now - timedelta(seconds=1080))
    sweeps.close_stale(MAIN_CELL)
    sweeps.close_stale(MAIN_CELL)
    with tenant_scope(database, tenant) as scope:
        assert [row.session_id for row in scope.session.scalars(select(OnlineSession))] == ["alive"]
        (ended,) = scope.session.scalars(select(SessionHistory)).all()
        assert (ended.session_id, ended.ended_at, ended.cause) == ("stale", seen, 100)
        assert (ended.seconds, ended.octets_in, ended.octets_out) == (50, 7, 5_000_000_000)


def test_routers_with_a_stale_time_of_their_own(
    job_context: Context, database: Database, tenant: TenantRef, radius_listens: None
) -> None:
    now = clock.now()
    with tenant_scope(database, tenant) as scope:
        account_id = open_one(scope, "u1", sell(scope, max_sessions=0))
        for name, minutes in (("usual", None), ("slow", 60), ("quick", 10)):
            wanted = AddNas("mikrotik", name, stale_minutes=minutes)
            nas_id = add_nas(scope, wanted, actor=OWNER, now=now).nas_id
            for silent in (9, 11, 19, 21, 59, 61):
                at = now - timedelta(minutes=silent)
                go_online(scope, account_id, f"{name}-{silent}", at=at, nas_id=nas_id)
    sweeps.close_stale(MAIN_CELL)
    with tenant_scope(database, tenant) as scope:
        left = set(scope.session.scalars(select(OnlineSession.session_id)))
    slow = {f"slow-{silent}" for silent in (9, 11, 19, 21, 59)}
    assert left == {"usual-9", "usual-11", "usual-19", *slow, "quick-9"}


def test_silence_of_the_cluster_is_no_fault_of_the_sessions(
    job_context: Context, database: Database, tenant: TenantRef
) -> None:
    now = clock.now()
    with unscoped(database, reason="test") as registry:
        sweeps.drop_dead(registry, before=now + timedelta(days=1))
        beat(registry, kind="radius", host="test", pid=1, started_at=now - timedelta(seconds=60), now=now)
    with tenant_scope(database, tenant) as scope:
        go_online(scope, open_one(scope, "u1", sell(scope)), at=now - timedelta(hours=3))
    sweeps.close_stale(MAIN_CELL)
    with tenant_scope(database, tenant) as scope:
        assert scope.session.scalars(select(OnlineSession.session_id)).all() == ["s1"]
    with unscoped(database, reason="test") as registry:
        sweeps.drop_dead(registry, before=now + timedelta(days=1))
    assert sweeps.close_stale(MAIN_CELL) == 0  # nobody listens at all


@pytest.mark.parametrize(("interim", "intervals", "seconds"), [(300, 4, 1200), (60, 1, 60), (10, 2, 60)])
def test_how_long_silence_may_last(interim: int, intervals: int, seconds: int) -> None:
    assert longest_silence(interim, intervals) == seconds


def test_online_samples(
    job_context: Context, database: Database, two_isps: tuple[TenantRef, TenantRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = clock.now().replace(minute=35, second=0, microsecond=0)
    for tenant in two_isps[:1]:
        with tenant_scope(database, tenant) as scope:
            account_id = open_one(scope, "u1", sell(scope, max_sessions=0))
            for n in range(3):
                go_online(scope, account_id, f"s{n}")

    def samples(tenant: TenantRef) -> list[int]:
        with tenant_scope(database, tenant) as scope:
            return list(scope.session.scalars(select(OnlineSample.sessions).order_by(OnlineSample.at)))

    for seconds in (0, 299):
        monkeypatch.setattr(clock, "now", lambda seconds=seconds: slot + timedelta(seconds=seconds))
        sweeps.sample(MAIN_CELL)
    assert samples(two_isps[0]) == [3]
    assert samples(two_isps[1]) == []
    with tenant_scope(database, two_isps[0]) as scope:  # all go offline before the next slot: one 0 closes the line
        scope.session.execute(OnlineSession.__table__.delete())
    monkeypatch.setattr(clock, "now", lambda: slot + timedelta(seconds=300))
    sweeps.sample(MAIN_CELL)
    assert samples(two_isps[0]) == [3, 0]


def test_upkeep_seeds_itself_seals_the_log_and_comes_again(
    job_context: Context, database: Database, tenant: TenantRef
) -> None:
    from tenants.audit.models import AuditEntry

    sweeps.seed_upkeep(MAIN_CELL)
    assert sweeps.seed_upkeep(MAIN_CELL) == 0
    old = clock.now() - timedelta(days=400)
    with tenant_scope(database, tenant) as scope:
        sell(scope)  # entries to seal
        account_id = open_one(scope, "u1", sell(scope, "another"))
        for n, at in enumerate((old, clock.now())):
            row = go_online(scope, account_id, f"s{n}", at=at)
            scope.session.delete(row)
            scope.session.add(_history(row, at))
            scope.session.add(RefusedPacket(tenant_id=tenant.id, at=at, source="1.2.3.4:5", code=1, reason="expired"))
        rows = scope.session.scalars(select(DueRow).where(DueRow.kind.in_(UPKEEP_KINDS))).all()
        assert {row.kind for row in rows} == set(UPKEEP_KINDS)
        for row in rows:
            row.run_at = clock.now()
    assert run_due(tenant.id, "upkeep")["handled"] == 3
    with tenant_scope(database, tenant) as scope:
        unsealed = select(func.count()).where(AuditEntry.hash.is_(None))
        assert scope.session.scalars(unsealed).one() == 0
        rows = scope.session.scalars(select(DueRow).where(DueRow.kind.in_(UPKEEP_KINDS))).all()
        assert all(row.run_at > clock.now() for row in rows)
        assert len(rows) == 3
        assert scope.session.scalars(select(SessionHistory.session_id)).all() == ["s1"]
        assert len(scope.session.scalars(select(RefusedPacket.at)).all()) == 1


def _history(row: OnlineSession, at: Any) -> SessionHistory:
    names = [c.name for c in SessionHistory.__table__.columns if c.name in OnlineSession.__table__.columns]
    values = {name: getattr(row, name) for name in names if not name.startswith("base_")}
    return SessionHistory(**values, ended_at=at, cause=1)


def test_partitions_and_old_records(job_context: Context) -> None:
    sweeps.keep_partitions(MAIN_CELL)
    assert sweeps.keep_partitions(MAIN_CELL) == 0
    assert sweeps.drop_old(MAIN_CELL) >= 0


def test_dead_processes_are_forgotten(job_context: Context, database: Database) -> None:
    now = clock.now()
    with unscoped(database, reason="test") as registry:
        for pid, age in ((11, 7200), (12, 5)):
            at = now - timedelta(seconds=age)
            beat(registry, kind="worker", host="test", pid=pid, started_at=at, now=at)
    assert sweeps.forget_dead_nodes() >= 1
    assert sweeps.forget_dead_nodes() == 0
