"""A list's filter as a task keeps it: plain JSON there and back."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from tenants.billing.queries_fees import FeeFilter
from tenants.subscribers.queries_history import HistoryFilter
from tenants.subscribers.queries_list import AccountFilter
from tenants.subscribers.queries_online import OnlineFilter

_INSTANTS = ("opened_from", "opened_until", "expires_from", "expires_until", "since", "until")


def as_json(wanted: AccountFilter | FeeFilter | HistoryFilter | OnlineFilter) -> dict[str, Any]:
    """Instants as ISO 8601."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(wanted).items()}


def account_filter(kept: dict[str, Any]) -> AccountFilter:
    """The filter of a list of accounts."""
    return AccountFilter(**_values(kept))


def fee_filter(kept: dict[str, Any]) -> FeeFilter:
    """The filter of a list of fee records."""
    return FeeFilter(**_values(kept))


def history_filter(kept: dict[str, Any]) -> HistoryFilter:
    """The filter of a list of closed sessions."""
    return HistoryFilter(**_values(kept))


def online_filter(kept: dict[str, Any]) -> OnlineFilter:
    """The filter of a list of open sessions."""
    return OnlineFilter(**kept)


def _values(kept: dict[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name in _INSTANTS and isinstance(value, str) else value
        for name, value in kept.items()
    }
