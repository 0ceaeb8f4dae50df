"""The period of an account that waits starts with its first accepted login (SUB-3)."""

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.billing.book import prepare, store
from tenants.billing.context import Context, is_waiting
from tenants.billing.load import Wanted, load
from tenants.billing.models import Order, OrderLine
from tenants.billing.purchase import first_period_end
from tenants.billing.receivables import refresh_cut_off
from tenants.billing.rules_promotion import gifted_expiry
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
    until = first_period_end(plan, account.period_quantity, accepted_at, context)
    account.expires_at = _with_gifts(context, until)
    account.period_gift_seconds = int((account.expires_at - until).total_seconds())
    account.first_due_at = accepted_at if plan.kind == "prepaid-month" else None
    _count_arrears_from(context, accepted_at)
    store(scope, [prepare(context, "activate", None, logged_at=now)])
    return True


def _with_gifts(context: Context, until: datetime) -> datetime:
    """The end with what the purchase was given, counted from the end as it is now: a month may be longer by then."""
    if context.account.period_gift_seconds == 0:
        return until
    sold = select(func.max(Order.id)).where(
        Order.account_id == context.account.id, Order.state == "booked", Order.plan_terms.is_not(None)
    )
    rows = context.scope.session.scalars(
        select(OrderLine.explanation)
        .where(OrderLine.order_id == sold.scalar_subquery(), OrderLine.kind == "promotion")
        .order_by(OrderLine.position)
    )
    for facts in rows:
        until = gifted_expiry(until, str(facts["gift"]), Decimal(facts["value"]), context.zone)
    return until


def _count_arrears_from(context: Context, accepted_at: datetime) -> None:
    """On arrears: the days count from the start of the period, not from a day before anybody used it."""
    for one in context.beside.owed:
        if one.order.undo.get("pack"):
            continue
        one.cut_off_at += accepted_at - one.base_expiry
        one.base_expiry = accepted_at
        context.set_row("receivables", one.id, base_expiry=one.base_expiry, cut_off_at=one.cut_off_at)
    refresh_cut_off(context)
