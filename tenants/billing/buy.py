"""Buy or renew a plan (购买套餐, OPS-1)."""

from dataclasses import asdict, dataclass
from typing import Any

from tenants.billing.booking import Booking
from tenants.billing.context import Context, plain, refuse_state, sellable_plan
from tenants.billing.operation import operation
from tenants.billing.purchase import (
    Purchase,
    apply_purchase,
    arrears_of,
    check_method,
    effective_expiry,
    plan_purchase,
    take_payment,
)
from tenants.billing.rules import check_group, check_quantity
from tenants.billing.rules_promotion import DiscountRule
from tenants.catalog.facts import PlanFacts
from tenants.kernel.money import ZERO


@dataclass(frozen=True, slots=True)
class Buy:
    """``quantity`` of a plan for an account. ``discounts`` and ``agent_id`` are set by the agency portal."""

    account_id: int
    plan_id: int
    quantity: int = 1
    method: str = "cash"
    discounts: tuple[DiscountRule, ...] = ()
    agent_id: int | None = None
    reason: str = ""


@operation("buy", permission="op.buy")
def buy(context: Context, command: Buy) -> Booking:
    """Extend the account from its old expiry, or from now when it has expired (G3).

    Raises BadQuantity, BadMethod, OtherGroup, BoundToGroup, PlanNotForSale, PlanNotForRegion, PlanNotForUse,
    BalanceTooShort, PeriodTooFar, or a state's refusal.
    """
    check_quantity(command.quantity)
    if command.quantity > 1:
        context.actor.require("op.quantity")
    refuse_state(context, never=True, not_activated=True)
    check_method(context, command.method)
    plan = sellable_plan(context, command.plan_id, first=context.plan is None)
    return book_purchase(context, plan, command)


def book_purchase(context: Context, plan: PlanFacts, command: Buy, kind: str = "buy") -> Booking:
    """The booking of a purchase whose plan may be sold; also what a change inside the window comes to."""
    account, settings = context.account, context.settings
    first = context.plan is None
    purchase = plan_purchase(context, plan, command.quantity, first=first, discounts=command.discounts)
    check_group(
        context.terms,
        purchase.plan,
        expires_at=effective_expiry(context),
        now=context.now,
        window_seconds=settings.not_a_change_seconds,
        bound=settings.bind_original_group,
    )
    total = purchase.priced.total
    take_payment(context, command.method, total)
    waits = first and account.starts_at_first_login and account.activated_at is None
    on_arrears = command.method == "arrears" and total > 0
    apply_purchase(context, purchase, paid=ZERO if on_arrears else total, waits=waits)
    return Booking(
        kind=kind,
        method=command.method,
        lines=purchase.lines,
        quantity=command.quantity,
        plan=purchase.plan,
        base_expiry=purchase.start,
        discount_rule=discount_facts(purchase),
        agent_id=command.agent_id,
        reason=command.reason,
        receivable=arrears_of(context, purchase.start, total) if on_arrears else None,
    )


def discount_facts(purchase: Purchase) -> dict[str, Any] | None:
    """The agent's rule as the order keeps it."""
    rule = purchase.priced.discount
    return None if rule is None else {name: plain(value) for name, value in asdict(rule).items()}
