"""Open receivables of an account: paying them, oldest first, and what that restores (billing-rules.md, "Arrears")."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from tenants.billing.booking import BookLine
from tenants.billing.context import Context
from tenants.billing.errors import NoArrears, OrderNotFound
from tenants.billing.load_beside import OpenReceivable, OwedOrder
from tenants.billing.models import OrderLine
from tenants.billing.rules_arrears import Owed, spread
from tenants.kernel.money import ZERO, show
from tenants.ledger.chart import CUSTOMER, RECEIVABLE, Line, credit, debit


def pick(context: Context, number: str | None) -> list[OpenReceivable]:
    """The receivable of the order with this number, or all open ones. Raises NoArrears, OrderNotFound."""
    everything = context.beside.owed
    if not everything:
        raise NoArrears(account=context.account.username)
    if number is None:
        return everything
    chosen = [one for one in everything if one.order.number == number]
    if not chosen:
        raise OrderNotFound(field="order", number=number[:40])
    return chosen


def pay(
    context: Context, owed: Sequence[OpenReceivable], amount: Decimal
) -> tuple[list[BookLine], Decimal, dict[str, Any]]:
    """Pay with ``amount``, oldest first: (order lines, what is left over, ``undo`` of the rows).

    A receivable paid in full counts for refunds from now on; with none left the account may connect until its expiry.
    """
    if not owed:
        return [], amount, {}
    parts, rest = spread(amount, [Owed(one.id, one.unpaid) for one in owed])
    by_id = {one.id: one for one in owed}
    lines, undo = [], []
    for receivable_id, part in parts:
        one = by_id[receivable_id]
        undo.append({"id": receivable_id, "paid": str(one.paid), "state": one.state})
        paid_before = {} if one.paid == ZERO else {"paid_before": show(one.paid)}
        one.paid += part
        facts = {**paid_before, "order": one.order.number, "owed": show(one.amount), "still_owed": show(one.unpaid)}
        lines.append(BookLine("arrears", part, (credit(RECEIVABLE, context.account.id, part),), facts))
        if one.unpaid == 0:
            one.state = "paid"
            context.account.period_price += one.plan_part
        context.set_row("receivables", one.id, paid=one.paid, state=one.state)
    refresh_cut_off(context)
    return lines, rest, {"receivables": undo} if undo else {}


def give_up(context: Context, one: OpenReceivable, state: str) -> None:
    """A receivable that is not paid any more: it is cancelled or replaced."""
    one.state = state
    context.set_row("receivables", one.id, state=state)
    if one.order.undo.get("pack"):
        context.set_row("packs", one.order.undo["pack"], ended_at=context.now)
    refresh_cut_off(context)


def refresh_cut_off(context: Context) -> None:
    """Let the account connect until the earliest cut-off of what is still owed."""
    still = (one.cut_off_at for one in context.beside.owed if one.state == "open")
    context.account.cut_off_at = min(still, default=None)


def lines_of(context: Context, order: OwedOrder) -> list[tuple[str, Decimal]]:
    """(kind, amount) of an order's lines."""
    rows = context.scope.session.execute(
        select(OrderLine.kind, OrderLine.amount).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
    )
    return [(kind, amount) for kind, amount in rows]


def paid_back(context: Context, one: OpenReceivable) -> list[Line]:
    """Ledger lines that move what was already paid of a receivable into the balance."""
    if one.paid == ZERO:
        return []
    account_id = context.account.id
    return [debit(RECEIVABLE, account_id, one.paid), credit(CUSTOMER, account_id, one.paid)]
