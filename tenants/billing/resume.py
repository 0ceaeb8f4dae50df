"""Resume a held account: the pause is added to the expiry, to the second (保号恢复, OPS-7; G4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from infra.outbox import set_due
from infra.tenant_scope import TenantScope
from tenants.billing.add_pack import PACK_END
from tenants.billing.booking import Booking, revenue
from tenants.billing.context import Context, refuse_state
from tenants.billing.errors import NotHeld, NowBeforeOrder, PeriodTooFar
from tenants.billing.models import Hold, Pack
from tenants.billing.operation import perform
from tenants.billing.result import OperationResult
from tenants.kernel.actor import Actor
from tenants.kernel.money import ZERO, amount
from tenants.kernel.period import is_never
from tenants.ledger.chart import REVENUE_FEE


@dataclass(frozen=True, slots=True)
class Resume:
    """The account and a cash fee, which may be 0."""

    account_id: int
    fee: Decimal = ZERO
    reason: str = ""


def resume(
    scope: TenantScope, command: Resume, *, actor: Actor, now: datetime, key: str | None = None
) -> OperationResult:
    """Expiry, quota periods and due times shift by now − hold time. Raises NotHeld, NowBeforeOrder, InArrears."""
    return perform(scope, "resume", command, _resume, permission="op.resume", actor=actor, now=now, key=key)


def _resume(context: Context, command: Resume) -> Booking:
    account = context.account
    refuse_state(context, held=False, arrears=True)
    fee = amount(command.fee, field="fee")
    if account.state != "held" or account.held_at is None:
        raise NotHeld(account=account.username)
    if context.now < account.held_at:
        raise NowBeforeOrder(field="now", now=context.now.isoformat(), latest=account.held_at.isoformat())
    session = context.scope.session
    held_at, pause = account.held_at, context.now - account.held_at
    account.state = "active"
    account.held_at = None
    account.expires_at += pause
    if is_never(account.expires_at, context.zone):
        raise PeriodTooFar()
    account.first_due_at = None if account.first_due_at is None else account.first_due_at + pause
    # The share that is used stays the same: the period as a whole moves.
    account.period_started_at = None if account.period_started_at is None else account.period_started_at + pause
    hold_id = session.execute(
        update(Hold)
        .where(Hold.account_id == account.id, Hold.resumed_at.is_(None), Hold.undone_at.is_(None))
        .values(resumed_at=context.now)
        .returning(Hold.id)
    ).scalar_one()
    packs = _shift_packs(context, pause)
    facts: dict[str, Any] = {
        "held_at": held_at.isoformat(),
        "resumed_at": context.now.isoformat(),
        "seconds": str(pause.total_seconds()),
    }
    return Booking(
        kind="resume",
        method="cash" if fee else "none",
        lines=[revenue("fee", fee, REVENUE_FEE, **facts)] if fee else [],
        undo={"holds": [{"id": hold_id, "resumed_at": None}], "packs": packs, "pause": facts},
        reason=command.reason,
    )


def _shift_packs(context: Context, pause: timedelta) -> list[dict[str, Any]]:
    session, undo = context.scope.session, []
    running = select(Pack).where(Pack.account_id == context.account.id, Pack.ended_at.is_(None))
    for pack in session.scalars(running.where(Pack.expires_at.is_not(None))):
        assert pack.expires_at is not None
        undo.append({"id": pack.id, "expires_at": pack.expires_at.isoformat()})
        pack.expires_at += pause
        set_due(session, context.scope.tenant_id, PACK_END, pack.id, pack.expires_at)
    return undo
