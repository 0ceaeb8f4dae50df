"""Print the receipt of an order: the first print is the receipt, each later one is marked as a reprint (FIN-4)."""

from datetime import datetime

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.audit.models import AuditEntry
from tenants.audit.record import record
from tenants.billing.queries_orders import OrderRow
from tenants.kernel.actor import Actor

_ACTION = "order.print"


def times_printed(scope: TenantScope, order: OrderRow) -> int:
    """How often the receipt was printed; the operation log remembers, and nobody can change it."""
    printed = select(func.count()).where(
        AuditEntry.object_kind == "order", AuditEntry.object_id == str(order.id), AuditEntry.action == _ACTION
    )
    return int(scope.session.execute(printed).scalar_one())


def print_receipt(scope: TenantScope, order: OrderRow, *, actor: Actor, now: datetime) -> int:
    """Write the print down; gives how often it was printed before. Raises Forbidden."""
    before = times_printed(scope, order)
    actor.require("receipts.reprint" if before else "receipts.print")
    record(
        scope,
        actor=actor,
        action=_ACTION,
        object_kind="order",
        object_id=order.id,
        object_label=order.number,
        after={"copy": before + 1},
        now=now,
    )
    return before
