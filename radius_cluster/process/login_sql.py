"""The statements of a batch of logins. One round trip decides hundreds: credentials, state, limits, open sessions."""

from typing import Final

from tenants.access.rules import STATE_ACTIVE

# Row numbers of the login query's columns
ORDINAL: Final = 0
ACCOUNT: Final = 1
SEALED: Final = 2
VALID_UNTIL: Final = 3
PROFILE: Final = 4
RENEWS: Final = 5
LOCALE: Final = 6
CHANGED: Final = 7
RARE: Final = 8

# Of sessions: those without an update for the stale time do not count, because a dead router must not lock its
# subscribers out (OW#617). Here that is the longest that any router of the tenant has; redial.py looks closer. The
# sub-select correlates with the table's tenant_id, which is what Citus can push down.
_OPEN: Final = """FROM aaa.session s WHERE s.tenant_id = u.tenant_id AND s.account_id = u.account_id
    AND s.updated_at > to_timestamp(q.alive_after)"""
# What few logins have (bindings, quota, fixed address, another state, no session left) travels as one JSON text: an
# active account that has nothing of it is described by the first columns alone, and all others pay nothing for it.
# CHANGED says whether a profile was written since the snapshot $4, of which our kept replies are (asked once a batch;
# one from beyond the newest transaction came with a restored copy of the data).
LOGIN: Final = """
SELECT q.ordinal, u.account_id, u.password_sealed, date_part('epoch', u.valid_until), u.profile_id, u.renews, u.locale,
  (SELECT p.profile_id FROM aaa.profile p WHERE p.changed_in >= pg_snapshot_xmin($4::text::pg_snapshot)
    AND p.changed_in < pg_snapshot_xmax(pg_current_snapshot())
    AND NOT pg_visible_in_snapshot(p.changed_in, $4::text::pg_snapshot) LIMIT 1),
  CASE WHEN u.state = {active} AND u.activated AND NOT u.in_arrears AND u.quota_kind = 0 AND u.static_ip IS NULL
    AND u.bind_mac = '' AND u.bind_nas_id IS NULL AND u.bind_port = ''
    AND (u.bind_options IS NULL OR u.bind_options = '{}')
    AND CASE u.max_sessions WHEN 0 THEN true WHEN 1 THEN NOT EXISTS (SELECT {open})
      ELSE (SELECT count(*) {open}) < u.max_sessions END THEN NULL
    ELSE jsonb_build_object('state', u.state, 'activated', u.activated, 'in_arrears', u.in_arrears,
      'max_sessions', u.max_sessions, 'drop_oldest', u.drop_oldest,
      'open_sessions', CASE WHEN u.max_sessions > 0 THEN (SELECT count(*) {open}) ELSE 0 END,
      'static_ip', host(u.static_ip), 'bind_mac', u.bind_mac, 'bind_nas_id', u.bind_nas_id, 'bind_port', u.bind_port,
      'bind_options', u.bind_options, 'region_id', u.region_id, 'quota_kind', u.quota_kind,
      'quota_octets', u.quota_octets, 'quota_seconds', u.quota_seconds, 'quota_epoch', u.quota_epoch,
      'pack_octets', u.pack_octets, 'pack_seconds', u.pack_seconds, 'quota_cut', u.quota_cut,
      'throttle_profile_id', u.throttle_profile_id,
      'use', (SELECT to_jsonb(c) FROM aaa.quota_use c WHERE c.tenant_id = u.tenant_id AND c.account_id = u.account_id)
    )::text END
FROM unnest($1::int[], $2::text[], $3::float8[]) WITH ORDINALITY AS q(tenant, username, alive_after, ordinal)
JOIN aaa.subscriber u ON u.tenant_id = q.tenant AND u.username = q.username COLLATE "C"
""".replace("{open}", _OPEN).replace("{active}", str(STATE_ACTIVE))

# Accounts whose names, in small letters, are these, of those that have capitals; asked only of names that nobody has.
CAPITALS: Final = """
SELECT q.ordinal, min(u.username), count(*)
FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS q(tenant, small, ordinal)
JOIN aaa.subscriber u ON u.tenant_id = q.tenant AND lower(u.username) = q.small COLLATE "C"
  AND u.username <> lower(u.username)
GROUP BY 1
"""


def subject_of(account_id: int) -> str:
    """What outbox rows of an account are about.

    A value of its own for the statements below: made of the number inside them, the policies of work.outbox keep its
    index from being used, and all that the provider's routers were asked in the last days is read.
    """
    return f"account:{account_id}"


