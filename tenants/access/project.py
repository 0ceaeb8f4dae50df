"""Carry accounts and plan groups into the cluster's read model, in the transaction of the business change.

Set-based: one statement for one account or for a hundred thousand. Also keeps the due row ``account.expire`` at the
instant until which each account may connect.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Executable,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.sql.selectable import CTE

from infra.outbox import DueRow
from infra.tenant_scope import TenantScope
from tenants.access.models import Profile, Subscriber
from tenants.access.rules import STATE_ACTIVE, STATE_DISABLED, STATE_HELD
from tenants.catalog.models import Plan, PlanGroup, PlanWindow, RateProfile
from tenants.catalog.rules import KINDS
from tenants.subscribers.models import Account

EXPIRE = "account.expire"
NOT_YET = datetime(2100, 1, 1, tzinfo=UTC)  # valid_until of an account whose period begins at its first login

_ACTIVATED = or_(Account.activated_at.is_not(None), Account.starts_at_first_login.is_(False), Account.plan_id.is_(None))
_QUOTA_KINDS = [(Plan.kind == kind, rule.quota_scope) for kind, rule in KINDS.items() if rule.quota_scope]

# tenants.billing.rules.covers_next_period in SQL; a booking after the projection corrects it (mark_renewing).
_RENEWS = and_(
    Account.state == "active",
    Account.activated_at.is_not(None),
    or_(Plan.kind == "prepaid-month", Account.auto_renew),
    Plan.deleted_at.is_(None),
    Account.receivable == 0,
    Account.balance >= Plan.price,
)


def _source(tenant_id: Any, ids: Any) -> Select[*tuple[Any, ...]]:
    """The rows of ``aaa.subscriber`` as the accounts say they should be; closed and deleted accounts have none."""
    limits = func.least(Account.expires_at, func.coalesce(Account.cut_off_at, Account.expires_at))
    return (
        select(
            cast(tenant_id, Integer).label("tenant_id"),
            Account.username,
            Account.id.label("account_id"),
            Account.password_sealed,
            case(
                (Account.state == "disabled", STATE_DISABLED), (Account.state == "held", STATE_HELD), else_=STATE_ACTIVE
            ).label("state"),
            _ACTIVATED.label("activated"),
            case((_ACTIVATED, limits), else_=literal(NOT_YET)).label("valid_until"),
            func.coalesce(Account.cut_off_at < Account.expires_at, false()).label("in_arrears"),
            func.coalesce(_RENEWS, false()).label("renews"),
            func.coalesce(Account.max_sessions, Plan.max_sessions, 1).label("max_sessions"),
            func.coalesce(Plan.concurrency == "drop-oldest", false()).label("drop_oldest"),
            func.coalesce(Plan.group_id, 0).label("profile_id"),
            Account.region_id,
            Account.static_ip,
            Account.bind_mac,
            Account.bind_nas_id,
            Account.bind_port,
            Account.bind_options,
            case(*_QUOTA_KINDS, else_=0).label("quota_kind"),
            Account.quota_octets,
            Account.quota_seconds,
            Account.quota_epoch,
            Account.pack_octets,
            Account.pack_seconds,
            func.coalesce(Plan.quota_end != "throttle", True).label("quota_cut"),
            (-Plan.throttle_profile_id).label("throttle_profile_id"),
            func.now().label("updated_at"),
        )
        .outerjoin(Plan, Plan.id == Account.plan_id)
        .where(Account.id == func.any(ids), Account.state != "closed", Account.deleted_at.is_(None))
    )


def project_account(scope: TenantScope, account_id: int, *, same_name: bool = False) -> None:
    """Recompute what the cluster knows of one account; call it at the end of every operation that changes it.

    ``same_name``: the caller knows that it was neither renamed nor closed, so no old row can be in the way.
    """
    project_accounts(scope, [account_id], same_names=same_name)


def project_accounts(scope: TenantScope, account_ids: Sequence[int], *, same_names: bool = False) -> None:
    """The same for many accounts at once."""
    if not account_ids:
        return
    scope.session.flush()  # the statements below read the accounts by SQL
    clear, put = _statements()
    values = {"tenant_id": scope.tenant_id, "ids": list(account_ids)}
    if not same_names:
        scope.session.execute(clear, values, execution_options={"synchronize_session": False})
    scope.session.execute(put, values)


@lru_cache(maxsize=1)
def _statements() -> tuple[Executable, Executable]:
    """Built once: every operation on an account runs them, and building them costs more than running them."""
    tenant_id = bindparam("tenant_id", type_=Integer)
    ids = bindparam("ids", type_=ARRAY(BigInteger))
    wanted = _source(tenant_id, ids).cte("wanted")
    # A renamed, closed or deleted account leaves its old row behind. First, because (tenant, account) is unique.
    clear = delete(Subscriber).where(
        Subscriber.tenant_id == tenant_id,
        Subscriber.account_id == func.any(ids),
        ~exists().where(wanted.c.account_id == Subscriber.account_id, wanted.c.username == Subscriber.username),
    )
    columns = [column.name for column in wanted.c]
    put = insert(Subscriber).from_select(columns, select(wanted))
    keys = ("tenant_id", "username")
    stored = put.on_conflict_do_update(
        index_elements=list(keys), set_={name: put.excluded[name] for name in columns if name not in keys}
    ).returning(Subscriber.account_id)
    new_profiles = _missing_profiles(tenant_id, wanted)
    later, gone = _due_statements(tenant_id, ids, wanted)
    steps = [stored.cte("stored"), new_profiles.cte("profiles"), later.cte("later"), gone.cte("gone")]
    return clear, select(*(select(func.count()).select_from(step).scalar_subquery() for step in steps))


def _due_statements(tenant_id: Any, ids: Any, wanted: CTE) -> tuple[Any, Any]:
    """Set the due row of accounts that will expire, and drop those of accounts that will not.

    An instant that has passed gets one too: the worker renews from the balance as of that instant, or disconnects.
    """
    ends = and_(wanted.c.activated, wanted.c.state != STATE_HELD, wanted.c.valid_until < NOT_YET)
    due = insert(DueRow).from_select(
        ["tenant_id", "kind", "subject_id", "run_at"],
        select(wanted.c.tenant_id, literal(EXPIRE), wanted.c.account_id, wanted.c.valid_until).where(ends),
    )
    put = due.on_conflict_do_update(
        index_elements=["tenant_id", "kind", "subject_id"],
        set_={"run_at": due.excluded.run_at, "attempts": 0, "last_error": ""},
        where=DueRow.run_at != due.excluded.run_at,
    ).returning(DueRow.subject_id)
    gone = (
        delete(DueRow)
        .where(
            DueRow.tenant_id == tenant_id,
            DueRow.kind == EXPIRE,
            DueRow.subject_id == func.any(ids),
            ~exists().where(wanted.c.account_id == DueRow.subject_id, ends),
        )
        .returning(DueRow.subject_id)
    )
    return put, gone


def _missing_profiles(tenant_id: Any, wanted: CTE) -> Any:
    """Profiles of groups that nobody has used before; edits go through :func:`project_profiles`."""
    groups = select(wanted.c.profile_id).where(
        ~exists().where(Profile.tenant_id == tenant_id, Profile.profile_id == wanted.c.profile_id)
    )
    rows = _group_profiles(tenant_id).where(PlanGroup.id.in_(groups))
    put = insert(Profile).from_select(_PROFILE_COLUMNS, rows)
    return put.on_conflict_do_nothing().returning(Profile.profile_id)


_RATES = (
    "up_bps", "down_bps", "burst_up_bps", "burst_down_bps", "threshold_up_bps", "threshold_down_bps", "burst_seconds",
    "priority",
)  # fmt: skip
_GROUP = ("pool", "ipv6_pool", "dns1", "dns2", "options")
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
        select(func.jsonb_agg(facts.op("||")(rate)))
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
    rows = _group_profiles(scope.tenant_id).where(PlanGroup.id.in_(group_ids))
    return _store_profiles(scope, rows)


def project_rate_profiles(scope: TenantScope, rate_profile_ids: Sequence[int]) -> list[int]:
    """Recompute rate profiles as throttling and rate windows use them (negative ids); gives those that changed."""
    rows = _rate_profiles(scope.tenant_id).where(RateProfile.id.in_(rate_profile_ids))
    return _store_profiles(scope, rows)


def _store_profiles(scope: TenantScope, rows: Select[*tuple[Any, ...]]) -> list[int]:
    scope.session.flush()  # groups and rates are read by SQL
    put = insert(Profile).from_select(_PROFILE_COLUMNS, rows)
    content = [*_RATES, *_GROUP, "windows"]
    changed = or_(*(getattr(Profile, name).is_distinct_from(put.excluded[name]) for name in content))
    statement = put.on_conflict_do_update(
        index_elements=["tenant_id", "profile_id"],
        set_={"version": Profile.version + 1, **{name: put.excluded[name] for name in content}},
        where=changed,
    ).returning(Profile.profile_id)
    return sorted(scope.session.scalars(statement))
