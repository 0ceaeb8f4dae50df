"""One period from the balance at its due time: prepaid monthly (预付费包月) and auto-renewal."""

from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.billing.booking import Booking
from tenants.billing.context import context_of, offered_plan
from tenants.billing.operation import finish
from tenants.billing.purchase import apply_purchase, plan_purchase
from tenants.kernel.actor import SYSTEM
from tenants.subscribers.models import Account


def renew_from_balance(scope: TenantScope, account_id: int, *, now: datetime) -> bool:
    """Book the next period as of the instant the last one ended; False when it is not due or not covered.

    An account in arrears or cut off is not renewed: its money would pay the arrears first. Idempotent, because the
    expiry moves with the booking. The caller holds a lock on the account's row.
    """
    account = scope.session.execute(
        select(Account).where(Account.id == account_id).execution_options(populate_existing=True)
    ).scalar_one()
    due_at = account.expires_at
    if account.state != "active" or account.plan_id is None or account.receivable > 0 or due_at > now:
        return False
    context = context_of(scope, account, actor=SYSTEM, now=due_at)
    plan = offered_plan(context, account.plan_id)
    prepaid = plan.kind == "prepaid-month"
    if not prepaid and not account.auto_renew:
        return False
    # Prepaid months derive from the first due time, so they continue; other plans begin anew (unused quota is lost).
    purchase = plan_purchase(context, plan, 1, first=False, start=due_at if prepaid else None)
    total = purchase.priced.total
    if total > account.balance:
        return False
    apply_purchase(context, purchase, paid=total)
    booking = Booking(
        kind="renew",
        method="balance" if total else "none",
        lines=purchase.lines,
        plan=purchase.plan,
        base_expiry=purchase.start,
        reason="prepaid month" if prepaid else "automatic renewal",
    )
    finish(context, "renew", booking, key=None)
    return True
