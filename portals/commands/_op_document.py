"""What ``op`` commands print, and who acts in them."""

from typing import Any
from zoneinfo import ZoneInfo

from portals.commands._tenant import AT_THE_COMMAND_LINE
from tenants.billing.check import CheckReport
from tenants.billing.result import OrderView
from tenants.kernel.actor import Actor
from tenants.kernel.money import show
from tenants.kernel.period import local_iso
from tenants.staff.permissions import CATALOGUE

# What an ordinary operator is bound by: the windows of reversals and arrears, and hidden plans.
HIGHER_RIGHTS = frozenset({"op.reverse_any_time", "op.cancel_arrears_late", "op.sell_hidden"})
ORDINARY_OPERATOR = Actor(
    "cli",
    None,
    "command line",
    frozenset(right.code for group in CATALOGUE for right in group.permissions) - HIGHER_RIGHTS,
)


def acting(role: str) -> Actor:
    """The actor of ``--as``: an ordinary operator, or the owner who is bound by no window."""
    return AT_THE_COMMAND_LINE if role == "owner" else ORDINARY_OPERATOR


def order_document(order: OrderView | None, zone: ZoneInfo) -> dict[str, Any] | None:
    """One order: amounts with two decimals, instants with the tenant's offset."""
    if order is None:
        return None
    return {
        "number": order.number,
        "kind": order.kind,
        "at": local_iso(order.at, zone),
        "method": order.method,
        "quantity": order.quantity,
        "total": show(order.total),
        "lines": [
            {"kind": line.kind, "amount": show(line.amount), "explanation": line.explanation} for line in order.lines
        ],
        "plan_before": order.plan_before,
        "plan": order.plan_after,
        "expires_before": local_iso(order.expires_before, zone),
        "expires_at": local_iso(order.expires_after, zone),
        "computed_difference": None if order.computed_difference is None else show(order.computed_difference),
        "charged_difference": None if order.charged_difference is None else show(order.charged_difference),
    }


def check_document(report: CheckReport) -> dict[str, Any]:
    """The result of ``ledger check``."""
    return {
        "ok": report.ok,
        "orders": report.orders,
        "entries": report.totals.entries,
        "debits": show(report.totals.debits),
        "credits": show(report.totals.credits),
        "findings": [
            {"what": f.what, "subject": f.subject, "stored": f.stored, "recomputed": f.recomputed}
            for f in report.findings
        ],
    }
