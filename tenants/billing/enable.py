"""Enable a disabled account (启用, OPS-9)."""

from dataclasses import dataclass
from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.billing.context import Context, refuse_state
from tenants.billing.errors import NotDisabled
from tenants.billing.operation import perform
from tenants.billing.result import OperationResult
from tenants.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Enable:
    """The account and why."""

    account_id: int
    reason: str = ""


def enable(
    scope: TenantScope, command: Enable, *, actor: Actor, now: datetime, key: str | None = None
) -> OperationResult:
    """Back to active. Raises NotDisabled, or the refusal of a closed account."""
    return perform(scope, "enable", command, _enable, permission="op.enable", actor=actor, now=now, key=key)


def _enable(context: Context, command: Enable) -> None:
    refuse_state(context, held=False, disabled=False)
    if context.account.state != "disabled":
        raise NotDisabled(account=context.account.username)
    context.account.state = "active"
