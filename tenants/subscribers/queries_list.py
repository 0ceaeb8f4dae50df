"""The list of accounts: state tabs, search, filters, keyset pages (SUB-1, SUB-5, SUB-6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select

from infra.keyset import Page, Total, count_bounded, fetch_page
from infra.tenant_scope import TenantScope
from tenants.catalog.models import Plan, PlanGroup
from tenants.kernel.actor import Actor
from tenants.network.models import Region
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.search_sql import named_by
from tenants.subscribers.state_sql import STATES, shown_state_expression, state_conditions
from tenants.subscribers.visibility import visible_to
from tenants.usage.addresses import address_of
from tenants.usage.models import Session as OnlineSession

_SORTS: dict[str, Any] = {
    "username": Account.username,
    "expires": Account.expires_at,
    "opened": Account.opened_at,
    "balance": Account.balance,
}
SORTS = tuple(_SORTS)


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """What a list shows. Instants are half-open: from ≤ x < until. ``online`` None = both."""

    text: str = ""
    state: str = ""
    region_id: int | None = None
    group_id: int | None = None
    plan_id: int | None = None
    customer_id: int | None = None
    created_by: int | None = None
    opened_from: datetime | None = None
    opened_until: datetime | None = None
    expires_from: datetime | None = None
    expires_until: datetime | None = None
    online: bool | None = None
    deleted: bool = False
    expiring_days: int = 3


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One line of the list; ``online_ip`` is that of the newest open session, "" when offline."""

    id: int
    username: str
    name: str
    phone: str
    address: str
    remark: str
    state: str
    plan_id: int | None
    plan_name: str
    region_name: str
    opened_at: datetime
    activated: bool
    expires_at: datetime
    never_expires: bool
    balance: Decimal
    receivable: Decimal
    bind_mac: str
    box: str
    vlan: str
    sessions: int = 0
    online_ip: str = ""


def _conditions(scope: TenantScope, wanted: AccountFilter, actor: Actor) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [visible_to(actor)]
    if wanted.deleted:
        where.append(Account.deleted_at.is_not(None))
    else:
        where += [Account.deleted_at.is_(None), Account.name_released_at.is_(None)]
    for column, value in (
        (Account.region_id, wanted.region_id),
        (Account.plan_id, wanted.plan_id),
        (Account.customer_id, wanted.customer_id),
        (Account.created_by, wanted.created_by),
    ):
        if value is not None:
            where.append(column == value)
    if wanted.group_id is not None:
        # As values, not as a sub-select: the planner then knows how many accounts have these plans.
        plan_ids = scope.session.scalars(select(Plan.id).where(Plan.group_id == wanted.group_id)).all()
        where.append(Account.plan_id.in_(plan_ids))
    for stamp, since, until in (
        (Account.opened_at, wanted.opened_from, wanted.opened_until),
        (Account.expires_at, wanted.expires_from, wanted.expires_until),
    ):
        if since is not None:
            where.append(stamp >= since)
        if until is not None:
            where.append(stamp < until)
    if wanted.online is not None:
        online = Account.id.in_(select(OnlineSession.account_id).where(OnlineSession.tenant_id == scope.tenant_id))
        where.append(online if wanted.online else ~online)
    if wanted.text:
        where.append(named_by(wanted.text, scope.tenant_id))
    return where


def list_accounts(
    scope: TenantScope,
    wanted: AccountFilter,
    actor: Actor,
    now: datetime,
    *,
    sort: str = "username",
    cursor: str = "",
    size: int = 50,
) -> Page[AccountRow]:
    """One page of accounts with its bounded total; ``sort`` is one of :data:`SORTS`, "-" in front for descending."""
    where = _conditions(scope, wanted, actor)
    if wanted.state in STATES:
        where.append(state_conditions(now, wanted.expiring_days)[wanted.state])
    key = _SORTS.get(sort.removeprefix("-"), Account.username)
    # First the ids, then what the page shows of them: names and plans of rows that sorting throws away cost too much.
    page = fetch_page(
        scope.session,
        select(Account.id, key).where(*where),
        keys=(key, Account.id),
        cursor=cursor,
        size=size,
        descending=sort.startswith("-"),
    )
    found = accounts_by_id(scope, [row.id for row in page.rows], actor, now, wanted.expiring_days)
    by_id = {row.id: row for row in found}
    rows = [by_id[row.id] for row in page.rows]
    return Page(tuple(rows), page.next, page.previous, count_bounded(scope.session, select(Account.id).where(*where)))


