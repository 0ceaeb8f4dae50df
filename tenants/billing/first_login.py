"""The period of an account that waits starts with its first accepted login (SUB-3)."""

from datetime import UTC, datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.access.project import project_account
from tenants.audit.record import record
from tenants.billing.book import plain
from tenants.billing.context import context_of, is_waiting, plan_terms
from tenants.billing.models import Order
from tenants.billing.purchase import first_period_end
from tenants.kernel.actor import SYSTEM
from tenants.subscribers.models import Account


def activate(scope: TenantScope, account_id: int, *, accepted_at: datetime, now: datetime) -> bool:
    """Start the period at the instant of the accept, however late this runs; False when nothing waited for it.

    Idempotent: a second call, or a call for an account that is gone, changes nothing.
    """
    account = scope.session.execute(
        select(Account)
        .where(Account.id == account_id, Account.deleted_at.is_(None), Account.state != "closed")
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if account is None or not is_waiting(account):
        return False
    accepted_at = max(accepted_at.astimezone(UTC), account.opened_at)
    context = context_of(scope, account, actor=SYSTEM, now=accepted_at)
    assert context.plan is not None
    plan = plan_terms(context.plan)
    account.activated_at = accepted_at
    account.period_started_at = accepted_at
    account.expires_at = first_period_end(
        plan, account.period_quantity, accepted_at, context, account.period_gift_seconds
    )
    account.first_due_at = accepted_at if plan.kind == "prepaid-month" else None
    if account.cut_off_at is not None:
        # On arrears: the allowed days count from the start of the period, not from a day before anybody used it.
        base = scope.session.scalars(
            select(Order.base_expiry).where(Order.account_id == account_id).order_by(Order.id).limit(1)
        ).first()
        if base is not None:
            account.cut_off_at += accepted_at - base
    scope.session.flush()  # the projection reads the row
    project_account(scope, account.id)
    record(
        scope,
        actor=SYSTEM,
        action="account.activate",
        object_kind="account",
        object_id=account.id,
        object_label=account.username,
        before={"activated_at": None},
        after={"activated_at": plain(accepted_at), "expires_at": plain(account.expires_at)},
        now=now,
    )
    return True
