"""What buying does to an account: shared by opening, buying, changing plan and paying arrears by another plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tenants.billing.booking import BookLine, NewReceivable
from tenants.billing.context import Context, is_waiting, left_of_total_quota, need_balance, plan_terms, quota_of_period
from tenants.billing.errors import BadMethod, PeriodTooFar
from tenants.billing.rules import PlanTerms, is_expired, new_expiry, period_of, prepaid_due
from tenants.billing.rules_arrears import cut_off
from tenants.billing.rules_promotion import DiscountRule, PromotionTerms
from tenants.billing.rules_purchase import PricedPurchase, price_purchase
from tenants.billing.rules_refund import unused_share, unused_value
from tenants.catalog.facts import PlanFacts
from tenants.kernel.money import MICRO, ZERO
from tenants.kernel.period import add_months, add_period, is_never, never, unify_hour
from tenants.ledger.chart import DISCOUNT, PROMOTION, REVENUE_PLAN, credit

PURCHASE_METHODS = ("cash", "balance", "arrears", "online", "wallet")
_POCKETS = {"plan": REVENUE_PLAN, "promotion": PROMOTION, "discount": DISCOUNT}


@dataclass(frozen=True, slots=True)
class Purchase:
    """A priced purchase of a plan, with the instant it continues from."""

    plan: PlanTerms
    quantity: int
    start: datetime  # old expiry while the account runs, else now
    running: bool
    priced: PricedPurchase
    first_due_at: datetime | None

    @property
    def lines(self) -> list[BookLine]:
        """The purchase's order lines with the ledger accounts they credit."""
        return [
            BookLine(
                line.kind,
                line.amount,
                (credit(_POCKETS[line.kind], line.subject_id, line.amount),),
                line.explanation,
            )
            for line in self.priced.lines
        ]


def check_method(context: Context, method: str, allowed: Sequence[str] = PURCHASE_METHODS) -> None:
    """Raises :class:`BadMethod`, or Forbidden where the role may not take this method."""
    if method not in allowed:
        raise BadMethod(field="method", method=method[:20], choices=", ".join(allowed))
    if method in ("cash", "balance", "arrears"):
        context.actor.require(f"pay.{method}")


def effective_expiry(context: Context) -> datetime:
    """The expiry, or now for a plan whose quota is used up: it has ended (first of quota and validity)."""
    account = context.account
    total = left_of_total_quota(context)
    if total is not None and total[1] >= total[0] + account.pack_octets + account.pack_seconds:
        return min(account.expires_at, context.now)
    return account.expires_at


def plan_purchase(
    context: Context,
    plan: PlanFacts,
    quantity: int,
    *,
    first: bool,
    start: datetime | None = None,
    goes_on: bool = True,
    discounts: Sequence[DiscountRule] = (),
    promotions: Sequence[PromotionTerms] | None = None,
) -> Purchase:
    """Price a purchase that continues at ``start`` (default: the old expiry while the account runs, else now).

    ``goes_on``: whether the old period reached until ``start``, so that its quota and due times go on.
    """
    terms, account, now, zone = plan_terms(plan), context.account, context.now, context.zone
    hour = context.settings.unified_expiry_hour
    old_expiry = effective_expiry(context)
    running = not is_expired(old_expiry, now) if start is None else goes_on
    start = start if start is not None else (old_expiry if running else now)
    due, first_due_at = None, None
    if terms.kind == "prepaid-month":
        keeps = running and account.plan_id == plan.id and account.first_due_at is not None
        first_due_at = account.first_due_at if keeps and account.first_due_at is not None else start
        due = _prepaid_until(context, first_due_at, start if keeps else None, quantity)
    priced = price_purchase(
        terms,
        quantity=quantity,
        start=start,
        now=now,
        zone=zone,
        unified_hour=hour,
        promotions=promotion_terms(context, plan) if promotions is None else promotions,
        discounts=discounts,
        first_purchase=first,
        bought_until=due,
    )
    return Purchase(terms, quantity, start, running, priced, first_due_at)


def _prepaid_until(context: Context, first: datetime, paid_until: datetime | None, quantity: int) -> datetime:
    """The ``quantity``-th due time after the paid one; all derive from the first, so they do not drift."""
    zone, months = context.zone, 0
    if paid_until is not None:
        # The paid expiry may carry the unified hour: the due time meant is the last one before half a month after it.
        _, months = prepaid_due(first, paid_until, zone)
        nearest = [(abs((_due(first, m, context) - paid_until).total_seconds()), m) for m in (months - 1, months)]
        months = min(pair for pair in nearest if pair[1] >= 0)[1]
    due = _due(first, months + quantity, context)
    if is_never(due, zone):
        raise PeriodTooFar(field="quantity")
    return unify_hour(due, context.settings.unified_expiry_hour, context.now, zone)


def _due(first: datetime, months: int, context: Context) -> datetime:
    return add_months(first, months, context.zone)


def promotion_terms(context: Context, plan: PlanFacts) -> list[PromotionTerms]:
    """The plan's promotions that hold now, as values."""
    return [
        PromotionTerms(
            p.id, p.name, p.gift_kind, p.gift_value, p.minimum_quantity, p.first_purchase_only, p.starts_at, p.ends_at
        )
        for p in plan.promotions
        if p.starts_at <= context.now < p.ends_at
    ]


