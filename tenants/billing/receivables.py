"""Open receivables of an account: paying them, oldest first, and what that restores (billing-rules.md, "Arrears")."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from tenants.billing.booking import BookLine
from tenants.billing.context import Context
from tenants.billing.errors import NoArrears, OrderNotFound
from tenants.billing.models import Order, OrderLine, Receivable
from tenants.billing.rules_arrears import Owed, spread
from tenants.kernel.money import ZERO, show
from tenants.ledger.chart import CUSTOMER, RECEIVABLE, Line, credit, debit


@dataclass(frozen=True, slots=True)
class OpenReceivable:
    """An open receivable with its order."""

    row: Receivable
    order: Order

    @property
    def unpaid(self) -> Decimal:
        """What is still owed."""
        return self.row.amount - self.row.paid


def open_receivables(context: Context) -> list[OpenReceivable]:
    """The account's open receivables, oldest first (the account's row lock keeps them still)."""
    if context.account.receivable == 0:
        return []
    rows = context.scope.session.execute(
        select(Receivable, Order)
        .join(Order, Order.id == Receivable.order_id)
        .where(Receivable.account_id == context.account.id, Receivable.state == "open")
        .order_by(Receivable.opened_at, Receivable.id)
        .execution_options(populate_existing=True)
    )
    return [OpenReceivable(row, order) for row, order in rows]


def pick(context: Context, number: str | None) -> list[OpenReceivable]:
    """The receivable of the order with this number, or all open ones. Raises NoArrears, OrderNotFound."""
    everything = open_receivables(context)
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
    parts, rest = spread(amount, [Owed(one.row.id, one.unpaid) for one in owed])
    by_id = {one.row.id: one for one in owed}
    lines, undo = [], []
    for receivable_id, part in parts:
        one = by_id[receivable_id]
        undo.append({"id": receivable_id, "paid": str(one.row.paid), "state": one.row.state})
        one.row.paid += part
        facts = {"order": one.order.number, "owed": show(one.row.amount), "still_owed": show(one.unpaid)}
        lines.append(BookLine("arrears", part, (credit(RECEIVABLE, context.account.id, part),), facts))
        if one.unpaid == 0:
            one.row.state = "paid"
            context.account.period_price += one.row.plan_part
    refresh_cut_off(context)
    return lines, rest, {"receivables": undo} if undo else {}


def refresh_cut_off(context: Context, *, without: Receivable | None = None) -> None:
    """Let the account connect until the earliest cut-off of what is still owed."""
    context.scope.session.flush()  # the rows' new states are read by SQL
    context.account.cut_off_at = earliest_cut_off(context, None if without is None else without.id)


def earliest_cut_off(context: Context, without_id: int | None) -> datetime | None:
    """The earliest cut-off of the open receivables, None without any."""
    statement = select(Receivable.cut_off_at).where(
        Receivable.account_id == context.account.id, Receivable.state == "open"
    )
    if without_id is not None:
        statement = statement.where(Receivable.id != without_id)
    return min(context.scope.session.scalars(statement), default=None)


def lines_of(context: Context, order: Order) -> list[tuple[str, Decimal]]:
    """(kind, amount) of an order's lines."""
    rows = context.scope.session.execute(
        select(OrderLine.kind, OrderLine.amount).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
    )
    return [(kind, amount) for kind, amount in rows]


def paid_back(context: Context, one: OpenReceivable) -> list[Line]:
    """Ledger lines that move what was already paid of a receivable into the balance."""
    if one.row.paid == ZERO:
        return []
    account_id = context.account.id
    return [debit(RECEIVABLE, account_id, one.row.paid), credit(CUSTOMER, account_id, one.row.paid)]
