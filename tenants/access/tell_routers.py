"""What a moved end of an account means for its open sessions, told in the statement that carries it to the cluster.

A session was given a Session-Timeout at its login (RAD-3). When the account's end moves so that the time-out moves, the
router is asked to change it (outbox row ``radius.coa``, reason ``end_moved``); routers that cannot be told end the
session at the old instant, and it dials again. No NOTIFY: the engine looks every second, and nobody waits for it.
"""

from typing import Final

from tenants.access.rules import STATE_ACTIVE
from tenants.access.session_request import END_MOVED, facts_sql, waits_sql
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
  SELECT s.tenant_id, 'radius.coa', 'account:' || s.account_id, jsonb_build_object({facts}, 'reason', '{reason}')
    FROM moved m JOIN aaa.session s ON s.tenant_id = {tenant} AND s.account_id = m.account_id
     AND s.account_id = ANY(ARRAY(SELECT account_id FROM moved)) CROSS JOIN longest
   WHERE s.started_at < m.ended
     AND least(m.ended, s.started_at + longest.span) <> least(m.ends, s.started_at + longest.span)
     AND NOT {waits})"""


def told_sql(tenant_id: int, schema: str) -> str:
    """For one tenant, whose schema's name is made of his number."""
    return _TOLD.format(
        tenant=int(tenant_id),
        schema=schema,
        reason=END_MOVED,
        active=STATE_ACTIVE,
        longest=DEFAULTS.max_session_seconds,
        facts=facts_sql("s"),
        waits=waits_sql("s", str(int(tenant_id)), "'radius.coa'", f"= '{END_MOVED}'"),
    )
