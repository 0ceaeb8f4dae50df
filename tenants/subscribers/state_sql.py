"""The eight shown states as SQL conditions, so that a list can filter and count by them (SUB-5).

The twin of ``rules.shown_state``; a test compares both over all combinations. Each condition is written so that an
index bounds it: the rare states have partial indexes, the others are ranges of ``expires_at``.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, or_

from tenants.subscribers.models import Account

STATES = ("normal", "expiring", "expired", "held", "disabled", "arrears", "not_activated", "closed")


def state_conditions(now: datetime, expiring_days: int) -> dict[str, ColumnElement[bool]]:
    """Each state's condition; exactly one of them is true for every account."""
    soon = now + timedelta(days=expiring_days)
    active = Account.state == "active"
    started = and_(active, Account.activated_at.is_not(None))
    paid = and_(started, Account.receivable == 0)
    return {
        "closed": Account.state == "closed",
        "disabled": Account.state == "disabled",
        "held": Account.state == "held",
        "not_activated": and_(active, Account.activated_at.is_(None)),
        "arrears": and_(started, Account.receivable > 0),
        "expired": and_(paid, Account.never_expires.is_(False), Account.expires_at <= now),
        "expiring": and_(paid, Account.never_expires.is_(False), Account.expires_at > now, Account.expires_at <= soon),
        "normal": and_(paid, or_(Account.never_expires.is_(True), Account.expires_at > soon)),
    }


def shown_state_expression(now: datetime, expiring_days: int) -> ColumnElement[str]:
    """The shown state as a column."""
    conditions = state_conditions(now, expiring_days)
    return case(*((condition, name) for name, condition in conditions.items()), else_="normal")
