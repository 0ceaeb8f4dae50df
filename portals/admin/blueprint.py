"""The blueprint all pages of the staff's portal hang on, and what each view takes from the request."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, g, url_for

from portals.admin import page_words
from portals.shared.currency import currency_sign
from portals.shared.in_request import actor as actor  # every view takes them from here
from portals.shared.in_request import present as present
from portals.shared.in_request import scope as scope
from tenants.subscribers.kick import SessionKey

blueprint = Blueprint("admin", __name__, template_folder="templates")


@blueprint.context_processor
def _names() -> dict[str, Any]:
    """What every template of the portal may use: words for codes, and the currency's sign."""
    return {"words": page_words, "session_url": session_url, "sign": currency_sign() if hasattr(g, "settings") else ""}


def session_url(row: Any) -> str:
    """The address of a session's page, for the rows of lists."""
    key = SessionKey(row.nas_id, row.session_id, row.username).text()
    return url_for("admin.show_session", key=key, began=f"{row.started_at.timestamp():.6f}")


def local_midnight(days_ago: int = 0) -> datetime:
    """The beginning of the tenant's day, as an instant."""
    local = present().astimezone(scope().zone)
    return (local - timedelta(days=days_ago)).replace(hour=0, minute=0, second=0, microsecond=0)


def local_date(text: str, *, end: bool = False) -> datetime | None:
    """``2026-11-22`` as the instant at which that day begins in the tenant's zone (``end``: at which it is over)."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=scope().zone)
    except ValueError:
        return None
    return day + timedelta(days=1) if end else day


def as_number(text: str) -> int | None:
    """``text`` as a positive whole number that a database can hold, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
