"""Close an account: as a refund, and its name is free again after 30 days (销户, OPS-10)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from infra.tenant_scope import TenantScope
from tenants.billing.booking import Booking
from tenants.billing.context import Context, refuse_state
from tenants.billing.operation import perform
from tenants.billing.refund import pay_out
from tenants.billing.result import OperationResult
from tenants.kernel.actor import Actor
from tenants.subscribers.delete_account import keep_name


@dataclass(frozen=True, slots=True)
class Close:
    """``amount`` None pays out the proposal."""

    account_id: int
    amount: Decimal | None = None
    reason: str = ""


def close(
    scope: TenantScope, command: Close, *, actor: Actor, now: datetime, key: str | None = None
) -> OperationResult:
    """Raises InArrears, AccountHeld, AccountClosed, Forbidden (another amount than proposed), BadAmount."""
    return perform(scope, "close", command, _close, permission="op.close", actor=actor, now=now, key=key)


def _close(context: Context, command: Close) -> Booking:
    refuse_state(context, disabled=False, arrears=True)
    booking = pay_out(context, "close", command.amount, command.reason)
    context.account.state = "closed"
    context.account.closed_at = context.now
    keep_name(context.scope, context.account.id, context.now)
    return booking
