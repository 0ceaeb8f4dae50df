"""Close an account: as a refund, and its name is free again after 30 days (销户, OPS-10)."""

from dataclasses import dataclass
from decimal import Decimal

from tenants.billing.booking import Booking
from tenants.billing.context import Context, refuse_state
from tenants.billing.operation import operation
from tenants.billing.refund import pay_out
from tenants.subscribers.delete_account import keep_name


@dataclass(frozen=True, slots=True)
class Close:
    """``amount`` None pays out the proposal."""

    account_id: int
    amount: Decimal | None = None
    reason: str = ""


@operation("close", permission="op.close")
def close(context: Context, command: Close) -> Booking:
    """Raises InArrears, AccountHeld, AccountClosed, Forbidden (another amount than proposed), BadAmount."""
    refuse_state(context, disabled=False, arrears=True)
    booking = pay_out(context, "close", command.amount, command.reason)
    context.account.state = "closed"
    context.account.closed_at = context.now
    keep_name(context.by_itself(), context.account.id, context.now)
    return booking
