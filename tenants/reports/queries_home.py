"""The figures of the home page (UX-4, TEN-3): online, money, accounts, refusals; each bounded by a range of time."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Date, Select, cast, func, select

from infra.keyset import Total, count_bounded
from infra.tenant_scope import TenantScope
from tenants.billing.models import FeeRecord, Order
from tenants.catalog.models import Plan
from tenants.kernel.actor import Actor
from tenants.registry.models import Nas, Tenant, Tier
from tenants.subscribers.models import Account
from tenants.subscribers.visibility import visible_to
from tenants.usage.models import OnlineSample
from tenants.usage.models import Session as OnlineSession

_COUNTED = 100_000  # exact as far as tiers go; beyond it "more than" is enough for a line of text
RENEWING_KINDS = ("buy", "change-plan", "pay-arrears", "auto-renew", "monthly")


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What the ISP has ordered and how far it is used."""

    name: str
    slug: str
    tier_code: str
    tier_en: str
    tier_zh: str
    tier_until: datetime | None
    max_accounts: int | None
    max_nas: int | None
    accounts: Total
    routers: int
    nas_prefix: str
    created_at: datetime


def tenant_facts(scope: TenantScope) -> TenantFacts:
    """The tenant's row with its tier and the present numbers."""
    tenant, tier = scope.registry.execute(
        select(Tenant, Tier).join(Tier, Tier.code == Tenant.tier_code).where(Tenant.id == scope.tenant_id)
    ).one()
    living = select(Account.id).where(Account.deleted_at.is_(None), Account.state != "closed")
    accounts = count_bounded(scope.session, living, _COUNTED)
    routers = scope.registry.execute(
        select(func.count()).select_from(Nas).where(Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None))
    ).scalar_one()
    return TenantFacts(
        tenant.name,
        tenant.slug,
        tier.code,
        tier.name_en,
        tier.name_zh,
        tenant.tier_until,
        tier.max_accounts,
        tier.max_nas,
        accounts,
        int(routers),
        tenant.nas_prefix,
        tenant.created_at,
    )


@dataclass(frozen=True, slots=True)
class OnlinePoint:
    """Open sessions at an instant."""

    at: datetime
    sessions: int


def online_now(scope: TenantScope) -> int:
    """Open sessions at this moment."""
    statement = select(func.count()).select_from(OnlineSession).where(OnlineSession.tenant_id == scope.tenant_id)
    return int(scope.session.execute(statement).scalar_one())


def online_line(scope: TenantScope, now: datetime, *, hours: int = 24, back: int = 0) -> tuple[OnlinePoint, ...]:
    """The samples of the last hours, ``back`` hours ago; the present number ends the line of today."""
    until = now - timedelta(hours=back)
    rows = scope.session.execute(
        select(OnlineSample.at, OnlineSample.sessions)
        .where(
            OnlineSample.tenant_id == scope.tenant_id,
            OnlineSample.at > until - timedelta(hours=hours),
            OnlineSample.at <= until,
        )
        .order_by(OnlineSample.at)
    ).all()
    points = [OnlinePoint(at, int(sessions)) for at, sessions in rows]
    if back == 0:
        points.append(OnlinePoint(now, online_now(scope)))
    return tuple(points)


@dataclass(frozen=True, slots=True)
class DayMoney:
    """Income of one local day by method, less expenses."""

    day: date
    by_method: dict[str, Decimal]

    @property
    def total(self) -> Decimal:
        """All methods together."""
        return sum(self.by_method.values(), Decimal(0))


