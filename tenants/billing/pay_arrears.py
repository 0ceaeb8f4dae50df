"""Pay what is owed, or pay it by changing the plan (补交欠费 / 更换套餐还欠款, OPS-8; G7)."""

from dataclasses import dataclass
from decimal import Decimal

from tenants.billing.booking import Booking, revenue
from tenants.billing.cancel_arrears import check_last_of_its_kind, give_up_lines, give_up_undo
from tenants.billing.context import Context, need_balance, refuse_state, sellable_plan
from tenants.billing.errors import PaysTooMuch
from tenants.billing.load_beside import OpenReceivable
from tenants.billing.operation import operation
from tenants.billing.purchase import apply_purchase, check_method, plan_purchase
from tenants.billing.receivables import give_up, lines_of, pay, pick
from tenants.billing.rules import check_quantity
from tenants.billing.rules_arrears import inherited
from tenants.billing.undo import check_balance, restore_account
from tenants.kernel.money import ZERO, amount, show
from tenants.ledger.chart import REVENUE_OTHER


@dataclass(frozen=True, slots=True)
class PayArrears:
    """``order_number`` None: all that is owed; ``amount`` None: in full; ``plan_id``: pay by changing to that plan."""

    account_id: int
    order_number: str | None = None
    amount: Decimal | None = None
    plan_id: int | None = None
    quantity: int = 1
    method: str = "cash"
    reason: str = ""


@operation("pay-arrears", permission="op.pay_arrears")
def pay_arrears(context: Context, command: PayArrears) -> Booking:
    """Oldest first. Raises NoArrears, OrderNotFound, PaysTooMuch, BalanceTooShort, or a purchase's refusal."""
    refuse_state(context, held=False, disabled=False)
    check_method(context, command.method, ("cash", "balance", "online"))
    chosen = pick(context, command.order_number)
    if command.plan_id is not None:
        return _by_changing(context, command, chosen[-1], command.plan_id)
    owed = sum((one.unpaid for one in chosen), ZERO)
    money = owed if command.amount is None else amount(command.amount, zero=False)
    if money > owed:
        raise PaysTooMuch(field="amount", amount=show(money), owed=show(owed))
    if command.method == "balance":
        need_balance(context, money)
    lines, _, undo = pay(context, chosen, money)
    return Booking(kind="pay-arrears", method=command.method, lines=lines, undo=undo, reason=command.reason)


def _by_changing(context: Context, command: PayArrears, one: OpenReceivable, plan_id: int) -> Booking:
    """The arrears order is replaced: price of the other plan + what was not the plan's own price; from the old expiry.

    What was paid of it already goes to the balance.
    """
    context.actor.require("op.pay_by_changing_plan")
    check_quantity(command.quantity)
    check_last_of_its_kind(context, one)
    replaced = lines_of(context, one.order)
    taken_over = inherited(replaced)
    for_time = sum((money for kind, money in replaced if kind == "difference"), ZERO)  # counts for a refund
    transfers = give_up_lines(context, one)
    check_balance(context, transfers)
    undo = give_up_undo(context, one)
    account, order = context.account, one.order
    logged_in_at = (
        account.activated_at if account.activated_at is not None and account.activated_at > order.at else None
    )
    restore_account(context, order)
    account.activated_at = account.activated_at or logged_in_at
    first = account.plan_id is None
    waits = first and account.starts_at_first_login and account.activated_at is None
    give_up(context, one, "replaced")
    plan = sellable_plan(context, plan_id, first=first)
    start = logged_in_at or order.base_expiry
    assert start is not None
    goes_on = start == account.expires_at  # else the period that it follows had ended by time or quota
    purchase = plan_purchase(context, plan, command.quantity, first=first, start=start, goes_on=goes_on)
    lines = purchase.lines
    if taken_over:
        lines.append(revenue("inherited", taken_over, REVENUE_OTHER, order=one.order.number))
    total = purchase.priced.total + taken_over
    if command.method == "balance":
        need_balance(context, total - one.paid)
    apply_purchase(context, purchase, paid=purchase.priced.total + for_time, waits=waits)
    context.change_rate = True
    return Booking(
        kind="pay-by-change",
        method=command.method,
        lines=lines,
        quantity=command.quantity,
        plan=purchase.plan,
        base_expiry=one.order.base_expiry,
        transfers=transfers,
        undoes_id=one.order.id,
        undone_state="replaced",
        undo=undo,
        reason=command.reason,
    )
