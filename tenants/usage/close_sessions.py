"""Close open sessions in our books: they move into the history with the last values they reported (RAD-4).

Usage per day was counted with each report, so nothing is added and nothing is lost.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session as DatabaseSession

from tenants.usage.models import Session as OnlineSession
from tenants.usage.models import SessionHistory

STALE, CLEARED = 100, 103  # SessionHistory.cause
_BASES = {"base_seconds", "base_octets_in", "base_octets_out"}  # 0 while open, null in the history when nothing


def close_sessions(session: DatabaseSession, conditions: Sequence[ColumnElement[bool]], *, cause: int) -> int:
    """Close the sessions that meet the conditions, as of their last report; gives how many.

    The conditions must name the tenant, unless the caller works across tenants.
    """
    open_columns = {column.name for column in OnlineSession.__table__.columns}
    names = [column.name for column in SessionHistory.__table__.columns if column.name in open_columns]
    gone = delete(OnlineSession).where(*conditions).returning(*OnlineSession.__table__.columns).cte("gone")
    values: list[Any] = [func.nullif(gone.c[name], 0) if name in _BASES else gone.c[name] for name in names]
    rows = select(*values, gone.c.updated_at, literal(cause))
    kept = (
        insert(SessionHistory)
        .from_select([*names, "ended_at", "cause"], rows)
        .returning(literal(1).label("one"))
        .cte("kept")
    )
    return session.scalar(select(func.count()).select_from(kept)) or 0
