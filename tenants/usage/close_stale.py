"""Close sessions that have been silent for too long, with the last values they reported (RAD-5; radius.md, "Stale")."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Integer, column, func, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session as DatabaseSession
from sqlalchemy.types import Interval

from tenants.usage.close_sessions import STALE, close_sessions
from tenants.usage.models import Session as OnlineSession


def close_stale_sessions(
    session: DatabaseSession, silence_seconds: Mapping[int, int], *, listening_since: datetime, now: datetime
) -> int:
    """Close what has been silent for longer than its tenant (id → seconds) allows; gives how many sessions.

    ``listening_since``: when the oldest node that listens now began. Silence before that is ours, not the routers':
    after a stop of the whole cluster every session gets its full time to report again.
    """
    if not silence_seconds:
        return 0
    tenants = (
        func.unnest(
            literal(list(silence_seconds), ARRAY(Integer)), literal(list(silence_seconds.values()), ARRAY(Integer))
        )
        .table_valued(column("tenant", Integer), column("seconds", Integer))
        .render_derived(name="limits")
    )
    silent_since = literal(now) - func.make_interval(0, 0, 0, 0, 0, 0, tenants.c.seconds, type_=Interval())
    conditions = [
        OnlineSession.tenant_id == tenants.c.tenant,
        OnlineSession.updated_at < silent_since,
        literal(listening_since) < silent_since,
    ]
    return close_sessions(session, conditions, cause=STALE)


def longest_silence(interim_seconds: int, intervals: int) -> int:
    """Seconds of silence after which a session is stale; never below a minute, whatever the settings say."""
    return int(max(timedelta(minutes=1), timedelta(seconds=interim_seconds * intervals)).total_seconds())
