"""The next period from the balance at its due time: prepaid monthly (预付费包月) and auto-renewal; many at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from infra.tenant_scope import TenantScope
from tenants.access.disconnect import disconnect_begun_after
from tenants.access.rules import RENEWAL_GRACE_SECONDS
from tenants.billing.book import Prepared, prepare, store
from tenants.billing.booking import Booking
from tenants.billing.context import Context, offered_plan
from tenants.billing.load import Loaded, LockedAccount, read_locked
from tenants.billing.load_due import load_due
from tenants.billing.purchase import apply_purchase, plan_purchase, promotion_terms
from tenants.billing.rules_promotion import PromotionTerms
from tenants.catalog.facts import plan_facts
from tenants.kernel.actor import SYSTEM
from tenants.kernel.errors import BusinessError
from tenants.registry.settings import read as read_settings

_GRACE = timedelta(seconds=RENEWAL_GRACE_SECONDS)


def renew_from_balance(scope: TenantScope, account_ids: Sequence[int], *, now: datetime) -> list[LockedAccount]:
    """Book the next period of each, as of the instant its last one ended; gives those that were renewed, as they are.

    Left alone: who is not due, not covered, in arrears (his money would pay those first), or whose plan is no longer
    sold. Money that came after the due time is too late: that period was over, and nobody pays for what is past.
    Idempotent, because the expiry moves with the booking. The caller holds the locks of the accounts' rows.
    A constant number of statements, however many accounts.
    """
    accounts = [
        account for account in read_locked(scope, account_ids) if account.expires_at <= now and account.receivable == 0
    ]
    at_due = load_due(scope, accounts) if accounts else {}
    accounts = [one for one in accounts if one.id in at_due and at_due[one.id].may_renew]
    settings = read_settings(scope)
    plans = plan_facts(scope, {account.plan_id for account in accounts if account.plan_id is not None})
    promotions: dict[tuple[int, datetime], list[PromotionTerms]] = {}
    contexts = [Context(scope, Loaded(one, plans, settings), SYSTEM, one.expires_at) for one in accounts]
    prepared = [
        one
        for context in contexts
        if (one := _prepare(context, at_due[context.account.id].balance, promotions)) is not None
    ]
    if prepared:
        store(scope, prepared)
        _let_in_again(scope, prepared, now)
    return [one.context.account for one in prepared]


def _let_in_again(scope: TenantScope, prepared: Sequence[Prepared], now: datetime) -> None:
    """Renewed so late that he was let in as expired meanwhile: only a new login gives him an address of his own."""
    ends = {one.context.account.id: one.context.now + _GRACE for one in prepared if one.context.now + _GRACE < now}
    if ends:
        disconnect_begun_after(scope, ends, "renewed")


def _prepare(
    context: Context, balance_at_due: Decimal, promotions: dict[tuple[int, datetime], list[PromotionTerms]]
) -> Prepared | None:
    account = context.account
    if account.state != "active" or account.plan_id is None or account.activated_at is None or account.never_expires:
        return None
    try:
        booking = _next_period(context, account.plan_id, min(balance_at_due, account.balance), promotions)
    except BusinessError:
        return None  # not sold any more, past 2100 …: it expires
    return None if booking is None else prepare(context, "renew", booking, reason=booking.reason)


def _next_period(
    context: Context, plan_id: int, money: Decimal, promotions: dict[tuple[int, datetime], list[PromotionTerms]]
) -> Booking | None:
    account, due_at = context.account, context.now
    plan = offered_plan(context, plan_id)
    prepaid = plan.kind == "prepaid-month"
    if not prepaid and not account.auto_renew:
        return None
    # Many fall due within one second: what is on promotion is asked once for each plan and second.
    key = (plan_id, due_at.replace(microsecond=0))
    if key not in promotions:
        promotions[key] = promotion_terms(context, plan)
    # Prepaid months derive from the first due time, so they continue; other plans begin anew (unused quota is lost).
    purchase = plan_purchase(
        context, plan, 1, first=False, start=due_at if prepaid else None, promotions=promotions[key]
    )
    if purchase.priced.total > money:
        return None
    apply_purchase(context, purchase, paid=purchase.priced.total)
    return Booking(
        kind="renew",
        method="balance" if purchase.priced.total else "none",
        lines=purchase.lines,
        plan=purchase.plan,
        base_expiry=purchase.start,
        reason="prepaid month" if prepaid else "automatic renewal",
    )