def carried_value(context: Context) -> tuple[Decimal, int]:
    """What the unused rest of the present period was paid with, and its gifted seconds still to come.

    For an operation that begins another period with it: what was used of a total quota by then is remembered.
    """
    account, now = context.account, context.now
    if is_waiting(account):
        return account.period_price, account.period_gift_seconds  # bought and never begun
    whole = left_of_total_quota(context)
    context.used_before = 0 if whole is None else whole[1]
    if is_expired(account.expires_at, now):
        return ZERO, 0
    total = quota_of_period(context)
    share = unused_share(
        started_at=account.period_started_at,
        expires_at=account.expires_at,
        now=now,
        gift_seconds=account.period_gift_seconds,
        quota=None if total is None else total[0],
        used=0 if total is None else total[1],
    )
    left_seconds = int((account.expires_at - now).total_seconds())
    value = unused_value(account.period_price, share).quantize(MICRO)  # as the row keeps it
    return value, min(account.period_gift_seconds, left_seconds)


def apply_purchase(context: Context, purchase: Purchase, *, paid: Decimal, waits: bool = False) -> None:
    """Write plan, expiry, period and quota of a purchase into the account.

    ``paid`` is what counts for a refund now (0 on arrears); ``waits``: the period begins with the first login.
    """
    account, now, plan = context.account, context.now, purchase.plan
    carried, gift_seconds = carried_value(context) if purchase.running else (ZERO, 0)
    apply_quota(context, purchase)
    account.plan_id = plan.id
    account.never_expires = False
    account.period_quantity = purchase.quantity
    account.period_price = carried + paid
    account.period_gift_seconds = gift_seconds + purchase.priced.gift_seconds
    account.first_due_at = purchase.first_due_at
    if waits:
        account.activated_at = None
        account.period_started_at = None
        account.expires_at = never(context.zone)  # the first login sets it; until then he may log in
    else:
        account.activated_at = account.activated_at or now
        account.period_started_at = now
        account.expires_at = purchase.priced.expires_at


def grant_plan(context: Context, plan: PlanFacts) -> None:
    """Give a plan with its quota without a purchase (manual change, move); the expiry is not touched."""
    _grant(context, plan_terms(plan), running=not is_expired(effective_expiry(context), context.now))
    context.account.plan_id = plan.id
    context.account.first_due_at = context.account.expires_at if plan.kind == "prepaid-month" else None


def apply_quota(context: Context, purchase: Purchase) -> None:
    """Grant what a purchase gives."""
    _grant(
        context,
        purchase.plan,
        running=purchase.running,
        quantity=purchase.quantity,
        gift_octets=purchase.priced.gift_octets,
    )


def _grant(context: Context, plan: PlanTerms, *, running: bool, quantity: int = 1, gift_octets: int = 0) -> None:
    """Grant the plan's quota: more of it while the same plan runs, else a new one whose counters begin at 0."""
    account, old = context.account, context.terms
    same = running and account.plan_id == plan.id
    times = quantity if plan.has_total_quota else 1
    octets = None if plan.quota_octets is None else plan.quota_octets * times + gift_octets
    seconds = None if plan.quota_seconds is None else plan.quota_seconds * times
    if same and plan.has_total_quota:
        account.quota_octets = None if octets is None else octets + (account.quota_octets or 0)
        account.quota_seconds = None if seconds is None else seconds + (account.quota_seconds or 0)
        return
    account.quota_octets, account.quota_seconds = octets, seconds
    # Today's use counts on when one daily quota follows another; everything else starts a new count.
    if not (running and old is not None and _repeats(old) and old.kind == plan.kind):
        context.used_before = 0
        account.quota_epoch = max(account.quota_epoch, context.before["quota_epoch"]) + 1
        account.pack_octets = account.pack_seconds = 0


def _repeats(plan: PlanTerms) -> bool:
    return not plan.has_total_quota and (plan.quota_octets is not None or plan.quota_seconds is not None)


def arrears_of(context: Context, base_expiry: datetime, plan_part: Decimal) -> NewReceivable:
    """The receivable of a purchase on arrears; also limits until when the account may connect (G6)."""
    account = context.account
    until = cut_off(base_expiry, context.settings.arrears_days, context.zone)
    account.cut_off_at = until if account.cut_off_at is None else min(account.cut_off_at, until)
    return NewReceivable(base_expiry, until, plan_part)


def take_payment(context: Context, method: str, total: Decimal) -> None:
    """Refuse a balance that is too short, before anything is booked."""
    if method == "balance" and total > 0:
        need_balance(context, total)


def first_period_end(plan: PlanTerms, quantity: int, at: datetime, context: Context) -> datetime:
    """End of a period that begins with the first login, without what is given on top."""
    if period_of(plan).unit == "none":
        return never(context.zone)
    if plan.kind == "prepaid-month":
        due = add_period(at, period_of(plan), quantity, context.zone)
        return unify_hour(due, context.settings.unified_expiry_hour, at, context.zone)
    return new_expiry(at, plan, quantity, context.settings.unified_expiry_hour, at, context.zone)
