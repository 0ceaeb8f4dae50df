"""Reverse the latest order wholly: plan, expiry, money, wallet (撤单, OPS-11). Nothing is deleted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.access.change_rate import change_rate_account
from tenants.access.disconnect import disconnect_account
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
from tenants.billing.models import FeeRecord, Order, OrderLine
from tenants.billing.operation import perform
from tenants.billing.result import OperationResult
from tenants.billing.rules_arrears import reversal_until
from tenants.billing.undo import (
    check_balance,
    check_unchanged,
    mirrored_lines,
    orders_after,
    restore_account,
    restore_rows,
)
from tenants.kernel.actor import Actor
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


def reverse(
    scope: TenantScope, command: Reverse, *, actor: Actor, now: datetime, key: str | None = None
) -> OperationResult:
    """Books counter-entries and puts the account back. Works on an account in any state, closed ones too.

    Raises NothingToReverse, OrderNotFound, OrderAlreadyUndone, NotLatestOrder, OrderSettled, ReversalWindowOver,
    ChangedSince, BalanceTooShort.
    """
    return perform(scope, "reverse", command, _reverse, permission="op.reverse", actor=actor, now=now, key=key)


def _reverse(context: Context, command: Reverse) -> Booking:
    order = _wanted(context, command.order_number)
    # A settlement that is being made holds this row: whoever comes second sees what the first one did.
    context.scope.session.execute(select(FeeRecord.id).where(FeeRecord.order_id == order.id).with_for_update())
    refusal = reversal_refusal(context, order)
    if refusal is not None:
        raise refusal
    check_unchanged(context, order)
    entry_id, mirrored = mirrored_lines(context, order)
    check_balance(context, mirrored)
    rows = context.scope.session.scalars(
        select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
    )
    renamed = "username" in order.undo.get("account", {})
    lines = [BookLine(row.kind, ZERO - row.amount, (), {"order": order.number}) for row in rows]
    restore_account(context, order)
    restore_rows(context, order)
    _carry_out(context, order, renamed=renamed)
    return Booking(
        kind="reverse",
        method=order.method,
        lines=lines,
        quantity=order.quantity,
        agent_id=order.agent_id,
        undoes_id=order.id,
        undone_state="reversed",
        mirrored=mirrored,
        reverses_entry_id=entry_id,
        fee_operator_id=order.operator_id,
        reason=command.reason,
    )


def _wanted(context: Context, number: str | None) -> Order:
    mine = select(Order).where(Order.account_id == context.account.id).execution_options(populate_existing=True)
    if number is not None:
        order = context.scope.session.scalar(mine.where(Order.number == number))
        if order is None:
            raise OrderNotFound(field="order", number=number[:40])
        return order
    latest = mine.where(Order.state == "booked", Order.kind != "reverse").order_by(Order.id.desc()).limit(1)
    order = context.scope.session.scalar(latest)
    if order is None:
        raise NothingToReverse(account=context.account.username)
    return order


def reversal_refusal(context: Context, order: Order) -> BusinessError | None:
    """Why this actor may not reverse the order now; None when he may. Nobody reverses a settled order."""
    if order.state != "booked" or order.kind == "reverse":
        return OrderAlreadyUndone(field="order", number=order.number, state=order.state)
    later = orders_after(context, order)
    if later:
        return NotLatestOrder(field="order", number=order.number, latest=later[-1].number)
    settled = select(FeeRecord.id).where(FeeRecord.order_id == order.id, FeeRecord.settlement_id.is_not(None))
    if context.scope.session.scalar(settled) is not None:
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


def _carry_out(context: Context, order: Order, *, renamed: bool) -> None:
    """Let the sessions follow: a new name, no more time, or another rate."""
    account = context.account
    if renamed:
        row = find_account(context.scope, account.id)
        row.username = account.username
        refresh_search(row, find_customer(context.scope, account.customer_id))
    if renamed or account.state != "active" or account.expires_at <= context.now:
        disconnect_account(context.scope, account.id, "reversed")
    elif order.plan_id != account.plan_id:
        change_rate_account(context.scope, account.id)
