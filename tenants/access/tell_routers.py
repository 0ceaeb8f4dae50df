"""What a moved end of an account means for its open sessions, told in the statement that carries it to the cluster.

A session was given a Session-Timeout at its login (RAD-3). When the account's end moves so that the time-out moves, the
router is asked to change it (outbox row ``radius.coa``, reason ``end_moved``); routers that cannot be told end the
session at the old instant, and it dials again. A session in a place for accounts that end soon (NET-4) is asked to end
when its account does so no more (``radius.disconnect``, reason ``renewed``): only a new login leads it out. No NOTIFY:
the engine looks every second, and nobody waits for it.
"""

from typing import Final

from tenants.access.rules import STATE_ACTIVE
from tenants.access.session_request import END_MOVED, RENEWED, facts_sql, in_place_sql, waits_sql
from tenants.registry.settings import DEFAULTS

# What of the row before and after is compared, as columns that the statement's part ``stored`` returns. Who renews by
# himself is not timed out at his expiry (rules.session_seconds).
RETURNED: Final = """
  RETURNING account_id, state, activated,
    CASE WHEN old.renews OR NOT old.activated THEN 'infinity' ELSE old.valid_until END AS ended,
    CASE WHEN new.renews THEN 'infinity' ELSE new.valid_until END AS ends"""

# The parts after ``stored``. Sessions are found by their accounts' numbers in an array, whatever the statistics were
# when it was planned. Those begun after the old end were let in as expired: they are disconnected anyway.
_TOLD: Final = """,
moved AS (SELECT account_id, ended, ends FROM stored WHERE state = {active} AND activated AND ended <> ends),
longest AS (
  SELECT make_interval(secs => nullif(coalesce((
    SELECT (value #>> '{{}}')::int FROM {schema}.settings WHERE key = 'max_session_seconds'), {longest}), 0)) AS span),
told AS (
  INSERT INTO work.outbox (tenant_id, topic, subject, payload)
  SELECT s.tenant_id, {topic}, 'account:' || s.account_id, jsonb_build_object({facts}, 'reason', {reason})
    FROM moved m JOIN aaa.session s ON s.tenant_id = {tenant} AND s.account_id = m.account_id
     AND s.account_id = ANY(ARRAY(SELECT account_id FROM moved)) CROSS JOIN longest
     CROSS JOIN LATERAL (SELECT {in_place} AS goes OFFSET 0) place
   WHERE s.started_at < m.ended
     AND (place.goes OR least(m.ended, s.started_at + longest.span) <> least(m.ends, s.started_at + longest.span))
     AND NOT {waits})"""
_TOPIC: Final = "CASE WHEN place.goes THEN 'radius.disconnect' ELSE 'radius.coa' END"
_REASON: Final = f"CASE WHEN place.goes THEN '{RENEWED}' ELSE '{END_MOVED}' END"


def told_sql(tenant_id: int, schema: str) -> str:
    """For one tenant, whose schema's name is made of his number."""
    return _TOLD.format(
        tenant=int(tenant_id),
        schema=schema,
        topic=_TOPIC,
        reason=_REASON,
        active=STATE_ACTIVE,
        longest=DEFAULTS.max_session_seconds,
        facts=facts_sql("s"),
        in_place=in_place_sql("s", "date_part('epoch', m.ends - now())"),
        waits=waits_sql("s", str(int(tenant_id)), _TOPIC, f"= {_REASON}"),
    )
