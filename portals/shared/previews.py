"""A booking, done or previewed, as its page tells it: lines with how each came about, total, old → new."""

from collections.abc import Sequence
from decimal import Decimal

from portals.shared.explain_line import explain_line
from portals.shared.formats import local, money
from portals.shared.i18n import _
from portals.shared.words import LINE_KINDS, word
from tenants.billing.result import OperationResult, OrderLineView

Line = tuple[str, str, Decimal]
Change = tuple[str, str, str]


def lines_of(lines: Sequence[OrderLineView]) -> list[Line]:
    """(what, how it came about, amount) of each line."""
    return [
        (word(LINE_KINDS, line.kind), explain_line(line.kind, line.explanation, line.amount), line.amount)
        for line in lines
    ]


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
