"""The next period from the balance at its due time: prepaid monthly (预付费包月) and auto-renewal; many at once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from infra.tenant_scope import TenantScope
from tenants.access.mark_renewing import mark_renewing
from tenants.access.project import project_accounts
from tenants.billing.book import Prepared, prepare, store
from tenants.billing.booking import Booking
from tenants.billing.context import Context, context_of, offered_plan
from tenants.billing.operation import log_operation
from tenants.billing.purchase import apply_purchase, plan_purchase, promotion_terms
from tenants.billing.rules import covers_next_period
from tenants.billing.rules_promotion import PromotionTerms
from tenants.catalog.models import Plan
from tenants.kernel.actor import SYSTEM
from tenants.kernel.errors import BusinessError
from tenants.subscribers.models import Account


def renew_from_balance(scope: TenantScope, account_ids: Sequence[int], *, now: datetime) -> list[int]:
    """Book the next period of each, as of the instant its last one ended; gives the ids of those that were renewed.

    Left alone: who is not due, not covered, in arrears (his money would pay those first), or whose plan is no longer
    sold. Idempotent, because the expiry moves with the booking. The caller holds the locks of the accounts' rows.
    A constant number of statements, however many accounts.
    """
    ids = bindparam("ids", list(account_ids), type_=ARRAY(BigInteger))
    accounts = scope.session.scalars(
        select(Account)
        .where(Account.id == func.any(ids), Account.expires_at <= now, Account.receivable == 0)
        .order_by(Account.expires_at, Account.id)
        .execution_options(populate_existing=True)
    ).all()
    wanted = {account.plan_id for account in accounts}
    # Held in a variable, so that the session keeps the plans and each account finds its own without a query.
    plans = scope.session.scalars(select(Plan).where(Plan.id.in_(wanted))).all()
    promotions: dict[tuple[int, datetime], list[PromotionTerms]] = {}
    prepared = [one for account in accounts if (one := _prepare(scope, account, promotions)) is not None]
    if not prepared or not plans:
        return []
    renewed = [one.context.account.id for one in prepared]
    scope.session.flush()  # the projection reads the rows
    project_accounts(scope, renewed)
    views = store(scope, prepared)
    mark_renewing(scope, [], [one.context.account.id for one in prepared if not _covered(one)])
    for one, order in zip(prepared, views, strict=True):
        log_operation(one.context, "renew", order, one.booking.reason)
    scope.session.flush()  # what the next batch locks and reads must be there
    return renewed


def _covered(one: Prepared) -> bool:
    """Whether what is left pays for the period after this one, too."""
    account, plan = one.context.account, one.booking.plan
    return plan is not None and covers_next_period(
        plan, auto_renew=account.auto_renew, balance=account.balance, receivable=account.receivable
    )


def _prepare(
    scope: TenantScope, account: Account, promotions: dict[tuple[int, datetime], list[PromotionTerms]]
) -> Prepared | None:
    if account.state != "active" or account.plan_id is None or account.activated_at is None or account.never_expires:
        return None
    context = context_of(scope, account, actor=SYSTEM, now=account.expires_at)
    try:
        booking = _next_period(context, account.plan_id, promotions)
    except BusinessError:
        return None  # not sold any more, past 2100 …: it expires
    return None if booking is None else prepare(context, booking)


def _next_period(
    context: Context, plan_id: int, promotions: dict[tuple[int, datetime], list[PromotionTerms]]
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
    if purchase.priced.total > account.balance:
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
