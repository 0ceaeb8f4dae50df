"""Carry accounts and plan groups into the cluster's read model, in the transaction of the business change.

Set-based: one statement for one account or for a hundred thousand. Also keeps the due row ``account.expire`` at the
instant until which each account may connect.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, Text, case, cast, func, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, insert

from infra.db import schema_name
from infra.tenant_scope import TenantScope
from tenants.access.models import Profile
from tenants.access.rules import STATE_ACTIVE, STATE_DISABLED, STATE_HELD
from tenants.access.tell_routers import RETURNED, told_sql
from tenants.catalog.models import PlanGroup, PlanWindow, RateProfile
from tenants.catalog.rules import KINDS

EXPIRE = "account.expire"
NOT_YET = datetime(2100, 1, 1, tzinfo=UTC)  # valid_until of an account whose period begins at its first login

_ACTIVATED = "(a.activated_at IS NOT NULL OR NOT a.starts_at_first_login OR a.plan_id IS NULL)"
_NOT_YET = f"timestamptz '{NOT_YET.isoformat()}'"
_QUOTA_KINDS = " ".join(f"WHEN '{kind}' THEN {rule.quota_scope}" for kind, rule in KINDS.items() if rule.quota_scope)

# Column of aaa.subscriber → what it is, over the account ``a`` and its plan ``p``.
_SUBSCRIBER = {
    "username": "a.username",
    "account_id": "a.id",
    "password_sealed": "a.password_sealed",
    "state": f"CASE a.state WHEN 'held' THEN {STATE_HELD} WHEN 'disabled' THEN {STATE_DISABLED} ELSE {STATE_ACTIVE} "
    "END",
    "activated": _ACTIVATED,
    "valid_until": f"CASE WHEN {_ACTIVATED} THEN least(a.expires_at, a.cut_off_at) ELSE {_NOT_YET} END",
    "in_arrears": "coalesce(a.cut_off_at < a.expires_at, false)",
    # He will renew himself at his expiry: prepaid month or auto-renewal, paid for, nothing owed.
    "renews": "coalesce(a.state = 'active' AND a.activated_at IS NOT NULL AND p.deleted_at IS NULL"
    " AND (p.kind = 'prepaid-month' OR a.auto_renew) AND a.receivable = 0 AND a.balance >= p.price, false)",
    "max_sessions": "coalesce(a.max_sessions, p.max_sessions, 1)",
    "drop_oldest": "coalesce(p.concurrency = 'drop-oldest', false)",
    "profile_id": "coalesce(p.group_id, 0)",
    "region_id": "a.region_id",
    "static_ip": "a.static_ip",
    "bind_mac": "a.bind_mac",
    "bind_nas_id": "a.bind_nas_id",
    "bind_port": "a.bind_port",
    "bind_options": "a.bind_options",
    "quota_kind": f"CASE p.kind {_QUOTA_KINDS} ELSE 0 END",
    "quota_octets": "a.quota_octets",
    "quota_seconds": "a.quota_seconds",
    "quota_epoch": "a.quota_epoch",
    "pack_octets": "a.pack_octets",
    "pack_seconds": "a.pack_seconds",
    "quota_cut": "coalesce(p.quota_end <> 'throttle', true)",
    "throttle_profile_id": "-p.throttle_profile_id",
    "updated_at": "now()",
}
_ENDS = f"activated AND state <> {STATE_HELD} AND valid_until < {_NOT_YET}"

# The ids stand in arrays, so that rows are found by their keys whatever the statistics were when it was planned.
# Reads the accounts as they shall be from ``present``, so that one statement can change accounts and carry them over.
# A renamed, closed or deleted account leaves its old row behind; it goes first, because (tenant, account) is unique.
# An expiry that has passed gets a due row too: the worker renews from the balance as of that instant, or disconnects.
_LEFT_BEHIND = """
left_behind AS (
  DELETE FROM aaa.subscriber s USING present a
   WHERE s.tenant_id = {tenant} AND s.account_id = ANY(ARRAY(SELECT id FROM present)) AND s.account_id = a.id
     AND (s.username <> a.username OR a.state = 'closed' OR a.deleted_at IS NOT NULL)
  RETURNING s.account_id),"""
_WANTED = """
wanted AS MATERIALIZED (
  SELECT {tenant} AS tenant_id, {selected}
    FROM present a LEFT JOIN {schema}.plans p ON p.id = a.plan_id
   WHERE a.state <> 'closed' AND a.deleted_at IS NULL"""
_AFTER_LEFT_BEHIND = " AND (SELECT count(*) FROM left_behind) >= 0"
_STORED = """),
stored AS (
  INSERT INTO aaa.subscriber (tenant_id, {columns}) SELECT * FROM wanted
  ON CONFLICT (tenant_id, username) DO UPDATE SET {updates}{returned}){told},
