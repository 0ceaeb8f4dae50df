"""Buy what self-service offers, out of the balance (SLF-2, SLF-3)."""

from dataclasses import dataclass

from tenants.billing.booking import Booking
from tenants.billing.buy import Buy, buy
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.context import Context
from tenants.billing.errors import OtherGroup
from tenants.billing.operation import operation


@dataclass(frozen=True, slots=True)
class TakeOffer:
    """``quantity`` of an offered plan."""

    account_id: int
    plan_id: int
    quantity: int = 1


@operation("take-offer", permission="op.buy", reads="sold")
def take_offer(context: Context, command: TakeOffer) -> Booking | None:
    """A purchase, or a change of plan where the rules ask for one; it is logged as what it came to.

    The key is that of the offer: after a change of plan the same form would count as a renewal.
    Raises BalanceTooShort and the refusals of either.
    """
    try:
        context.called = buy.name
        return buy.body(context, Buy(command.account_id, command.plan_id, command.quantity, "balance"))
    except OtherGroup:  # refused before anything was changed
        context.actor.require(change_plan.permission)
        context.called = change_plan.name
        wanted = ChangePlan(command.account_id, command.plan_id, command.quantity, "balance")
        return change_plan.body(context, wanted)
