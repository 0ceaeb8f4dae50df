"""Devices that dial while their old session is open in our books (RAD-3): after a power failure a whole router's do.

So what they ask of the database is asked once for all of a batch, and written with one commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from radius_cluster.listen.receive import Request
from radius_cluster.process.login_sql import ACCOUNT, subject_of
from radius_cluster.process.special_login import Special
from radius_cluster.routing.directory import TenantEntry
from tenants.access.session_request import facts_sql

# Beside the device's own also those that were silent for longer than their router's may be: the login counted all that
# were not silent for longer than any router's.
_COUNT: Final = """
SELECT q.ordinal::int, count(*)::int
FROM unnest($1::int[], $2::bigint[], $3::text[], $4::float8[], $5::float8[]) WITH ORDINALITY
  AS q(tenant, account, mac, alive_after, usual_after, ordinal)
JOIN aaa.session s ON s.tenant_id = q.tenant AND s.account_id = q.account
  AND s.updated_at > to_timestamp(q.alive_after) AND ((q.mac <> '' AND s.mac = q.mac)
    OR s.updated_at <= to_timestamp(COALESCE((SELECT o.alive_after FROM unnest($6::int[], $7::float8[])
      AS o(nas, alive_after) WHERE o.nas = s.nas_id), q.usual_after)))
GROUP BY 1
"""
# A Disconnect for each old session. A router that has lost it says so, and it is closed then; one that still has it
# cuts it. What was asked already is looked up by a sub-select, not joined: plans outlive the time when the outbox was
# empty.
_PROBE: Final = """
WITH asked AS (
  INSERT INTO work.outbox (tenant_id, topic, subject, payload)
  SELECT s.tenant_id, 'radius.disconnect', q.subject, jsonb_build_object({facts}, 'reason', 'redialled')
  FROM (SELECT DISTINCT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::text[]))
    AS q(tenant, account, mac, subject)
  JOIN aaa.session s ON s.tenant_id = q.tenant AND s.account_id = q.account AND s.mac = q.mac
  WHERE (SELECT w.id FROM work.outbox w WHERE w.tenant_id = q.tenant AND w.topic = 'radius.disconnect'
    AND w.subject = q.subject AND w.state IN ('waiting', 'taken') AND w.payload ->> 'session_id' = s.session_id
    AND (w.payload ->> 'nas_id')::int = s.nas_id LIMIT 1) IS NULL
  RETURNING 1)
SELECT pg_notify('broadloom_outbox', 'radius') FROM asked LIMIT 1
""".replace("{facts}", facts_sql("s"))


class Redial(NamedTuple):
    """A login that only sessions that are over may stand in the way of. Those before ``alive_after`` do not; those
    before ``usual_after`` do where their router may be silent for longer than usual."""

    tenant: TenantEntry
    account_id: int
    mac: str
    alive_after: float  # seconds since 1970
    usual_after: float


def redials_of(
    requests: Sequence[Request], rows: Iterable[tuple[int, Any]], read: Mapping[int, Special], now: float
) -> dict[int, Redial]:
    """Those of a batch's logins whose account is full of sessions that may not count, by their places."""
    found = {}
    for at, row in rows:
        tenant, special = requests[at].nas.tenant, read[at]
        if special.full and (special.mac or tenant.own_stale):
            limits = now - tenant.stale_seconds, now - tenant.usual_stale_seconds
            found[at] = Redial(tenant, row[ACCOUNT], special.mac, *limits)
    return found


def own_limits(tenants: Iterable[TenantEntry], now: float) -> tuple[list[int], list[float]]:
    """The routers of these tenants that have a stale time of their own, and when it begins."""
    own = {nas_id: now - seconds for tenant in tenants for nas_id, seconds in tenant.own_stale.items()}
    return list(own), list(own.values())


async def count_old_sessions(connection: Any, redials: Mapping[int, Redial], now: float) -> dict[int, int]:
    """How many open sessions of its account are over, for each login that has such: the device that dials cannot be
    online, and routers that are silent for too long may be dead."""
    if not redials:
        return {}
    tenants, *columns = zip(*redials.values(), strict=True)
    limits = own_limits(tenants, now)
    rows = await connection.fetch(_COUNT, [tenant.id for tenant in tenants], *columns, *limits)
    places = list(redials)
    return {places[ordinal - 1]: count for ordinal, count in rows}


async def probe_old_sessions(connection: Any, redials: Sequence[Redial]) -> None:
    """Have the routers asked to end the devices' old sessions."""
    keys = [(redial.tenant.id, redial.account_id, redial.mac) for redial in redials if redial.mac]
    if keys:
        tenants, accounts, macs = zip(*keys, strict=True)
        await connection.execute(_PROBE, tenants, accounts, macs, [subject_of(account) for account in accounts])
