"""Handle the due rows of one tenant: expiry and its relatives, first logins, names that are free again (JOB-1, RAD-6).

Each batch claims its rows with SKIP LOCKED and drops them in the transaction that does the work, so a killed worker
leaves either a row that is still due or work that is done.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import delete, select

from infra import clock
from infra.outbox import DueRow
from infra.redis_keys import due_lease
from infra.tenant_scope import TenantScope, tenant_scope
from tenants.access.change_rate import change_rate_accounts
from tenants.access.keep_hours import keep_hours
from tenants.billing.due import run_due as run_billing_due
from tenants.billing.first_login import activate
from tenants.registry.directory import find_tenant
from tenants.registry.errors import TenantNotFound
from tenants.subscribers.delete_account import release_name
from tenants.subscribers.learn_address import learn_address
from tenants.tasks.run_task import run_task
from workers.context import Context
from workers.due_kinds import (
    ACTIVATE,
    FAMILIES,
    GROUP_HOURS,
    LEARN_ADDRESS,
    LEASE_SECONDS,
    LEDGER_CHECK,
    QUOTA_RESET,
    RELEASE_NAME,
    RETENTION,
    SEAL,
    TASK_STEP,
)
from workers.job import platform_job
from workers.jobs import upkeep

LOG = structlog.get_logger(__name__)
_BILLING_BATCH = 1000
_ROW_BATCH = 100
_TASKS_SECONDS = 20.0  # then a tenant's long work lets the other jobs of the queue pass
_LONGEST_PAUSE = timedelta(hours=1)

RowHandler = Callable[[TenantScope, int, datetime, datetime], Any]  # scope, subject, due instant, now

# kind → what one row of it asks for; one savepoint per row, so that one bad row stops nobody
ROW_HANDLERS: dict[str, RowHandler] = {
    ACTIVATE: lambda scope, subject, due_at, now: activate(scope, subject, accepted_at=due_at, now=now),
    LEARN_ADDRESS: lambda scope, subject, _due_at, now: learn_address(scope, subject, now=now),
    GROUP_HOURS: lambda scope, subject, _due_at, now: keep_hours(scope, subject, now),
    QUOTA_RESET: lambda scope, subject, _due_at, _now: change_rate_accounts(scope, [subject], "quota_reset"),
    RELEASE_NAME: lambda scope, subject, _due_at, now: release_name(scope, subject, now=now),
    SEAL: lambda scope, _subject, _due_at, now: upkeep.seal(scope, now=now),
    RETENTION: lambda scope, _subject, _due_at, now: upkeep.keep_tidy(scope, now=now),
    TASK_STEP: lambda scope, subject, _due_at, now: run_task(scope, subject, now=now),
    LEDGER_CHECK: lambda scope, _subject, _due_at, now: upkeep.prove_ledger(scope, now=now),
}


@platform_job
def run_due(known: Context, tenant_id: int, family: str) -> dict[str, int]:
    """Handle everything of this tenant and family that is due, batch by batch, each its own unit of work."""
    lease = due_lease(tenant_id, family)
    total: dict[str, int] = {}
    started = monotonic()
    try:
        tenant = find_tenant(known.database, tenant_id)
    except TenantNotFound:  # deleted, or half made: nobody asks again for an hour
        known.redis.set(lease, "1", ex=3600)
        return {"tenant_gone": 1}
    try:
        while True:
            known.redis.set(lease, "1", ex=LEASE_SECONDS)
            with tenant_scope(known.database, tenant) as scope:
                done, more = _batch(scope, family)
            for name, count in done.items():
                total[name] = total.get(name, 0) + count
            if not more or (family == "tasks" and monotonic() - started > _TASKS_SECONDS):
                return total
    finally:
        known.redis.delete(lease)


def _batch(scope: TenantScope, family: str) -> tuple[dict[str, int], bool]:
    now = clock.now()
    if family == "billing":
        report = run_billing_due(scope, now=now, limit=_BILLING_BATCH)
        return {name: count for name, count in asdict(report).items() if name != "more"}, report.more
    handled = failed = 0
    for kind in FAMILIES[family]:
        for row in _claim(scope, kind, now):
            if _handle(scope, row, now):
                handled += 1
            else:
                failed += 1
    # A task sets the due row of its next batch itself; other families are done when they find less than they ask for.
    return {"handled": handled, "failed": failed}, handled >= (1 if family == "tasks" else _ROW_BATCH)


def _claim(scope: TenantScope, kind: str, now: datetime) -> list[DueRow]:
    return list(
        scope.session.scalars(
            select(DueRow)
            .where(DueRow.tenant_id == scope.tenant_id, DueRow.kind == kind, DueRow.run_at <= now)
            .order_by(DueRow.run_at)
            .limit(_ROW_BATCH)
            .with_for_update(skip_locked=True)
        )
    )


def _handle(scope: TenantScope, row: DueRow, now: datetime) -> bool:
    """Do what one row asks for and drop it, unless the work has set it anew; a failure moves it into the future."""
    kind, subject, due_at, attempts = row.kind, row.subject_id, row.run_at, row.attempts
    try:
        with scope.session.begin_nested():
            ROW_HANDLERS[kind](scope, subject, due_at, now)
            scope.session.flush()  # failures of the database belong to this row's savepoint
    except Exception as error:  # whatever it is, the other rows must go on; the row keeps it for the jobs page
        LOG.error("due_row_failed", kind=kind, subject=subject, attempts=attempts + 1, error=str(error))
        scope.session.refresh(row)
        row.attempts, row.last_error = attempts + 1, f"{type(error).__name__}: {error}"[:500]
        row.run_at = now + min(timedelta(seconds=5 * 2**attempts), _LONGEST_PAUSE)
        scope.session.flush()  # before the next row's savepoint
        return False
    scope.session.execute(
        delete(DueRow).where(
            DueRow.tenant_id == scope.tenant_id, DueRow.kind == kind, DueRow.subject_id == subject, DueRow.run_at <= now
        )
    )
    scope.session.expunge(row)
    return True
