"""Resume a held account: the pause is added to the expiry, to the second (保号恢复, OPS-7; G4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from infra.outbox import set_due
from tenants.billing.add_pack import PACK_END
from tenants.billing.booking import Booking, revenue
from tenants.billing.context import Context, refuse_state
from tenants.billing.errors import NotHeld, NowBeforeOrder, PeriodTooFar
from tenants.billing.operation import operation
from tenants.kernel.money import ZERO, amount
from tenants.kernel.period import is_never
from tenants.ledger.chart import REVENUE_FEE


@dataclass(frozen=True, slots=True)
class Resume:
    """The account and a cash fee, which may be 0."""

    account_id: int
    fee: Decimal = ZERO
    reason: str = ""


@operation("resume", permission="op.resume")
def resume(context: Context, command: Resume) -> Booking:
    """Expiry, quota periods and due times shift by now − hold time. Raises NotHeld, NowBeforeOrder, InArrears."""
    account = context.account
    refuse_state(context, held=False, arrears=True)
    fee = amount(command.fee, field="fee")
    if account.state != "held" or account.held_at is None:
        raise NotHeld(account=account.username)
    if context.now < account.held_at:
        raise NowBeforeOrder(field="now", now=context.now.isoformat(), latest=account.held_at.isoformat())
    held_at, pause = account.held_at, context.now - account.held_at
    account.state = "active"
    account.held_at = None
    account.expires_at += pause
    if is_never(account.expires_at, context.zone):
        raise PeriodTooFar()
    account.first_due_at = None if account.first_due_at is None else account.first_due_at + pause
    # The share that is used stays the same: the period as a whole moves.
    account.period_started_at = None if account.period_started_at is None else account.period_started_at + pause
    hold = context.beside.hold
    assert hold is not None  # a held account has one
    context.set_row("holds", hold.id, resumed_at=context.now)
    packs = _shift_packs(context, hold.packs, pause)
    facts: dict[str, Any] = {
        "held_at": held_at.isoformat(),
        "resumed_at": context.now.isoformat(),
        "seconds": str(pause.total_seconds()),
    }
    return Booking(
        kind="resume",
        method="cash" if fee else "none",
        lines=[revenue("fee", fee, REVENUE_FEE, **facts)] if fee else [],
        undo={"holds": [{"id": hold.id, "resumed_at": None}], "packs": packs, "pause": facts},
        reason=command.reason,
    )


def _shift_packs(context: Context, packs: Sequence[tuple[int, datetime]], pause: timedelta) -> list[dict[str, Any]]:
    undo = []
    for pack_id, expires_at in packs:
        scope = context.by_itself()  # their due rows move, too
        undo.append({"id": pack_id, "expires_at": expires_at.isoformat()})
        context.set_row("packs", pack_id, expires_at=expires_at + pause)
        set_due(scope.session, scope.tenant_id, PACK_END, pack_id, expires_at + pause)
    return undo
