"""Renew from the balance when the period ends (SLF-10), switched on or off."""

from dataclasses import dataclass
from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.billing.context import Context, refuse_state
from tenants.billing.errors import NoPlan, NothingToDo
from tenants.billing.operation import perform
from tenants.billing.result import OperationResult
from tenants.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class SetAutoRenew:
    """The account, and whether it renews by itself."""

    account_id: int
    on: bool


def set_auto_renew(
    scope: TenantScope, command: SetAutoRenew, *, actor: Actor, now: datetime, key: str | None = None
) -> OperationResult:
    """Nothing is booked now. Raises NoPlan, NothingToDo, or the refusal of a closed account."""
    return perform(scope, "auto-renew", command, _set, permission="op.buy", actor=actor, now=now, key=key)


def _set(context: Context, command: SetAutoRenew) -> None:
    refuse_state(context, held=False, disabled=False)
    if context.account.plan_id is None:
        raise NoPlan()
    if context.account.auto_renew == command.on:
        raise NothingToDo(what="it is already so")
    context.account.auto_renew = command.on
