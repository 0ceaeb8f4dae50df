"""What every tenant needs now and then: its log sealed, its ledger checked, old records dropped (FIN-7, RAD-8)."""

from datetime import datetime, timedelta

from sqlalchemy import delete

from infra.outbox import set_due
from infra.tenant_scope import TenantScope
from tenants.audit.models import LoginEntry
from tenants.audit.seal_chain import seal_chain
from tenants.billing.check import check_ledger
from tenants.registry.settings import read
from tenants.tasks.drop_old_tasks import drop_old_tasks
from tenants.usage.drop_old import drop_old_records
from workers.due_kinds import LEDGER_CHECK, RETENTION, SEAL

SEAL_EVERY = timedelta(minutes=30)
RETENTION_EVERY = timedelta(days=1)
LEDGER_CHECK_EVERY = timedelta(days=1)
TASKS_KEPT = timedelta(days=7)
PLACE_LOGINS_KEPT = timedelta(days=1)  # longer where a session is open
_SEAL_BATCH = 5000


def seal(scope: TenantScope, *, now: datetime) -> int:
    """Chain the new entries of the operation log; gives how many."""
    sealed = seal_chain(scope, limit=_SEAL_BATCH)
    again = timedelta(seconds=1) if sealed == _SEAL_BATCH else SEAL_EVERY
    set_due(scope.session, scope.tenant_id, SEAL, 0, now + again)
    return sealed


class LedgerDisagrees(Exception):
    """A stored balance is not what its entries add up to; the due row keeps this for the jobs page (JOB-3)."""


def prove_ledger(scope: TenantScope, *, now: datetime) -> int:
    """Recompute every balance from the entries. Raises LedgerDisagrees with the first findings."""
    report = check_ledger(scope)
    if not report.ok:
        raise LedgerDisagrees("; ".join(str(finding) for finding in report.findings[:3]))
    set_due(scope.session, scope.tenant_id, LEDGER_CHECK, 0, now + LEDGER_CHECK_EVERY)
    return len(report.findings)


def keep_tidy(scope: TenantScope, *, now: datetime) -> int:
    """Drop session history, refused packets and login entries that are older than the tenant keeps them."""
    settings = read(scope)
    dropped = drop_old_records(
        scope,
        sessions_before=now - timedelta(days=settings.session_retention_days),
        refused_before=now - timedelta(days=settings.refused_retention_days),
        logins_before=now - PLACE_LOGINS_KEPT,
    )
    logins = scope.session.execute(
        delete(LoginEntry).where(LoginEntry.at < now - timedelta(days=settings.log_retention_days))
    )
    drop_old_tasks(scope, before=now - TASKS_KEPT)
    set_due(scope.session, scope.tenant_id, RETENTION, 0, now + RETENTION_EVERY)
    return dropped + int(getattr(logins, "rowcount", 0))
