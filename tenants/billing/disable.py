"""Disable an account (停用): it cannot connect, its sessions end (OPS-9)."""

from dataclasses import dataclass

from tenants.billing.context import Context, refuse_state
from tenants.billing.operation import operation


@dataclass(frozen=True, slots=True)
class Disable:
    """The account and why."""

    account_id: int
    reason: str = ""


@operation("disable", permission="op.disable")
def disable(context: Context, command: Disable) -> None:
    """The period runs on; nothing is booked. Raises a state's refusal (closed, held, disabled already)."""
    refuse_state(context)
    context.account.state = "disabled"
    context.disconnect = "disabled"
