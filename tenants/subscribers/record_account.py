"""Entries of the operation log about one account, all under the same name and number (STF-6)."""

from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.audit.record import Facts, record
from tenants.kernel.actor import Actor
from tenants.subscribers.models import Account


def record_account(
    scope: TenantScope,
    account: Account,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    before: Facts | None = None,
    after: Facts | None = None,
) -> None:
    """Add the entry in the caller's transaction; :func:`~tenants.audit.record.record` says what may stand in it."""
    record(
        scope,
        actor=actor,
        action=action,
        object_kind="account",
        object_id=account.id,
        object_label=account.username,
        before=before,
        after=after,
        now=now,
    )
