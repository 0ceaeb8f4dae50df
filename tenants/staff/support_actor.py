"""What somebody of the platform may do inside a tenant (TEN-5): the work of staff, without passwords and secrets."""

from typing import Final

from tenants.kernel.actor import Actor
from tenants.registry.support_login import SupportView
from tenants.staff.permissions import ALL

# Support sees how things stand and mends settings; it takes no secrets away and moves no money.
NEVER: Final = frozenset(
    {
        "nas.secret",
        "op.query_password",
        "op.reset_password",
        "accounts.personal_data",
        "accounts.export",
        "money.export",
        "orders.export",
        "online.export",
        "reports.export",
        "cards.export",
        "logs.export",
        "backups.manage",
        "api.manage",
        "money.settle",
        "money.review",
        "agents.top_up",
        "pay.cash",
        "pay.balance",
        "pay.arrears",
        "pay.online",
        "op.top_up",
        "op.manual",
        "op.refund",
        "staff.add",
        "staff.edit",
        "staff.delete",
    }
)


def support_actor(support: SupportView, address: str) -> Actor:
    """The actor behind a support login; the tenant's operation log names the person."""
    return Actor("platform", None, support.operator, permissions=ALL - NEVER, address=address)