def money_by_day(scope: TenantScope, actor: Actor, since: datetime, until: datetime) -> tuple[DayMoney, ...]:
    """Takings per local day, empty days included; expenses count with a minus."""
    day = cast(func.timezone(scope.tenant.timezone, FeeRecord.at), Date)
    signed = func.sum(FeeRecord.amount).filter(FeeRecord.direction == "income")
    spent = func.sum(FeeRecord.amount).filter(FeeRecord.direction == "expense")
    statement = (
        select(day, FeeRecord.method, func.coalesce(signed, 0) - func.coalesce(spent, 0))
        .where(FeeRecord.at >= since, FeeRecord.at <= until)
        .group_by(day, FeeRecord.method)
    )
    if actor.region_ids is not None:
        statement = statement.where(FeeRecord.region_id.in_(sorted(actor.region_ids)))
    if actor.own_accounts_only:
        statement = statement.where(FeeRecord.operator_id == actor.id)
    found: dict[date, dict[str, Decimal]] = {}
    for on, method, amount in scope.session.execute(statement):
        found.setdefault(on, {})[method] = Decimal(amount)
    first, last = since.astimezone(scope.zone).date(), until.astimezone(scope.zone).date()
    return tuple(
        DayMoney(first + timedelta(days=n), found.get(first + timedelta(days=n), {}))
        for n in range((last - first).days + 1)
    )


@dataclass(frozen=True, slots=True)
class DayDeeds:
    """Accounts opened and purchases of existing accounts on one local day."""

    day: date
    opened: int
    renewed: int


def deeds_by_day(scope: TenantScope, actor: Actor, since: datetime, until: datetime) -> tuple[DayDeeds, ...]:
    """New and renewed per local day, empty days included; what was taken back does not count."""
    day = cast(func.timezone(scope.tenant.timezone, Order.at), Date)
    statement = (
        select(
            day,
            func.count().filter(Order.kind == "open"),
            func.count().filter(Order.kind.in_(RENEWING_KINDS)),
        )
        .where(Order.at >= since, Order.at <= until, Order.state == "booked", Order.undoes_id.is_(None))
        .group_by(day)
    )
    if actor.region_ids is not None:
        statement = statement.where(Order.region_id.in_(sorted(actor.region_ids)))
    found = {on: (int(opened), int(renewed)) for on, opened, renewed in scope.session.execute(statement)}
    first, last = since.astimezone(scope.zone).date(), until.astimezone(scope.zone).date()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return tuple(DayDeeds(on, *found.get(on, (0, 0))) for on in days)


def expiring_per_day(scope: TenantScope, actor: Actor, since: datetime, days: int) -> tuple[int, ...]:
    """How many accounts expire on each of the next local days."""
    day = cast(func.timezone(scope.tenant.timezone, Account.expires_at), Date)
    rows = scope.session.execute(
        select(day, func.count()).where(*_expiring(actor, since, since + timedelta(days=days))).group_by(day)
    ).all()
    found = {on: int(number) for on, number in rows}
    first = since.astimezone(scope.zone).date()
    return tuple(found.get(first + timedelta(days=n), 0) for n in range(days))


def count_expiring(scope: TenantScope, actor: Actor, since: datetime, until: datetime) -> int:
    """Accounts whose expiry lies in the range and that were not closed."""
    statement: Select[int] = select(func.count()).select_from(Account).where(*_expiring(actor, since, until))
    return int(scope.session.execute(statement).scalar_one())


def _expiring(actor: Actor, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        visible_to(actor),
        Account.deleted_at.is_(None),
        Account.state != "closed",
        Account.never_expires.is_(False),
        Account.activated_at.is_not(None),
        Account.expires_at >= since,
        Account.expires_at < until,
    )


@dataclass(frozen=True, slots=True)
class Beginnings:
    """How far a fresh tenant is: what the getting-started list asks."""

    has_router: bool
    has_plan: bool
    has_account: bool
    has_been_online: bool
    first_router_id: int | None

    @property
    def finished(self) -> bool:
        """Nothing left to do: the list disappears."""
        return self.has_router and self.has_plan and self.has_account and self.has_been_online


def beginnings(scope: TenantScope) -> Beginnings:
    """Four cheap looks."""
    router = scope.registry.execute(
        select(Nas.id, Nas.first_online_at)
        .where(Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None))
        .order_by(Nas.first_online_at.is_(None), Nas.id)
        .limit(1)
    ).first()
    plan = scope.session.execute(select(Plan.id).where(Plan.deleted_at.is_(None)).limit(1)).first()
    account = scope.session.execute(select(Account.id).limit(1)).first()
    online = router is not None and router.first_online_at is not None
    return Beginnings(
        router is not None,
        plan is not None,
        account is not None,
        online or online_now(scope) > 0,
        None if router is None else router.id,
    )
