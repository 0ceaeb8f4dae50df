"""Ask routers about the open sessions of single accounts: outbox rows, sent after the commit; one short statement.

Operations ask for several accounts at once, each for a reason of its own. For whole profiles: ``disconnect.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

import orjson

from infra.db import ask
from infra.tenant_scope import TenantScope
from tenants.access.session_request import END_MOVED, facts_sql, waits_sql

DISCONNECT: Final = "radius.disconnect"
CHANGE: Final = "radius.coa"  # give it the rate that it should have now


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What is asked for the open sessions of one account; with ``since`` only for those begun then or later."""

    account_id: int
    topic: str
    reason: str  # a code such as ``disabled`` or ``plan_changed``
    since: datetime | None = None


# A session for which the same request is still waiting gets no second one; that a time-out was told is another matter.
# A router that is to give another rate is told which of its services the session has till now, so that it can end it
# (Juniper; NET-5): the read model still says it, because it follows later. The requests are one object by account:
# sessions are found by an array of its keys and look their requests up in it, so that ten thousand accounts cost ten
# thousand times what one costs, whatever the statistics were when it was planned.
_ASK: Final = """
WITH written AS (
  INSERT INTO work.outbox (tenant_id, topic, subject, payload)
  SELECT s.tenant_id, q ->> 0, 'account:' || s.account_id, jsonb_build_object({facts},
    'reason', q ->> 1) || CASE WHEN q ->> 0 = '{change}' THEN jsonb_build_object('previous_service',
      coalesce((SELECT p.options ->> 'service' FROM aaa.subscriber u
                  JOIN aaa.profile p ON p.tenant_id = u.tenant_id AND p.profile_id = u.profile_id
                 WHERE u.tenant_id = {tenant} AND u.account_id = s.account_id), '')) ELSE '{{}}' END
    FROM aaa.session s, LATERAL jsonb_array_elements($1::jsonb -> s.account_id::text) q
   WHERE s.tenant_id = {tenant}
     AND s.account_id = ANY(ARRAY(SELECT account_id::bigint FROM jsonb_object_keys($1::jsonb) account_id))
     AND (q ->> 2 IS NULL OR s.started_at >= (q ->> 2)::timestamptz)
     AND NOT {waits}
  RETURNING id)
SELECT count(*), CASE WHEN count(*) > 0 THEN pg_notify('broadloom_outbox', 'radius')::text END FROM written"""


@lru_cache(maxsize=2048)
def _ask_sql(tenant_id: int) -> str:
    tenant = int(tenant_id)
    waits = waits_sql("s", str(tenant), "q ->> 0", f"<> '{END_MOVED}'")
    return _ASK.format(tenant=tenant, change=CHANGE, facts=facts_sql("s"), waits=waits)


def ask_routers(scope: TenantScope, requests: Sequence[SessionRequest]) -> int:
    """Write an outbox row for each open session that a request is about; gives how many."""
    if not requests:
        return 0
    scope.session.flush()  # sessions and outbox are read by SQL
    asked: dict[str, list[tuple[str, str, datetime | None]]] = {}
    for one in requests:
        asked.setdefault(str(one.account_id), []).append((one.topic, one.reason, one.since))
    [[count, _]] = ask(scope.session, _ask_sql(scope.tenant_id), [orjson.dumps(asked)])
    return int(count or 0)
