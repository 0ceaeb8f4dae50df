"""Reverse the latest order wholly: plan, expiry, money, wallet (撤单, OPS-11). Nothing is deleted."""

from dataclasses import dataclass

from tenants.billing.booking import Booking, BookLine
from tenants.billing.context import Context
from tenants.billing.errors import (
    NothingToReverse,
    NotLatestOrder,
    NowBeforeOrder,
    OrderAlreadyUndone,
    OrderNotFound,
    OrderSettled,
    ReversalWindowOver,
)
from tenants.billing.load_orders import BookedOrder
from tenants.billing.operation import operation
from tenants.billing.rules_arrears import reversal_until
from tenants.billing.undo import (
    check_balance,
    check_unchanged,
    restore_account,
    restore_rows,
)
from tenants.kernel.errors import BusinessError
from tenants.kernel.money import ZERO
from tenants.subscribers.fields import refresh_search
from tenants.subscribers.find import find_account, find_customer


@dataclass(frozen=True, slots=True)
class Reverse:
    """``order_number`` None: the account's latest order."""

    account_id: int
    order_number: str | None = None
    reason: str = ""


@operation("reverse", permission="op.reverse", reads="order")
def reverse(context: Context, command: Reverse) -> Booking:
    """Books counter-entries and puts the account back. Works on an account in any state, closed ones too.

    Raises NothingToReverse, OrderNotFound, OrderAlreadyUndone, NotLatestOrder, OrderSettled, ReversalWindowOver,
    ChangedSince, BalanceTooShort.
    """
    order = _wanted(context, command.order_number)
    refusal = reversal_refusal(context, order)
    if refusal is not None:
        raise refusal
    check_unchanged(context, order)
    mirrored = [line.mirrored() for line in order.postings]
    check_balance(context, mirrored)
    restore_account(context, order)
    restore_rows(context, order)
    _carry_out(context, order)
    return Booking(
        kind="reverse",
        method=order.method,
        lines=[BookLine(kind, ZERO - amount, (), {"order": order.number}) for kind, amount in order.lines],
        quantity=order.quantity,
        agent_id=order.agent_id,
        undoes_id=order.id,
        undone_state="reversed",
        mirrored=mirrored,
        reverses_entry_id=order.entry_id,
        fee_operator_id=order.operator_id,
        reason=command.reason,
    )


def _wanted(context: Context, number: str | None) -> BookedOrder:
    if context.order is not None:
        return context.order
    if number is not None:
        raise OrderNotFound(field="order", number=number[:40])
    raise NothingToReverse(account=context.account.username)


def reversal_refusal(context: Context, order: BookedOrder) -> BusinessError | None:
    """Why this actor may not reverse the order now; None when he may. Nobody reverses a settled order."""
    if order.state != "booked" or order.kind == "reverse":
        state = "reversal" if order.kind == "reverse" else order.state
        return OrderAlreadyUndone(field="order", number=order.number, state=state)
    if order.later:
        return NotLatestOrder(field="order", number=order.number, latest=order.later[-1])
    if order.settled:
        return OrderSettled(field="order", number=order.number)
    if context.now < order.at:
        return NowBeforeOrder(field="now", now=context.now.isoformat(), latest=order.at.isoformat())
    until = reversal_until(
        order.at, context.settings.reversal_seconds, context.settings.reversal_cutoff_hour, context.zone
    )
    if context.now > until and not context.actor.may("op.reverse_any_time"):
        shown = until.astimezone(context.zone).isoformat(sep=" ", timespec="seconds")
        return ReversalWindowOver(field="order", number=order.number, until=shown)
    return None


def _carry_out(context: Context, order: BookedOrder) -> None:
    """Let the sessions follow: a new name or no more time; another rate follows from the booking."""
    account = context.account
    renamed = "username" in order.undo.get("account", {})
    if renamed:
        scope = context.by_itself()
        row = find_account(scope, account.id)
        row.username = account.username
        refresh_search(row, find_customer(scope, account.customer_id))
    if renamed or account.state != "active" or account.expires_at <= context.now:
        context.disconnect = "reversed"
