"""A booking, done or previewed, as its page tells it: lines with how each came about, total, old → new."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from portals.shared.explain_line import explain_line
from portals.shared.formats import local, money
from portals.shared.i18n import _
from portals.shared.words import ACCOUNT_STATES, LINE_KINDS, word
from tenants.billing.result import OperationResult, OrderLineView

Line = tuple[str, str, Decimal]
Change = tuple[str, str, str]
NEVER_YEAR = 2099  # an expiry from then on is "never", or "from the first login"


def lines_of(lines: Sequence[OrderLineView]) -> list[Line]:
    """(what, how it came about, amount) of each line."""
    return [
        (word(LINE_KINDS, line.kind), explain_line(line.kind, line.explanation, line.amount), line.amount)
        for line in lines
    ]


def changes_of(result: OperationResult) -> list[Change]:
    """(what, old, new) of state, plan, expiry, balance and arrears, as far as they change."""
    before, after = result.before, result.after
    changes = []
    if before.state != after.state:
        changes.append((_("State"), word(ACCOUNT_STATES, before.state), word(ACCOUNT_STATES, after.state)))
    if before.plan_name != after.plan_name:
        changes.append((_("Plan"), before.plan_name, after.plan_name))
    if before.expires_at != after.expires_at:
        old, new = (_expiry(one.expires_at, one.activated) for one in (before, after))
        if old != new:
            changes.append((_("Expires"), old, new))
    if before.balance != after.balance:
        changes.append((_("Balance"), money(before.balance), money(after.balance)))
    if before.receivable != after.receivable:
        changes.append((_("Owing"), money(before.receivable), money(after.receivable)))
    return changes


def _expiry(at: datetime, activated: bool) -> str:
    """To the second: a hold of a few seconds moves it, too."""
    if at.year < NEVER_YEAR:
        return local(at, seconds=True)
    return _("Never expires") if activated else _("from the first login")
