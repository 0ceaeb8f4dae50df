"""Another end of a running session: the Session-Timeout that its login would have been given, had it been so then."""

import json
import math
from typing import Any, Final

from radius_cluster.coa.outbox_rows import Wish
from radius_cluster.process.ready_replies import fetch_profiles, longest_session
from radius_cluster.process.special_login import quota_left, until_closed
from radius_cluster.routing.directory import NasEntry
from radius_cluster.wire.dialects import encode_timeout
from tenants.access.rules import STATE_ACTIVE, session_seconds

_END_OF: Final = """
SELECT date_part('epoch', s.started_at) AS started_at, date_part('epoch', u.valid_until) AS valid_until, u.renews,
  u.state, u.activated, u.profile_id, u.quota_cut, CASE WHEN quota_kind = 0 THEN NULL
  ELSE (to_jsonb(u) - 'password_sealed'::text || jsonb_build_object('use', (SELECT to_jsonb(c) FROM aaa.quota_use c
    WHERE c.tenant_id = u.tenant_id AND c.account_id = u.account_id)))::text END AS quota
FROM aaa.session s JOIN aaa.subscriber u ON u.tenant_id = s.tenant_id AND u.account_id = s.account_id
WHERE s.tenant_id = $1 AND s.nas_id = $2 AND s.session_id = $3 AND s.username = $4
"""


async def encode_moved_end(connection: Any, wish: Wish, nas: NasEntry, now: float) -> bytes:
    """What tells the router; b"" for one that cannot be told, and for a session that is over or is being cut."""
    if not nas.dialect.timeout:
        return b""
    row = await connection.fetchrow(_END_OF, wish.tenant_id, wish.nas_id, wish.session_id, wish.username)
    if row is None or row["state"] != STATE_ACTIVE or not row["activated"]:
        return b""
    tenant, profile_id = nas.tenant, row["profile_id"]
    profile = (await fetch_profiles(connection, [(tenant, profile_id)])).get((tenant.id, profile_id))
    elapsed = max(0.0, now - row["started_at"])
    left = session_seconds(row["valid_until"], now, longest_session(nas, profile) - elapsed, row["renews"])
    left = until_closed(profile.windows if profile else [], tenant, now, left)
    if row["quota"] is not None and row["quota_cut"]:
        seconds_left = quota_left(json.loads(row["quota"]), tenant, now)[1]
        left = left if seconds_left is None else min(left, seconds_left)
    if left <= 0:
        return b""
    return encode_timeout(nas.dialect, total_seconds=math.ceil(elapsed + left), left_seconds=math.ceil(left))
