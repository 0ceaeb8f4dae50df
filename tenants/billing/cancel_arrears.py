"""Cancel arrears: plan and expiry become what they were (撤消欠款, OPS-8; G6b)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from tenants.billing.booking import Booking, BookLine
from tenants.billing.context import Context, refuse_state
from tenants.billing.errors import ArrearsWindowOver, NotLatestOrder
from tenants.billing.load_beside import OpenReceivable
from tenants.billing.models import OrderLine
from tenants.billing.operation import operation
from tenants.billing.receivables import give_up, paid_back, pick
from tenants.billing.rules_arrears import cancel_until
from tenants.billing.undo import (
    check_balance,
    check_unchanged,
    mirrored_lines,
    orders_after,
    pack_is_open,
    restore_account,
)
from tenants.kernel.money import ZERO
from tenants.ledger.chart import RECEIVABLE, Line

# Later orders with one of these changes build on the arrears order: it cannot be pulled out from under them.
_BUILDS_ON = {"plan_id", "expires_at", "state", "quota_epoch", "pack_octets", "pack_seconds"}


@dataclass(frozen=True, slots=True)
class CancelArrears:
    """``order_number`` None: the latest order that is owed."""

    account_id: int
    order_number: str | None = None
    reason: str = ""


@operation("cancel-arrears", permission="op.cancel_arrears")
def cancel_arrears(context: Context, command: CancelArrears) -> Booking:
    """What was paid already goes to the balance. An operator may until old expiry + cancel days, a higher right later.

    Raises NoArrears, OrderNotFound, ArrearsWindowOver, NotLatestOrder, ChangedSince.
    """
    refuse_state(context, held=False, disabled=False)
    one = pick(context, command.order_number)[-1]
    _check_window(context, one)
    check_last_of_its_kind(context, one)
    transfers = paid_back(context, one)
    undo = give_up_undo(context, one)
    rows = context.scope.session.scalars(
        select(OrderLine).where(OrderLine.order_id == one.order.id).order_by(OrderLine.position)
    )
    _, mirrored = mirrored_lines(context, one.order)
    check_balance(context, [*mirrored, *transfers])
    lines = _negative(context, list(rows), mirrored, one)
    restore_account(context, one.order)
    give_up(context, one, "cancelled")
    if context.account.expires_at <= context.now:
        context.disconnect = "expired"
    else:
        context.change_rate = True
    return Booking(
        kind="cancel-arrears",
        method="arrears",
        lines=lines,
        base_expiry=one.order.base_expiry,
        transfers=transfers,
        undoes_id=one.order.id,
        undone_state="cancelled",
        undo=undo,
        reason=command.reason,
    )


def _check_window(context: Context, one: OpenReceivable) -> None:
    until = cancel_until(one.base_expiry, context.settings.arrears_cancel_days, context.zone)
    if context.now > until and not context.actor.may("op.cancel_arrears_late"):
        raise ArrearsWindowOver(until=until.astimezone(context.zone).isoformat(sep=" ", timespec="seconds"))


def check_last_of_its_kind(context: Context, one: OpenReceivable) -> None:
    """Raises NotLatestOrder where a later order builds on this one, ChangedSince where anything else changed it."""
    for later in orders_after(context, one.order):
        if _BUILDS_ON & later.undo.get("account", {}).keys():
            raise NotLatestOrder(field="order", number=one.order.number, latest=later.number)
    check_unchanged(context, one.order, besides=("cut_off_at", "period_price"))


def give_up_lines(context: Context, one: OpenReceivable) -> list[Line]:
    """Ledger lines that take the arrears order back; they sum to zero."""
    return [*mirrored_lines(context, one.order)[1], *paid_back(context, one)]


def give_up_undo(context: Context, one: OpenReceivable) -> dict[str, Any]:
    """How the reversal of the cancelling brings the receivable and its order back."""
    undo: dict[str, Any] = {
        "receivables": [{"id": one.id, "paid": str(one.paid), "state": one.state}],
        "orders": [{"id": one.order.id, "state": "booked", "undone_by_id": None}],
    }
    if pack_is_open(context, one.order):
        undo["packs"] = [{"id": one.order.undo["pack"], "ended_at": None}]
    return undo


def _negative(context: Context, rows: list[OrderLine], mirrored: list[Line], one: OpenReceivable) -> list[BookLine]:
    """The order's lines with the opposite sign; the first carries all ledger lines but the receivable's."""
    account_id = context.account.id
    rest = tuple(line for line in mirrored if (line.kind, line.subject_id) != (RECEIVABLE, account_id))
    return [
        BookLine(row.kind, ZERO - row.amount, rest if index == 0 else (), {"order": one.order.number})
        for index, row in enumerate(rows)
    ]
