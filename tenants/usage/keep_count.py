"""Keep a quota's count when another one begins, go on with it when that is taken back (OPS-11)."""

import json
from datetime import datetime
from typing import Any

from infra.db import ask
from infra.tenant_scope import TenantScope
from tenants.usage.quota_left import QuotaGrant
from tenants.usage.rules_quota import WHOLE_PERIOD, window_of

_COUNTED = ("epoch", "window_on", "octets", "seconds", "over_octets", "over_seconds", "warned")
_READ = """
SELECT row_to_json(kept)
  FROM (SELECT {columns} FROM aaa.quota_use WHERE tenant_id = $1::int AND account_id = $2::bigint) kept"""
# What was used meanwhile counts, too. A row of the epoch that comes back is right as it is. Of a quota that begins anew
# each day or month, only what was used in the present window counts, and earlier excess came out of packs.
_GO_ON = """
UPDATE aaa.quota_use AS now
   SET epoch = kept.epoch, window_on = {window},
       octets = CASE WHEN {same} THEN kept.octets ELSE 0 END + CASE WHEN {meanwhile} THEN now.octets ELSE 0 END,
       seconds = CASE WHEN {same} THEN kept.seconds ELSE 0 END + CASE WHEN {meanwhile} THEN now.seconds ELSE 0 END,
       over_octets = kept.over_octets
                   + CASE WHEN {same} THEN 0 ELSE GREATEST(0, kept.octets - coalesce($6::bigint, 0)) END,
       over_seconds = kept.over_seconds
                    + CASE WHEN {same} THEN 0 ELSE GREATEST(0, kept.seconds - coalesce($7::bigint, 0)) END,
       warned = CASE WHEN {same} THEN kept.warned ELSE 0 END
  FROM jsonb_populate_record(NULL::aaa.quota_use, $3::jsonb) kept
 WHERE now.tenant_id = $1::int AND now.account_id = $2::bigint
   AND (now.epoch > kept.epoch OR now.epoch < kept.epoch
        AND kept.octets + kept.seconds + kept.over_octets + kept.over_seconds > 0)
RETURNING true""".format(
    window="$4::date",
    same="kept.window_on = $4::date",
    # a count over a whole period says nothing about days, but all of it is of this one if the period began in it
    meanwhile="now.epoch > kept.epoch AND (now.window_on = $4::date"
    f" OR $4::date = '{WHOLE_PERIOD}' OR ($5::boolean AND now.window_on = '{WHOLE_PERIOD}'))",
)

# Of packs of earlier windows, and of this window's quota, no more is used than there was.
_FORGIVE = """
UPDATE aaa.quota_use
   SET octets = LEAST(octets, coalesce($4::bigint, octets) + GREATEST(0, $6::bigint - over_octets)),
       seconds = LEAST(seconds, coalesce($5::bigint, seconds) + GREATEST(0, $7::bigint - over_seconds)),
       over_octets = LEAST(over_octets, $6::bigint), over_seconds = LEAST(over_seconds, $7::bigint)
 WHERE tenant_id = $1::int AND account_id = $2::bigint AND epoch = $3::bigint
RETURNING true"""

_FORGET = """
DELETE FROM aaa.quota_use WHERE tenant_id = $1::int AND account_id = $2::bigint AND epoch > $3::bigint RETURNING true"""
_BRING_BACK = """
INSERT INTO aaa.quota_use (tenant_id, account_id, {columns})
SELECT $1::int, $2::bigint, {columns} FROM jsonb_populate_record(NULL::aaa.quota_use, $3::jsonb)
    ON CONFLICT DO NOTHING
RETURNING true""".format(columns=", ".join(_COUNTED))


def count_of(scope: TenantScope, account_id: int) -> dict[str, Any] | None:
    """The account's count as it stands, as plain values; None where nothing was counted yet."""
    scope.session.flush()  # read by SQL
    rows = ask(scope.session, _READ.format(columns=", ".join(_COUNTED)), (str(scope.tenant_id), str(account_id)))
    return json.loads(rows[0][0]) if rows and rows[0][0] is not None else None


def nothing_counted(epoch: int) -> dict[str, Any]:
    """The count of a quota that nobody has used yet."""
    return {**dict.fromkeys(_COUNTED, 0), "epoch": epoch, "window_on": WHOLE_PERIOD.isoformat()}


def go_on_with(
    scope: TenantScope, grant: QuotaGrant, kept: dict[str, Any] | None, *, since: datetime, now: datetime
) -> None:
    """Put back what :func:`count_of` gave, with what was used ``since`` then on top; without it nothing was counted.

    The count of what is taken back must not stay: the next quota that is sold has the same number. ``grant`` is what
    comes back.
    """
    values = (str(scope.tenant_id), str(grant.account_id))
    if kept is None:
        ask(scope.session, _FORGET, (*values, str(grant.epoch)))
        return
    if any(kept[name] for name in ("octets", "seconds", "over_octets", "over_seconds")):
        ask(scope.session, _BRING_BACK, (*values, json.dumps(kept)))  # its row went with what followed it
    window = window_of(grant.kind, now, scope.zone)
    began_in_it = window_of(grant.kind, since, scope.zone) == window
    granted = [None if number is None else str(number) for number in (grant.octets, grant.seconds)]
    ask(scope.session, _GO_ON, (*values, json.dumps(kept), window.isoformat(), str(began_in_it).lower(), *granted))


def forgive_excess(scope: TenantScope, grant: QuotaGrant) -> None:
    """Count what was used beyond quota and packs as not used: the pack that comes now gives all that it holds.

    Who goes on slower after his quota's end may have used many times what he has. ``grant``: without the new pack.
    """
    numbers = (grant.account_id, grant.epoch, grant.octets, grant.seconds, grant.pack_octets, grant.pack_seconds)
    values = [None if number is None else str(number) for number in (scope.tenant_id, *numbers)]
    ask(scope.session, _FORGIVE, values)
