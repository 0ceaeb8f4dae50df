"""Devices that dial while their old session is open in our books (RAD-3): after a power failure a whole router's do.

So what they ask of the database is asked once for all of a batch, and written with one commit.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from radius_cluster.listen.receive import Request
from radius_cluster.process.login_sql import subject_of
from radius_cluster.process.special_login import Special
from tenants.access.session_request import facts_sql

_COUNT: Final = """
SELECT q.ordinal::int, count(*)::int
FROM unnest($1::int[], $2::bigint[], $3::text[], $4::float8[]) WITH ORDINALITY
  AS q(tenant, account, mac, alive_after, ordinal)
JOIN aaa.session s ON s.tenant_id = q.tenant AND s.account_id = q.account AND s.mac = q.mac
  AND s.updated_at > to_timestamp(q.alive_after)
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
    LIMIT 1) IS NULL
  RETURNING 1)
SELECT pg_notify('broadloom_outbox', 'radius') FROM asked LIMIT 1
""".replace("{facts}", facts_sql("s"))


class Redial(NamedTuple):
    """A login that only sessions of its own device may stand in the way of; those before ``alive_after`` do not."""

    tenant_id: int
    account_id: int
    mac: str
    alive_after: float  # seconds since 1970


def redial_of(request: Request, account_id: int, special: Special, now: float) -> Redial:
    """For a login that is ``special.full``."""
    tenant = request.nas.tenant
    return Redial(tenant.id, account_id, special.mac, now - tenant.stale_seconds)


async def count_old_sessions(connection: Any, redials: Mapping[int, Redial]) -> dict[int, int]:
    """How many open sessions of its account are of the device that dials, for each login that has such."""
    if not redials:
        return {}
    rows = await connection.fetch(_COUNT, *zip(*redials.values(), strict=True))
    places = list(redials)
    return {places[ordinal - 1]: count for ordinal, count in rows}


async def probe_old_sessions(connection: Any, redials: Sequence[Redial]) -> None:
    """Have the routers asked to end the devices' old sessions."""
    if redials:
        tenants, accounts, macs, _alive_after = zip(*redials, strict=True)
        await connection.execute(_PROBE, tenants, accounts, macs, [subject_of(account) for account in accounts])
