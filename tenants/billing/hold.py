"""Hold an account: it cannot connect and its time stands still (停机保号, OPS-7)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from infra.tenant_scope import TenantScope
from tenants.access.disconnect import disconnect_account
from tenants.billing.booking import Booking, revenue
from tenants.billing.context import Context, refuse_state
from tenants.billing.errors import AccountExpired, NoPlan
from tenants.billing.models import Hold as HoldRow
from tenants.billing.operation import perform
from tenants.billing.purchase import effective_expiry
from tenants.billing.result import OperationResult
from tenants.billing.rules import is_expired
from tenants.kernel.actor import Actor
from tenants.kernel.money import ZERO, amount
from tenants.ledger.chart import REVENUE_FEE


@dataclass(frozen=True, slots=True)
class Hold:
    """The account and a cash fee, which may be 0."""

    account_id: int
    fee: Decimal = ZERO
    reason: str = ""


def hold(scope: TenantScope, command: Hold, *, actor: Actor, now: datetime, key: str | None = None) -> OperationResult:
    """Raises AccountExpired, InArrears, AccountHeld (twice), NoPlan, or a state's refusal."""
    return perform(scope, "hold", command, _hold, permission="op.hold", actor=actor, now=now, key=key)


def _hold(context: Context, command: Hold) -> Booking:
    account = context.account
    refuse_state(context, never=True, not_activated=True, arrears=True)
    fee = amount(command.fee, field="fee")
    if account.plan_id is None:
        raise NoPlan()
    if is_expired(effective_expiry(context), context.now):
        raise AccountExpired(account=account.username)
    account.state = "held"
    account.held_at = context.now
    row = HoldRow(account_id=account.id, held_at=context.now)
    context.scope.session.add(row)
    context.scope.session.flush()  # its id is part of how the order is undone
    disconnect_account(context.scope, account.id, "held")
    return Booking(
        kind="hold",
        method="cash" if fee else "none",
        lines=[revenue("fee", fee, REVENUE_FEE)] if fee else [],
        undo={"hold": row.id},
        reason=command.reason,
    )