SNAPSHOT: Final = "SELECT pg_current_snapshot()::text"
# The profiles written since a snapshot, and the snapshot of this look (one statement: they belong together). A row of
# nothing comes when only the snapshot is new.
CHANGED_PROFILES: Final = """
SELECT pg_current_snapshot()::text, p.tenant_id, p.profile_id
FROM (VALUES (1)) one(row) LEFT JOIN aaa.profile p ON p.changed_in >= pg_snapshot_xmin($1::text::pg_snapshot)
  AND NOT pg_visible_in_snapshot(p.changed_in, $1::text::pg_snapshot)
"""

PROFILES: Final = """
SELECT tenant_id, profile_id, version, up_bps, down_bps, burst_up_bps, burst_down_bps, threshold_up_bps,
  threshold_down_bps, burst_seconds, priority, pool, ipv6_pool, host(dns1) AS dns1, host(dns2) AS dns2,
  options::text AS options, windows::text AS windows
FROM unnest($1::int[], $2::bigint[]) AS q(tenant, profile)
JOIN aaa.profile p ON p.tenant_id = q.tenant AND p.profile_id = q.profile
"""

# The oldest sessions beyond what the plan allows, with the new one counted in; first the device's own, if it redials.
# Only such as count: to cut off one that is silent for too long would leave the others, which are one too many.
DROP_OLDEST_SESSIONS: Final = """
WITH alive AS (
  SELECT * FROM aaa.session s WHERE s.tenant_id = $1 AND s.account_id = $2
    AND s.updated_at > to_timestamp(COALESCE((SELECT o.alive_after FROM unnest($7::int[], $8::float8[])
      AS o(nas, alive_after) WHERE o.nas = s.nas_id), $5::float8))),
oldest AS (
  SELECT * FROM alive s ORDER BY ($4::text <> '' AND s.mac = $4) IS TRUE DESC, s.started_at
  LIMIT GREATEST(0, (SELECT count(*) FROM alive) + 1 - $3::int)),
asked AS (
  INSERT INTO work.outbox (tenant_id, topic, subject, payload)
  SELECT tenant_id, 'radius.disconnect', $6::text, jsonb_build_object('nas_id', nas_id,
    'session_id', session_id, 'username', username, 'framed_ip', host(framed_ip), 'account_id', account_id, 'mac', mac,
    'reason', 'too_many_sessions')
  FROM oldest o WHERE NOT EXISTS (SELECT FROM work.outbox w WHERE w.tenant_id = $1
    AND w.topic = 'radius.disconnect' AND w.subject = $6::text
    AND w.state IN ('waiting', 'taken') AND w.payload ->> 'session_id' = o.session_id
    AND (w.payload ->> 'nas_id')::int = o.nas_id)
  RETURNING 1)
SELECT pg_notify('broadloom_outbox', 'radius') FROM asked LIMIT 1
"""

# What the first accepted login teaches (SUB-8): the worker writes it into the account.
BIND: Final = """
WITH told AS (
  INSERT INTO work.outbox (tenant_id, topic, subject, payload)
  SELECT $1, 'account.bind', $6::text,
    jsonb_build_object('account_id', $2::bigint, 'mac', $3::text, 'port', $4::text, 'nas_id', $5::int)
  WHERE NOT EXISTS (SELECT FROM work.outbox w WHERE w.tenant_id = $1 AND w.topic = 'account.bind'
    AND w.subject = $6::text AND w.state IN ('waiting', 'taken'))
  RETURNING 1)
SELECT pg_notify('broadloom_outbox', 'account') FROM told
"""

# The first accepted login starts the period (SUB-3). The consumer is idempotent; one waiting row is enough.
ACTIVATE: Final = """
WITH told AS (
  INSERT INTO work.outbox (tenant_id, topic, subject, payload)
  SELECT $1, 'account.activate', $4::text,
    jsonb_build_object('account_id', $2::bigint, 'accepted_at', to_timestamp($3::float8))
  WHERE NOT EXISTS (SELECT FROM work.outbox w WHERE w.tenant_id = $1 AND w.topic = 'account.activate'
    AND w.subject = $4::text AND w.state IN ('waiting', 'taken'))
  RETURNING 1)
SELECT pg_notify('broadloom_outbox', 'account') FROM told
"""
