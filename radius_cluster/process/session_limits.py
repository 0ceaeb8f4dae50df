"""Sessions that got past the limit of their account together (RAD-3): logins count the open sessions, and two that come
before either has begun see none.

So where two devices of one name begin within half a minute of each other (recent_starts.py), the account is looked at
again, two to four seconds later, away from the packet path. If its devices are too many, the router is asked to end the
latest (the earliest, where the plan drops the oldest). Nothing else is ever ended here: not a session that was there
before the login, which counted it; not one of several of the same device, which cannot be online and dial; not one that
is reported late.
"""

import asyncio
import time
from typing import Any, Final

import structlog

from radius_cluster.listen.database import connect
from radius_cluster.listen.receive import Request
from radius_cluster.process.accounting_record import KEY, MAC, NAS, SESSION, TENANT, USER, Row
from radius_cluster.process.login_sql import subject_of
from radius_cluster.process.outer_names import OUTER
from radius_cluster.process.recent_starts import RecentStarts
from radius_cluster.process.redial import own_limits
from radius_cluster.routing.directory import TenantEntry
from radius_cluster.wire.codes import CLASS
from tenants.access.too_many_sql import TOGETHER_SECONDS, too_many_sql

LOG = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS: Final = 2.0
_MOST_AT_ONCE: Final = 1_000
_MOST_WAITING: Final = 50_000
_SQL_SECONDS: Final = 10.0
_JUST_BEGUN_SECONDS: Final = 60  # older news comes out of a spool, and says nothing of now

# Who has other sessions, by two look-ups in indexes; the rest of the statement is asked about those alone.
_TOO_MANY: Final = too_many_sql(
    """
  SELECT DISTINCT s.tenant_id, s.account_id, to_timestamp(q.alive_after) AS alive_after
  FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::float8[]) AS q(tenant, nas, session, usr, alive_after)
  JOIN aaa.session s ON s.tenant_id = q.tenant AND s.nas_id = q.nas AND s.session_id = q.session COLLATE "C"
    AND s.username = q.usr COLLATE "C"
  WHERE s.account_id > 0 AND EXISTS (SELECT FROM aaa.session o WHERE o.tenant_id = s.tenant_id
    AND o.account_id = s.account_id AND (o.session_id <> s.session_id OR o.nas_id <> s.nas_id))""",
    "SELECT nas_id, to_timestamp(after) AS alive_after FROM unnest($6::int[], $7::float8[]) AS o(nas_id, after)",
    just_begun_seconds=_JUST_BEGUN_SECONDS,
)
_END: Final = """
WITH asked AS (
  INSERT INTO work.outbox (tenant_id, topic, subject, payload)
  SELECT q.tenant, 'radius.disconnect', q.subject, jsonb_build_object('nas_id', q.nas, 'session_id', q.session,
    'username', q.usr, 'framed_ip', q.framed_ip, 'account_id', q.account, 'mac', q.mac, 'reason', 'too_many_sessions')
  FROM unnest($1::int[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    AS q(tenant, account, nas, session, usr, framed_ip, mac, subject)
  WHERE (SELECT w.id FROM work.outbox w WHERE w.tenant_id = q.tenant AND w.topic = 'radius.disconnect'
    AND w.subject = q.subject AND w.state IN ('waiting', 'taken') AND w.payload ->> 'session_id' = q.session
    AND (w.payload ->> 'nas_id')::int = q.nas LIMIT 1) IS NULL
  RETURNING 1)
SELECT pg_notify('broadloom_outbox', 'radius') FROM asked LIMIT 1
"""
Begun = tuple[Row, TenantEntry]  # the session's key, and whose it is


class SessionLimits:
    """Of one cell, with a connection of its own, made when it is first needed: the packet path's are busy."""

    def __init__(self, url: str, cell: str, recent: RecentStarts) -> None:
        self._recent = recent
        self._url = url
        self._name = f"broadloom radius {cell} limits"
        self._connection: Any = None
        self._begun: list[Begun] = []
        self._ripe: list[Begun] = []
        self._looked_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    def note(self, row: Row, request: Request) -> None:
        """A Start came."""
        name = row[USER]
        if name.startswith(OUTER):  # many have the one; our own Class says whose it is
            name = request.packet.text(CLASS) or name
        device = row[MAC] or f"{row[NAS]}/{row[SESSION]}"
        second = self._recent.is_second(row[TENANT], name, device, request.arrived, TOGETHER_SECONDS)
        if second and len(self._begun) < _MOST_WAITING:
            self._begun.append((row[KEY], request.nas.tenant))

    def tick(self, now: float) -> None:
        """Every half second: look at those that have waited long enough for the others' Starts, and their own Stops."""
        if now - self._looked_at < _LOOK_EVERY_SECONDS or self._looking is not None:
            return
        self._looked_at = now
        ripe, self._ripe, self._begun = self._ripe, self._begun, []
        if ripe:
            self._looking = asyncio.create_task(self._look(ripe))

    def close(self) -> None:
        """Give up the connection."""
        if self._looking is not None:
            self._looking.cancel()
        if self._connection is not None:
            self._connection.terminate()

    async def _look(self, begun: list[Begun]) -> None:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect(self._url, self._name)
            for first in range(0, len(begun), _MOST_AT_ONCE):
                await end_too_many(self._connection, begun[first : first + _MOST_AT_ONCE])
        except Exception as error:  # the database is away: nobody is counted then (docs/faults.md)
            LOG.info("limits_not_looked_at", sessions=len(begun), error=f"{type(error).__name__}: {error}")
            if self._connection is not None:
                self._connection.terminate()
        finally:
            self._looking = None


async def end_too_many(connection: Any, begun: list[Begun]) -> int:
    """Ask for the end of sessions that are one too many, of the accounts of these; gives how many."""
    now = time.time()
    tenants, nas, sessions, names = zip(*(key for key, _ in begun), strict=True)
    alive_after = [now - tenant.usual_stale_seconds for _, tenant in begun]
    limits = alive_after, *own_limits((tenant for _, tenant in begun), now)
    found = await connection.fetch(_TOO_MANY, tenants, nas, sessions, names, *limits, timeout=_SQL_SECONDS)
    if found:
        columns = list(zip(*found, strict=True))
        await connection.execute(_END, *columns, [subject_of(account) for account in columns[1]], timeout=_SQL_SECONDS)
        LOG.info("sessions_over_the_limit", sessions=len(found))
    return len(found)
