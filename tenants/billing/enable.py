"""Enable a disabled account (启用, OPS-9)."""

from dataclasses import dataclass

from tenants.billing.context import Context, refuse_state
from tenants.billing.errors import NotDisabled
from tenants.billing.operation import operation


@dataclass(frozen=True, slots=True)
class Enable:
    """The account and why."""

    account_id: int
    reason: str = ""


@operation("enable", permission="op.enable")
def enable(context: Context, command: Enable) -> None:
    """Back to active. Raises NotDisabled, or the refusal of a closed account."""
    refuse_state(context, held=False, disabled=False)
    if context.account.state != "disabled":
        raise NotDisabled(account=context.account.username)
    context.account.state = "active"
