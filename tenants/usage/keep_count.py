"""Keep a quota's count when another one begins, go on with it when that is taken back (OPS-11)."""

import json
from typing import Any

from infra.db import ask
from infra.tenant_scope import TenantScope
from tenants.usage.quota_left import QuotaGrant
from tenants.usage.rules_quota import WHOLE_PERIOD

_COUNTED = ("epoch", "window_on", "octets", "seconds", "over_octets", "over_seconds", "warned")
_READ = """
SELECT row_to_json(kept)
  FROM (SELECT {columns} FROM aaa.quota_use WHERE tenant_id = $1::int AND account_id = $2::bigint) kept"""
# What was used meanwhile counts, too. A row that still counts for the old epoch is right as it is.
_GO_ON = """
UPDATE aaa.quota_use AS now
   SET epoch = kept.epoch, window_on = kept.window_on, octets = kept.octets + now.octets,
       seconds = kept.seconds + now.seconds, over_octets = kept.over_octets, over_seconds = kept.over_seconds,
       warned = kept.warned
  FROM jsonb_populate_record(NULL::aaa.quota_use, $3::jsonb) kept
 WHERE now.tenant_id = $1::int AND now.account_id = $2::bigint AND now.epoch <> kept.epoch
RETURNING true"""

# Of packs of earlier windows, and of this window's quota, no more is used than there was.
_FORGIVE = """
UPDATE aaa.quota_use
   SET octets = LEAST(octets, coalesce($4::bigint, octets) + GREATEST(0, $6::bigint - over_octets)),
       seconds = LEAST(seconds, coalesce($5::bigint, seconds) + GREATEST(0, $7::bigint - over_seconds)),
       over_octets = LEAST(over_octets, $6::bigint), over_seconds = LEAST(over_seconds, $7::bigint)
 WHERE tenant_id = $1::int AND account_id = $2::bigint AND epoch = $3::bigint
RETURNING true"""

_FORGET = "DELETE FROM aaa.quota_use WHERE tenant_id = $1::int AND account_id = $2::bigint RETURNING true"


def count_of(scope: TenantScope, account_id: int) -> dict[str, Any] | None:
    """The account's count as it stands, as plain values; None where nothing was counted yet."""
    scope.session.flush()  # read by SQL
    rows = ask(scope.session, _READ.format(columns=", ".join(_COUNTED)), (str(scope.tenant_id), str(account_id)))
    return json.loads(rows[0][0]) if rows and rows[0][0] is not None else None


def nothing_counted(epoch: int) -> dict[str, Any]:
    """The count of a quota that nobody has used yet."""
    return {**dict.fromkeys(_COUNTED, 0), "epoch": epoch, "window_on": WHOLE_PERIOD.isoformat()}


def go_on_with(scope: TenantScope, account_id: int, kept: dict[str, Any] | None) -> None:
    """Put back what :func:`count_of` gave, with what was used since then on top; without it nothing was counted.

    The count of what is taken back must not stay: the next quota that is sold has the same number.
    """
    values = (str(scope.tenant_id), str(account_id))
    if kept is None:
        ask(scope.session, _FORGET, values)
    else:
        ask(scope.session, _GO_ON, (*values, json.dumps(kept)))


def forgive_excess(scope: TenantScope, grant: QuotaGrant) -> None:
    """Count what was used beyond quota and packs as not used: the pack that comes now gives all that it holds.

    Who goes on slower after his quota's end may have used many times what he has. ``grant``: without the new pack.
    """
    numbers = (grant.account_id, grant.epoch, grant.octets, grant.seconds, grant.pack_octets, grant.pack_seconds)
    values = [None if number is None else str(number) for number in (scope.tenant_id, *numbers)]
    ask(scope.session, _FORGIVE, values)
