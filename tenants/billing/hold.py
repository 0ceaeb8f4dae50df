"""Hold an account: it cannot connect and its time stands still (停机保号, OPS-7)."""

from dataclasses import dataclass
from decimal import Decimal

from tenants.billing.booking import Booking, revenue
from tenants.billing.context import Context, refuse_state
from tenants.billing.errors import AccountExpired, NoPlan
from tenants.billing.operation import operation
from tenants.billing.purchase import effective_expiry
from tenants.billing.rules import is_expired
from tenants.kernel.money import ZERO, amount
from tenants.ledger.chart import REVENUE_FEE


@dataclass(frozen=True, slots=True)
class Hold:
    """The account and a cash fee, which may be 0."""

    account_id: int
    fee: Decimal = ZERO
    reason: str = ""


@operation("hold", permission="op.hold")
def hold(context: Context, command: Hold) -> Booking:
    """Raises AccountExpired, InArrears, AccountHeld (twice), NoPlan, or a state's refusal."""
    account = context.account
    refuse_state(context, never=True, not_activated=True, arrears=True)
    fee = amount(command.fee, field="fee")
    if account.plan_id is None:
        raise NoPlan()
    if is_expired(effective_expiry(context), context.now):
        raise AccountExpired(account=account.username)
    account.state = "held"
    account.held_at = context.now
    context.disconnect = "held"
    return Booking(
        kind="hold",
        method="cash" if fee else "none",
        lines=[revenue("fee", fee, REVENUE_FEE)] if fee else [],
        holds=True,
        reason=command.reason,
    )
