"""Renew from the balance when the period ends (SLF-10), switched on or off."""

from dataclasses import dataclass

from tenants.billing.context import Context, refuse_state
from tenants.billing.errors import NoPlan, NothingToDo
from tenants.billing.operation import operation


@dataclass(frozen=True, slots=True)
class SetAutoRenew:
    """The account, and whether it renews by itself."""

    account_id: int
    on: bool


@operation("auto-renew", permission="op.buy")
def set_auto_renew(context: Context, command: SetAutoRenew) -> None:
    """Nothing is booked now. Raises NoPlan, NothingToDo, or the refusal of a closed account."""
    refuse_state(context, held=False, disabled=False)
    if context.account.plan_id is None:
        raise NoPlan()
    if context.account.auto_renew == command.on:
        raise NothingToDo(what="it is already so")
    context.account.auto_renew = command.on