def account_ids(scope: TenantScope, wanted: AccountFilter, actor: Actor, now: datetime, *, limit: int) -> list[int]:
    """The ids of everything that the filter shows, by user name, no more than ``limit``."""
    where = _conditions(scope, wanted, actor)
    if wanted.state in STATES:
        where.append(state_conditions(now, wanted.expiring_days)[wanted.state])
    return list(scope.session.scalars(select(Account.id).where(*where).order_by(Account.username).limit(limit)))


def count_accounts(scope: TenantScope, wanted: AccountFilter, actor: Actor, now: datetime) -> int:
    """How many the filter shows, counted to the end: for work on all of them, not for a page."""
    where = _conditions(scope, wanted, actor)
    if wanted.state in STATES:
        where.append(state_conditions(now, wanted.expiring_days)[wanted.state])
    return int(scope.session.execute(select(func.count(Account.id)).where(*where)).scalar_one())


def count_states(scope: TenantScope, wanted: AccountFilter, actor: Actor, now: datetime) -> dict[str, Total]:
    """How many accounts stand in each state under the present filters ("" = all); one statement, bounded counts."""
    where = _conditions(scope, wanted, actor)
    limit = 10_000
    counts = {
        name: select(func.count())
        .select_from(select(Account.id).where(*where, condition).limit(limit + 1).subquery())
        .scalar_subquery()
        for name, condition in state_conditions(now, wanted.expiring_days).items()
    }
    row = scope.session.execute(select(*(count.label(name) for name, count in counts.items()))).one()
    found = {name: Total(min(int(number), limit), int(number) <= limit) for name, number in row._mapping.items()}
    everything = sum(total.number for total in found.values())
    exact = all(total.exact for total in found.values()) and everything <= limit
    return {"": Total(min(everything, limit), exact), **found}


def accounts_by_id(
    scope: TenantScope, ids: Sequence[int], actor: Actor, now: datetime, expiring_days: int = 3
) -> list[AccountRow]:
    """The given accounts, as far as the actor may see them, by user name."""
    statement = (
        _row_statement(now, expiring_days)
        .where(Account.id.in_(list(ids)), visible_to(actor))
        .order_by(Account.username)
    )
    return with_online(scope, [AccountRow(**row._mapping) for row in scope.session.execute(statement)])


def with_online(scope: TenantScope, rows: list[AccountRow]) -> list[AccountRow]:
    """Fill in each row's open sessions."""
    if not rows:
        return rows
    found = scope.session.execute(
        select(OnlineSession.account_id, address_of(OnlineSession))
        .where(OnlineSession.tenant_id == scope.tenant_id, OnlineSession.account_id.in_([row.id for row in rows]))
        .order_by(OnlineSession.started_at)
    ).all()
    addresses: dict[int, list[str]] = {}
    for account_id, address in found:
        addresses.setdefault(account_id, []).append(address)
    return [
        replace(row, sessions=len(addresses.get(row.id, ())), online_ip=(addresses.get(row.id) or [""])[-1])
        for row in rows
    ]


def _row_statement(now: datetime, expiring_days: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Account.id,
            Account.username,
            Customer.name,
            Customer.phone,
            func.trim(Customer.address + " " + Customer.building + " " + Customer.room).label("address"),
            Account.remark,
            shown_state_expression(now, expiring_days).label("state"),
            Account.plan_id,
            func.coalesce(Plan.name, "").label("plan_name"),
            Region.name.label("region_name"),
            Account.opened_at,
            Account.activated_at.is_not(None).label("activated"),
            Account.expires_at,
            Account.never_expires,
            Account.balance,
            Account.receivable,
            Account.bind_mac,
            Account.box,
            Account.vlan,
        )
        .join(Customer, Customer.id == Account.customer_id)
        .join(Region, Region.id == Account.region_id)
        .outerjoin(Plan, Plan.id == Account.plan_id)
    )


class Choice(NamedTuple):
    """A thing to choose in a filter or a form."""

    id: int
    name: str


def list_choices(scope: TenantScope, actor: Actor) -> dict[str, list[Choice]]:
    """What the filters offer: the actor's ``regions``, ``plans`` and ``groups``."""
    regions = select(Region.id, Region.name).where(Region.deleted_at.is_(None)).order_by(Region.name)
    if actor.region_ids is not None:
        regions = regions.where(Region.id.in_(sorted(actor.region_ids)))
    plans = select(Plan.id, Plan.name).where(Plan.deleted_at.is_(None)).order_by(Plan.sort, Plan.name)
    groups = (
        select(PlanGroup.id, PlanGroup.name)
        .where(PlanGroup.deleted_at.is_(None))
        .order_by(PlanGroup.sort, PlanGroup.name)
    )
    session = scope.session
    return {
        "regions": [Choice(*row) for row in session.execute(regions)],
        "plans": [Choice(*row) for row in session.execute(plans)],
        "groups": [Choice(*row) for row in session.execute(groups)],
    }
