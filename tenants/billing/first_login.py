"""The period of an account that waits starts with its first accepted login (SUB-3)."""

from datetime import UTC, datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.billing.book import prepare, store
from tenants.billing.context import Context, is_waiting
from tenants.billing.load import Wanted, load
from tenants.billing.models import Order
from tenants.billing.purchase import first_period_end
from tenants.kernel.actor import SYSTEM


def activate(scope: TenantScope, account_id: int, *, accepted_at: datetime, now: datetime) -> bool:
    """Start the period at the instant of the accept, however late this runs; False when nothing waited for it.

    Idempotent: a second call, or a call for an account that is gone, changes nothing.
    """
    loaded = load(scope, [Wanted(account_id)]).get(account_id)
    if loaded is None or loaded.account.state == "closed" or not is_waiting(loaded.account):
        return False
    account = loaded.account
    accepted_at = max(accepted_at.astimezone(UTC), account.opened_at)
    context = Context(scope, loaded, SYSTEM, accepted_at)
    plan = context.terms
    assert plan is not None
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
    store(scope, [prepare(context, "activate", None, logged_at=now)])
    return True