later AS (
  INSERT INTO work.due AS due (tenant_id, kind, subject_id, run_at)
  SELECT tenant_id, '{expire}', account_id, valid_until FROM wanted WHERE {ends}
  ON CONFLICT (tenant_id, kind, subject_id) DO UPDATE SET run_at = excluded.run_at, attempts = 0, last_error = ''
   WHERE due.run_at <> excluded.run_at),
new_groups AS (
  SELECT array_agg(DISTINCT profile_id) AS ids FROM wanted
   WHERE profile_id > 0 AND NOT EXISTS (
     SELECT FROM aaa.profile WHERE tenant_id = {tenant} AND profile.profile_id = wanted.profile_id))"""
_GONE = """,
gone AS (
  DELETE FROM work.due
   WHERE tenant_id = {tenant} AND kind = '{expire}'
     AND subject_id = ANY(ARRAY(SELECT id FROM present EXCEPT SELECT account_id FROM wanted WHERE {ends})))"""
_WHOLE = (_LEFT_BEHIND + _WANTED + _AFTER_LEFT_BEHIND + _STORED + _GONE).strip()
_IN_PLACE = (_WANTED + _STORED).strip()


_PROJECT = """
WITH present AS MATERIALIZED (SELECT * FROM {schema}.accounts WHERE id = ANY(%(ids)s::bigint[])), {projection}
SELECT ids FROM new_groups"""


def stays_in_place(*, state: str, activated: bool, expires_at: datetime, renamed: bool) -> bool:
    """Whether an account that had its row and its due row keeps both: nothing old has to be taken away."""
    return state in ("active", "disabled") and activated and expires_at < NOT_YET and not renamed


def projection_sql(tenant_id: int, *, in_place: bool = False, online: bool = True) -> str:
    """The part of a WITH clause that carries the accounts in ``present`` into the read model of the cluster.

    ``present`` must be a MATERIALIZED part with the columns of ``accounts``. ``new_groups.ids`` are the plan groups
    that nobody had before: the caller gives them to :func:`project_profiles`. ``in_place``: shorter, for accounts
    that all stay (:func:`stays_in_place`). ``online``: whether any of them may have open sessions to be told of.
    """
    return (_IN_PLACE if in_place else _WHOLE).format(
        tenant=int(tenant_id),
        schema=schema_name(tenant_id),
        selected=", ".join(f"{sql} AS {name}" for name, sql in _SUBSCRIBER.items()),
        columns=", ".join(_SUBSCRIBER),
        updates=", ".join(f"{name} = excluded.{name}" for name in _SUBSCRIBER if name != "username"),
        expire=EXPIRE,
        ends=_ENDS,
        returned=RETURNED if online else "",
        told=told_sql(tenant_id, schema_name(tenant_id)) if online else "",
    )


@lru_cache(maxsize=2048)
def _project_sql(tenant_id: int) -> str:
    return _PROJECT.format(schema=schema_name(tenant_id), projection=projection_sql(tenant_id))


def project_account(scope: TenantScope, account_id: int) -> None:
    """Recompute what the cluster knows of one account; call it at the end of every operation that changes it."""
    project_accounts(scope, [account_id])


def project_accounts(scope: TenantScope, account_ids: Sequence[int]) -> None:
    """The same for many accounts at once."""
    if not account_ids:
        return
    scope.session.flush()  # the statement reads the accounts by SQL
    connection = scope.session.connection()
    new_groups = connection.exec_driver_sql(_project_sql(scope.tenant_id), {"ids": list(account_ids)}).scalar_one()
    if new_groups:
        project_profiles(scope, new_groups)


_RATES = (
    "up_bps", "down_bps", "burst_up_bps", "burst_down_bps", "threshold_up_bps", "threshold_down_bps", "burst_seconds",
    "priority",
)  # fmt: skip
_GROUP = ("pool", "ipv6_pool", "dns1", "dns2", "options")
_SERVICE_BEFORE = (
    "CASE WHEN COALESCE(old.options ->> 'service', '') <> COALESCE(new.options ->> 'service', '')"
    " THEN COALESCE(old.options ->> 'service', '') END"
)
_PROFILE_COLUMNS = ["tenant_id", "profile_id", "version", *_RATES, *_GROUP, "windows"]


def _minutes(column: Any) -> Any:
    return cast(func.extract("hour", column) * 60 + func.extract("minute", column), Integer)


def _group_profiles(tenant_id: Any) -> Select[*tuple[Any, ...]]:
    facts = func.jsonb_build_object(
        "days", PlanWindow.days, "starts", _minutes(PlanWindow.starts), "ends", _minutes(PlanWindow.ends)
    )
    rate = case(
        (PlanWindow.action == "rate", func.jsonb_build_object("profile_id", -PlanWindow.rate_profile_id)),
        else_=cast(literal({}, JSONB), JSONB),
    )
    windows = (
        select(func.jsonb_agg(aggregate_order_by(facts.op("||")(rate), PlanWindow.id)))  # the first that covers counts
        .where(PlanWindow.group_id == PlanGroup.id)
        .correlate(PlanGroup)
        .scalar_subquery()
    )
    return select(
        cast(tenant_id, Integer),
        PlanGroup.id,
        literal(1),
        *(getattr(RateProfile, name) for name in _RATES),
        *(getattr(PlanGroup, name) for name in _GROUP),
        windows,
    ).join(RateProfile, RateProfile.id == PlanGroup.rate_profile_id)


def _rate_profiles(tenant_id: int) -> Select[*tuple[Any, ...]]:
    return select(
        cast(literal(tenant_id), Integer),
        -RateProfile.id,
        literal(1),
        *(getattr(RateProfile, name) for name in _RATES),
        literal(""),
        literal(""),
        cast(None, Profile.dns1.type),
        cast(None, Profile.dns2.type),
        cast(literal({}, JSONB), JSONB),
        cast(None, JSONB),
    )


def project_profiles(scope: TenantScope, group_ids: Sequence[int]) -> list[int]:
    """Recompute the profiles of plan groups; gives the ids of those that changed."""
    return sorted(project_services(scope, group_ids))


def project_services(scope: TenantScope, group_ids: Sequence[int]) -> dict[int, str | None]:
    """The same; gives for each that changed the router's service that it had ("": none), None where that stays."""
    rows = _group_profiles(scope.tenant_id).where(PlanGroup.id.in_(group_ids))
    return _store_profiles(scope, rows)


def project_rate_profiles(scope: TenantScope, rate_profile_ids: Sequence[int]) -> list[int]:
    """Recompute rate profiles as throttling and rate windows use them (negative ids); gives those that changed."""
    rows = _rate_profiles(scope.tenant_id).where(RateProfile.id.in_(rate_profile_ids))
    return sorted(_store_profiles(scope, rows))


def _store_profiles(scope: TenantScope, rows: Select[*tuple[Any, ...]]) -> dict[int, str | None]:
    scope.session.flush()  # groups and rates are read by SQL
    put = insert(Profile).from_select(_PROFILE_COLUMNS, rows)
    content = [*_RATES, *_GROUP, "windows"]
    changed = or_(*(getattr(Profile, name).is_distinct_from(put.excluded[name]) for name in content))
    statement = put.on_conflict_do_update(
        index_elements=["tenant_id", "profile_id"],
        set_={"version": Profile.version + 1, **{name: put.excluded[name] for name in content}},
        where=changed,
    ).returning(Profile.profile_id, literal_column(_SERVICE_BEFORE, Text))
    return {row[0]: row[1] for row in scope.session.execute(statement)}
