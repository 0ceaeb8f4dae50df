"""Close sessions that have been silent for too long, with the last values they reported (RAD-5; radius.md, "Stale")."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Integer, TableValuedAlias, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session as DatabaseSession
from sqlalchemy.types import Interval

from tenants.usage.close_sessions import STALE, close_sessions
from tenants.usage.models import Session as OnlineSession


@dataclass(frozen=True, slots=True)
class Silence:
    """Seconds without a report after which a session counts as gone: of each tenant, and of routers that have their
    own."""

    of_tenants: Mapping[int, int]
    of_routers: Mapping[int, int]


def close_stale_sessions(
    session: DatabaseSession, silence: Silence, *, listening_since: datetime, now: datetime
) -> int:
    """Close what has been silent for longer than its tenant or router allows; gives how many sessions.

    ``listening_since``: when the oldest node that listens now began. Silence before that is ours, not the routers':
    after a stop of the whole cluster every session gets its full time to report again.
    """
    if not silence.of_tenants:
        return 0
    tenants, routers = _table(silence.of_tenants, "limits"), _table(silence.of_routers, "own")
    own = select(routers.c.seconds).where(routers.c.id == OnlineSession.nas_id).scalar_subquery()
    seconds = func.coalesce(own, tenants.c.seconds) if silence.of_routers else tenants.c.seconds
    silent_since = literal(now) - func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=Interval())
    conditions = [
        OnlineSession.tenant_id == tenants.c.id,
        OnlineSession.updated_at < silent_since,
        literal(listening_since) < silent_since,
    ]
    return close_sessions(session, conditions, cause=STALE)


def _table(seconds: Mapping[int, int], name: str) -> TableValuedAlias:
    columns = literal(list(seconds), ARRAY(Integer)), literal(list(seconds.values()), ARRAY(Integer))
    return func.unnest(*columns).table_valued(column("id", Integer), column("seconds", Integer)).render_derived(name)


def longest_silence(interim_seconds: int, intervals: int) -> int:
    """Seconds of silence after which a session is stale; never below a minute, whatever the settings say."""
    return int(max(timedelta(minutes=1), timedelta(seconds=interim_seconds * intervals)).total_seconds())
