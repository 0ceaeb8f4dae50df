"""Disable an account (停用): it cannot connect, its sessions end (OPS-9)."""

from dataclasses import dataclass
from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.access.disconnect import disconnect_account
from tenants.billing.context import Context, refuse_state
from tenants.billing.operation import perform
from tenants.billing.result import OperationResult
from tenants.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Disable:
    """The account and why."""

    account_id: int
    reason: str = ""


def disable(
    scope: TenantScope, command: Disable, *, actor: Actor, now: datetime, key: str | None = None
) -> OperationResult:
    """The period runs on; nothing is booked. Raises a state's refusal (closed, held, disabled already)."""
    return perform(scope, "disable", command, _disable, permission="op.disable", actor=actor, now=now, key=key)


def _disable(context: Context, command: Disable) -> None:
    refuse_state(context)
    context.account.state = "disabled"
    disconnect_account(context.scope, command.account_id, "disabled")
