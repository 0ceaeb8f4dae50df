"""Plan groups and plans with who uses them (PLN-1, PLN-6). What was sold of a plan is read in ``billing``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select

from infra.tenant_scope import TenantScope
from tenants.catalog.models import Plan, PlanGroup, PlanPrice, PlanRegion, Promotion, RateProfile
from tenants.kernel.errors import NotFound
from tenants.network.models import Region
from tenants.subscribers.models import Account


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One plan with its number of accounts."""

    id: int
    group_id: int
    group_name: str
    name: str
    kind: str
    price: Decimal
    max_sessions: int
    concurrency: str
    usage: str
    visible: bool
    all_regions: bool
    region_names: tuple[str, ...]
    quota_octets: int | None
    quota_seconds: int | None
    validity_days: int | None
    quota_end: str
    sort: int
    accounts: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One plan group with its rate and its plans."""

    id: int
    name: str
    rate_profile_id: int
    up_bps: int
    down_bps: int
    burst_up_bps: int | None
    burst_down_bps: int | None
    threshold_up_bps: int | None
    threshold_down_bps: int | None
    burst_seconds: int | None
    priority: int
    pool: str
    ipv6_pool: str
    dns1: Any
    dns2: Any
    sort: int
    options: dict[str, Any]
    plans: tuple[PlanRow, ...]

    @property
    def accounts(self) -> int:
        """Accounts on any of its plans."""
        return sum(plan.accounts for plan in self.plans)


def list_groups(scope: TenantScope) -> tuple[GroupRow, ...]:
    """All groups with their plans, in the order that the staff gave them."""
    rows = scope.session.execute(
        select(PlanGroup, RateProfile)
        .join(RateProfile, RateProfile.id == PlanGroup.rate_profile_id)
        .where(PlanGroup.deleted_at.is_(None))
        .order_by(PlanGroup.sort, PlanGroup.name)
    ).all()
    plans = list_plans(scope)
    return tuple(_group(group, rate, plans) for group, rate in rows)


def group_detail(scope: TenantScope, group_id: int) -> GroupRow:
    """One group. Raises :class:`NotFound`."""
    for group in list_groups(scope):
        if group.id == group_id:
            return group
    raise NotFound(what="plan group", ref=group_id)


def list_plans(scope: TenantScope) -> tuple[PlanRow, ...]:
    """All plans that can still be sold or renewed."""
    used: dict[int | None, int] = dict(
        scope.session.execute(
            select(Account.plan_id, func.count())
            .where(Account.deleted_at.is_(None), Account.state != "closed")
            .group_by(Account.plan_id)
        ).all()
    )
    regions: dict[int, list[str]] = {}
    bound = select(PlanRegion.plan_id, Region.name).join(Region, Region.id == PlanRegion.region_id)
    for plan_id, name in scope.session.execute(bound.order_by(Region.name)):
        regions.setdefault(plan_id, []).append(name)
    rows = scope.session.execute(
        select(Plan, PlanGroup.name)
        .join(PlanGroup, PlanGroup.id == Plan.group_id)
        .where(Plan.deleted_at.is_(None))
        .order_by(PlanGroup.sort, PlanGroup.name, Plan.sort, Plan.price, Plan.name)
    ).all()
    return tuple(
        PlanRow(
            id=plan.id,
            group_id=plan.group_id,
            group_name=group_name,
            name=plan.name,
            kind=plan.kind,
            price=plan.price,
            max_sessions=plan.max_sessions,
            concurrency=plan.concurrency,
            usage=plan.usage,
            visible=plan.visible,
            all_regions=plan.all_regions,
            region_names=tuple(regions.get(plan.id, ())),
            quota_octets=plan.quota_octets,
            quota_seconds=plan.quota_seconds,
            validity_days=plan.validity_days,
            quota_end=plan.quota_end,
            sort=plan.sort,
            accounts=int(used.get(plan.id, 0)),
            updated_at=plan.updated_at,
        )
        for plan, group_name in rows
    )


def plan_detail(scope: TenantScope, plan_id: int) -> PlanRow:
    """One plan. Raises :class:`NotFound`."""
    for plan in list_plans(scope):
        if plan.id == plan_id:
            return plan
    raise NotFound(what="plan", ref=plan_id)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price and from when it held."""

    price: Decimal
    valid_from: datetime
    changed_by: str


def price_history(scope: TenantScope, plan_id: int) -> tuple[PriceRow, ...]:
    """The prices a plan had, newest first (PLN-6)."""
    rows = scope.session.execute(
        select(PlanPrice.price, PlanPrice.valid_from, PlanPrice.changed_by)
        .where(PlanPrice.plan_id == plan_id)
        .order_by(PlanPrice.valid_from.desc(), PlanPrice.id.desc())
    ).all()
    return tuple(PriceRow(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class PromotionRow:
    """What a plan gives on top, between two instants (PLN-3)."""

    id: int
    plan_id: int
    name: str
    gift_kind: str
    gift_value: Decimal
    minimum_quantity: int
    first_purchase_only: bool
    starts_at: datetime
    ends_at: datetime


def open_promotions(scope: TenantScope, plan_id: int, now: datetime) -> tuple[PromotionRow, ...]:
    """The promotions of a plan that run or will run."""
    ours = _promotions().where(Promotion.plan_id == plan_id, Promotion.ends_at > now)
    rows = scope.session.execute(ours.order_by(Promotion.starts_at, Promotion.id)).all()
    return tuple(PromotionRow(**row._mapping) for row in rows)


def running_promotions(scope: TenantScope, plan_ids: Sequence[int], now: datetime) -> dict[int, PromotionRow]:
    """By plan, the promotion that runs now and ends last; those for first purchases are left out."""
    running = _promotions().where(
        Promotion.plan_id.in_(plan_ids),
        Promotion.first_purchase_only.is_(False),
        Promotion.starts_at <= now,
        Promotion.ends_at > now,
    )
    rows = scope.session.execute(running.order_by(Promotion.ends_at, Promotion.id)).all()
    return {row.plan_id: PromotionRow(**row._mapping) for row in rows}


def promotion_detail(scope: TenantScope, promotion_id: int) -> PromotionRow:
    """One promotion that was not ended. Raises :class:`NotFound`."""
    row = scope.session.execute(_promotions().where(Promotion.id == promotion_id)).first()
    if row is None:
        raise NotFound(what="promotion", ref=promotion_id)
    return PromotionRow(**row._mapping)


def _promotions() -> Select[*tuple[Any, ...]]:
    columns = [getattr(Promotion, name) for name in PromotionRow.__dataclass_fields__]
    return select(*columns).where(Promotion.deleted_at.is_(None))


def _group(group: PlanGroup, rate: RateProfile, plans: tuple[PlanRow, ...]) -> GroupRow:
    return GroupRow(
        id=group.id,
        name=group.name,
        rate_profile_id=rate.id,
        up_bps=rate.up_bps,
        down_bps=rate.down_bps,
        burst_up_bps=rate.burst_up_bps,
        burst_down_bps=rate.burst_down_bps,
        threshold_up_bps=rate.threshold_up_bps,
        threshold_down_bps=rate.threshold_down_bps,
        burst_seconds=rate.burst_seconds,
        priority=rate.priority,
        pool=group.pool,
        ipv6_pool=group.ipv6_pool,
        dns1=group.dns1,
        dns2=group.dns2,
        sort=group.sort,
        options=dict(group.options or {}),
        plans=tuple(plan for plan in plans if plan.group_id == group.id),
    )
