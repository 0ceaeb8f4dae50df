"""Cut-off at the instant, by real workers (RAD-6, JOB-1, JOB-3; issue 2, "Must show")."""

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from infra import clock
from infra.db import Database
from infra.outbox import DueRow, OutboxRow
from infra.tenant_scope import TenantRef, tenant_scope, unscoped
from tenants.access.project import EXPIRE, project_accounts
from tenants.registry.models import Node
from tenants.subscribers.models import Account, Customer
from tenants.usage.models import Session as OnlineSession
from tests.fixtures.accounts import go_online, open_one, sell, set_expiry
from tests.fixtures.busy_machine import limit
from tests.fixtures.workers import Programs, wait_until
from workers.context import Context
from workers.jobs.run_due import run_due


def disconnects(database: Database, tenant: TenantRef) -> list[OutboxRow]:
    with tenant_scope(database, tenant) as scope:
        return list(scope.session.scalars(select(OutboxRow).where(OutboxRow.topic == "radius.disconnect")))


def due_rows(database: Database, tenant: TenantRef) -> int:
    with tenant_scope(database, tenant) as scope:
        past = select(func.count()).where(DueRow.kind == EXPIRE, DueRow.run_at <= clock.now())
        return scope.session.scalars(past).one()


def test_an_expiry_is_handled_once(job_context: Context, database: Database, tenant: TenantRef) -> None:
    with tenant_scope(database, tenant) as scope:
        plan = sell(scope)
        ids = [open_one(scope, name, plan) for name in ("gone", "stays", "offline")]
        for account_id in ids[:2]:
            go_online(scope, account_id, nas_id=7, framed_ip="10.0.0.9", mac="aa:bb:cc:dd:ee:01")
        ends_at = clock.now() + timedelta(milliseconds=50)
        for account_id in (ids[0], ids[2]):
            set_expiry(scope, account_id, ends_at)
    wait_until(lambda: clock.now() > ends_at)
    assert run_due(tenant.id, "billing")["disconnected"] == 1
    (row,) = disconnects(database, tenant)
    assert row.subject == f"account:{ids[0]}"
    assert row.payload == {
        "nas_id": 7, "session_id": "s1", "username": "gone", "framed_ip": "10.0.0.9", "account_id": ids[0],
        "mac": "aa:bb:cc:dd:ee:01", "reason": "expired",
    }  # fmt: skip
    assert run_due(tenant.id, "billing")["handled"] == 0  # nothing twice
    assert len(disconnects(database, tenant)) == 1


@pytest.mark.slow
def test_a_thousand_expire_in_one_second(
    programs: Programs, database: Database, tenant: TenantRef, make_tenant: Any
) -> None:
    other, tomorrow = make_tenant(), clock.now() + timedelta(days=1)
    with tenant_scope(database, tenant) as scope:
        ids = _many_online(scope, 1000, tomorrow)
    with tenant_scope(database, other) as scope:
        _many_online(scope, 5, tomorrow)
    started = {programs.start(name).pid for name in ("workers", "workers.scheduler")}
    wait_until(lambda: started <= _running(database), what="the programs' heartbeats")

    began = time.monotonic()
    with tenant_scope(database, tenant) as scope:
        _expire(scope, ids, tomorrow)
    took = timedelta(seconds=time.monotonic() - began)  # on this machine, as busy as it is
    expires_at = clock.now() + 3 * took + timedelta(seconds=1)
    with tenant_scope(database, tenant) as scope:
        _expire(scope, ids, expires_at)
    assert clock.now() < expires_at
    wait_until(lambda: len(disconnects(database, tenant)) == 1000, 60, what="1,000 disconnects")
    late = max((row.created_at - expires_at).total_seconds() for row in disconnects(database, tenant))
    assert min(row.created_at for row in disconnects(database, tenant)) >= expires_at  # nobody a moment too early
    assert late < limit(5), f"the last was asked for {late:.1f} s after the expiry"
    assert disconnects(database, other) == []


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    programs: Programs, database: Database, tenant: TenantRef
) -> None:
    with tenant_scope(database, tenant) as scope:
        _many_online(scope, 2500, clock.now() - timedelta(seconds=1))
    programs.start("workers.scheduler")
    kills = 0
    deadline = time.monotonic() + 100
    while due_rows(database, tenant) and time.monotonic() < deadline:
        worker = programs.start("workers")
        before = due_rows(database, tenant)
        try:
            wait_until(lambda before=before: due_rows(database, tenant) < before, what="some progress")
        finally:
            programs.kill(worker)
            kills += 1
    assert due_rows(database, tenant) == 0
    assert kills >= 1
    count = Counter((row.payload["session_id"], row.payload["username"]) for row in disconnects(database, tenant))
    assert len(count) == 2500
    assert set(count.values()) == {1}


def _running(database: Database) -> set[int]:
    with unscoped(database, reason="test") as session:
        return set(session.scalars(select(Node.pid).where(Node.state == "running", Node.host != "test")))


def _expire(scope: Any, ids: list[int], expires_at: datetime) -> None:
    scope.session.execute(update(Account).where(Account.id.in_(ids)).values(expires_at=expires_at))
    project_accounts(scope, ids)


def _many_online(scope: Any, count: int, expires_at: datetime) -> list[int]:
    """``count`` accounts online that expire at the same instant, written in bulk; their ids."""
    plan = sell(scope, f"bulk {count}")
    first = open_one(scope, "first", plan)
    account = scope.session.get_one(Account, first)
    customer = Customer(name="Bulk", created_at=clock.now())
    scope.session.add(customer)
    scope.session.flush()
    rows = [
        {
            "customer_id": customer.id, "username": f"b{n:05d}", "password_sealed": account.password_sealed,
            "plan_id": plan.id, "region_id": account.region_id, "opened_at": clock.now(), "activated_at": clock.now(),
            "expires_at": expires_at,
        }
        for n in range(count)
    ]  # fmt: skip
    ids = scope.session.scalars(insert(Account).returning(Account.id, sort_by_parameter_order=True), rows).all()
    now = clock.now()
    zero = dict.fromkeys(("seconds", "octets_in", "octets_out", "packets_in", "packets_out"), 0)
    sessions = [
        {
            "tenant_id": scope.tenant_id, "nas_id": 1, "session_id": f"s{n}", "username": f"b{n:05d}",
            "account_id": account_id, "started_at": now, "updated_at": now, **zero,
        }
        for n, account_id in enumerate(ids)
    ]  # fmt: skip
    scope.session.execute(insert(OnlineSession), sessions)
    project_accounts(scope, ids)
    return list(ids)
