"""Set plan and expiry by hand, with an income or an expense (手动更改, OPS-3)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from tenants.billing.booking import Booking, revenue
from tenants.billing.context import Context, need_balance, offered_plan, refuse_state
from tenants.billing.errors import BadExpiry, NothingToDo
from tenants.billing.operation import operation
from tenants.billing.purchase import carried_value, check_method, grant_plan
from tenants.billing.typed_expiry import typed_expiry
from tenants.kernel.money import ZERO, amount
from tenants.kernel.period import never
from tenants.ledger.chart import EXPENSE, REVENUE_OTHER


@dataclass(frozen=True, slots=True)
class ManualChange:
    """What is set; None leaves it. ``amount``: positive is an income, negative an expense."""

    account_id: int
    plan_id: int | None = None
    expires_at: datetime | None = None
    amount: Decimal = ZERO
    method: str = "cash"
    reason: str = ""


@operation("manual", permission="op.manual")
def manual_change(context: Context, command: ManualChange) -> Booking:
    """Never on arrears. The expiry 2100-01-01 00:00 in the tenant's zone means *never expires*.

    Raises NothingToDo, BadExpiry, BadMethod, BalanceTooShort, Forbidden, or a state's refusal.
    """
    account = context.account
    refuse_state(context, not_activated=command.expires_at is None)
    check_method(context, command.method, ("cash", "balance"))
    money = amount(command.amount, negative=True)
    new_plan = command.plan_id is not None and command.plan_id != account.plan_id
    if not new_plan and command.expires_at is None and money == 0:
        raise NothingToDo(what="neither plan nor expiry nor an amount was given")
    if command.method == "balance" and money > 0:
        need_balance(context, money)
    carried, gifts = carried_value(context)
    if new_plan and command.plan_id is not None:
        grant_plan(context, offered_plan(context, command.plan_id))
    if command.expires_at is not None:
        account.expires_at = typed_expiry(context, _checked(context, command.expires_at))
        account.never_expires = account.expires_at == never(context.zone)
        if account.never_expires:
            context.actor.require("op.never_expires")
        account.activated_at = account.activated_at or context.now
    if new_plan or command.expires_at is not None:
        account.period_started_at = context.now
        account.period_price = max(ZERO, carried + money)
        account.period_gift_seconds = gifts
        if account.first_due_at is not None and command.expires_at is not None:
            account.first_due_at = account.expires_at
        context.change_rate = True
    else:
        context.used_before = 0  # the period goes on
    line = revenue("manual", money, REVENUE_OTHER if money > 0 else EXPENSE, reason=command.reason)
    return Booking(kind="manual", method=command.method, lines=[line] if money else [], reason=command.reason)


def _checked(context: Context, expires_at: datetime) -> datetime:
    expires_at = expires_at.astimezone(UTC)
    if expires_at < context.account.opened_at:
        reason = "it lies before the account was opened"
    elif expires_at > never(context.zone):
        reason = "nothing lies beyond 2100-01-01 00:00, which means never"
    else:
        return expires_at
    raise BadExpiry(
        field="expires_at", expiry=f"{expires_at.astimezone(context.zone):%Y-%m-%d %H:%M:%S}", reason=reason
    )
