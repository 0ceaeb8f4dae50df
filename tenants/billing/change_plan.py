"""Change the plan at once, with the price difference for the time left (变更套餐, OPS-2; G1, G2)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tenants.billing.booking import Booking, BookLine
from tenants.billing.buy import Buy, book_purchase, discount_facts
from tenants.billing.context import Context, left_of_total_quota, plan_terms, refuse_state, sellable_plan
from tenants.billing.errors import DifferenceNotDue, NoPlan, SamePlan
from tenants.billing.operation import operation
from tenants.billing.purchase import (
    apply_purchase,
    apply_quota,
    arrears_of,
    carried_value,
    check_method,
    effective_expiry,
    plan_purchase,
    take_payment,
)
from tenants.billing.rules import (
    Difference,
    PlanTerms,
    change_mode,
    check_quantity,
    nominal_days,
    price_difference,
    quota_days,
)
from tenants.billing.rules_promotion import DiscountRule
from tenants.billing.sold_terms import sold_terms
from tenants.catalog.facts import PlanFacts
from tenants.kernel.errors import Forbidden
from tenants.kernel.money import ZERO, amount, show
from tenants.kernel.period import whole_days_between
from tenants.ledger.chart import CUSTOMER, REVENUE_DIFFERENCE, Line, credit, debit


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """The new plan; ``difference`` None charges the computed one."""

    account_id: int
    plan_id: int
    quantity: int = 1
    method: str = "cash"
    difference: Decimal | None = None
    discounts: tuple[DiscountRule, ...] = ()
    agent_id: int | None = None
    reason: str = ""


@operation("change-plan", permission="op.change_plan", reads="sold")
def change_plan(context: Context, command: ChangePlan) -> Booking:
    """The new plan's price plus the difference for the whole days left; new expiry = old expiry + new period.

    Inside the not-a-change window and after expiry it is a purchase. In *difference only* mode the expiry stays.
    Raises SamePlan, NoPlan, DifferenceNotDue, Forbidden (editing the difference), and the refusals of a purchase.
    """
    check_quantity(command.quantity)
    if command.quantity > 1:
        context.actor.require("op.quantity")
    refuse_state(context, never=True, not_activated=True)
    check_method(context, command.method)
    if context.plan is None:
        raise NoPlan()
    if command.plan_id == context.plan.id:
        raise SamePlan(field="plan", plan=context.plan.name)
    plan = sellable_plan(context, command.plan_id, first=False)
    mode = change_mode(effective_expiry(context), context.now, context.settings.not_a_change_seconds)
    if mode == "buy":
        if command.difference:
            raise DifferenceNotDue(field="difference")
        return book_purchase(context, plan, _as_purchase(command))
    if context.settings.difference_only:
        return _difference_only(context, plan, command)
    return _full_change(context, plan, command)


def _as_purchase(command: ChangePlan) -> Buy:
    return Buy(
        command.account_id,
        command.plan_id,
        command.quantity,
        command.method,
        command.discounts,
        command.agent_id,
        command.reason,
    )


def _full_change(context: Context, plan: PlanFacts, command: ChangePlan) -> Booking:
    line, computed, credited = _charge(context, plan_terms(plan), command)
    purchase = plan_purchase(context, plan, command.quantity, first=False, discounts=command.discounts)
    total = purchase.priced.total + line.amount
    take_payment(context, command.method, total - credited)
    on_arrears = command.method == "arrears" and total > 0
    apply_purchase(context, purchase, paid=(ZERO if on_arrears else total) - credited)
    return Booking(
        kind="change-plan",
        method=command.method,
        lines=[*purchase.lines, line],
        quantity=command.quantity,
        plan=purchase.plan,
        base_expiry=purchase.start,
        computed_difference=computed.amount - computed.credit,
        charged_difference=line.amount - credited,
        discount_rule=discount_facts(purchase),
        agent_id=command.agent_id,
        reason=command.reason,
        receivable=arrears_of(context, purchase.start, total) if on_arrears else None,
        transfers=_credit_lines(context, credited),
    )


def _difference_only(context: Context, plan: PlanFacts, command: ChangePlan) -> Booking:
    account = context.account
    line, computed, credited = _charge(context, plan_terms(plan), command)
    take_payment(context, command.method, line.amount - credited)
    on_arrears = command.method == "arrears" and line.amount > 0
    purchase = plan_purchase(context, plan, 1, first=False, promotions=())  # no period is bought: nothing is given
    carried, gifts = carried_value(context)
    apply_quota(context, purchase)
    account.plan_id = plan.id
    account.period_started_at = context.now
    account.period_price = max(ZERO, carried + (ZERO if on_arrears else line.amount) - credited)
    account.period_gift_seconds = gifts
    account.first_due_at = account.expires_at if plan.kind == "prepaid-month" else None
    return Booking(
        kind="change-plan",
        method=command.method,
        lines=[line],
        plan=purchase.plan,
        base_expiry=account.expires_at,
        computed_difference=computed.amount - computed.credit,
        charged_difference=line.amount - credited,
        reason=command.reason,
        receivable=arrears_of(context, account.expires_at, line.amount) if on_arrears else None,
        transfers=_credit_lines(context, credited),
    )


def compute_difference(context: Context, old: PlanTerms, new: PlanTerms) -> Difference:
    """The difference as the tenant's settings compute it; 0 where it does not compute one."""
    settings = context.settings
    total = left_of_total_quota(context)
    difference = price_difference(
        old,
        new,
        expires_at=context.account.expires_at,
        now=context.now,
        rounding=settings.difference_rounding,
        downgrade_credit=settings.downgrade_credit,
        quota_days_left=None if total is None else quota_days(old, *total),
    )
    if settings.auto_difference:
        return difference
    return Difference(difference.old_daily, difference.new_daily, difference.days_left, ZERO, ZERO, ZERO)


def _charge(context: Context, new: PlanTerms, command: ChangePlan) -> tuple[BookLine, Difference, Decimal]:
    """The difference's order line, the difference as computed, and what a downgrade credits to the balance.

    The old plan counts with the price it was sold at, the new one with today's.
    """
    old = sold_terms(context)
    assert old is not None
    computed = compute_difference(context, old, new)
    charged, credited = computed.amount, computed.credit
    if command.difference is not None:
        edited = amount(command.difference, field="difference")
        if edited != computed.amount - computed.credit:  # 0 also takes a credit away
            context.actor.require("op.edit_difference")
            if not context.settings.editable_difference:
                raise Forbidden(permission="op.edit_difference")
            charged, credited = edited, ZERO
    facts: dict[str, Any] = {
        "old_daily": show(computed.old_daily),
        "new_daily": show(computed.new_daily),
        "days_left": computed.days_left,
        "by_quota": computed.days_left < whole_days_between(context.now, context.account.expires_at),
        "automatic": context.settings.auto_difference,
        "raw": str(computed.raw),
        "computed": show(computed.amount - computed.credit),
        "credited": show(credited),
    }
    for side, plan in (("old", old), ("new", new)):
        days = nominal_days(plan)
        if days is not None:
            facts |= {f"{side}_plan": plan.name, f"{side}_price": show(plan.price), f"{side}_days": f"{days:f}"}
    posting = credit(REVENUE_DIFFERENCE, 0, charged)
    return BookLine("difference", charged, (posting,), facts), computed, credited


def _credit_lines(context: Context, credited: Decimal) -> list[Line]:
    if credited == ZERO:
        return []
    return [debit(REVENUE_DIFFERENCE, 0, credited), credit(CUSTOMER, context.account.id, credited)]
