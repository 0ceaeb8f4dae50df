"""A booking, done or previewed, as its page tells it: lines with how each came about, total, old → new."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from portals.shared.formats import local, money
from portals.shared.i18n import _
from portals.shared.words import LINE_KINDS, word
from tenants.billing.result import OperationResult, OrderLineView

Line = tuple[str, str, Decimal]
Change = tuple[str, str, str]


def lines_of(lines: Sequence[OrderLineView]) -> list[Line]:
    """(what, how it came about, amount) of each line."""
    return [(word(LINE_KINDS, line.kind), how_computed(line.explanation), line.amount) for line in lines]


def how_computed(facts: dict[str, Any]) -> str:
    """How a line came about, so that a plain reader can check it: ``140.00 × 1``."""
    if facts.get("new_daily") is not None and facts.get("old_daily") is not None:
        return _(
            "(%(new)s − %(old)s) × %(days)s whole days left",
            new=facts["new_daily"],
            old=facts["old_daily"],
            days=facts.get("days", facts.get("days_left", "")),
        )
    if facts.get("price") is not None and facts.get("quantity") is not None:
        return f"{facts.get('plan', '')} {money(Decimal(str(facts['price'])))} × {facts['quantity']}".strip()
    for name in ("promotion", "order", "name", "reason", "note"):
        if facts.get(name):
            return str(facts[name])
    return ""


def changes_of(result: OperationResult) -> list[Change]:
    """(what, old, new) of plan, expiry, balance and arrears, as far as they change."""
    before, after = result.before, result.after
    changes = []
    if before.plan_name != after.plan_name:
        changes.append((_("Plan"), before.plan_name, after.plan_name))
    if before.expires_at != after.expires_at:
        changes.append((_("Expires"), local(before.expires_at), local(after.expires_at)))
    if before.balance != after.balance:
        changes.append((_("Balance"), money(before.balance), money(after.balance)))
    if before.receivable != after.receivable:
        changes.append((_("Owing"), money(before.receivable), money(after.receivable)))
    return changes
