"""Add a plan (PLN-1, PLN-2, PLN-4, PLN-5), with its group where that does not exist yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.add_plan_group import AddPlanGroup, add_plan_group
from tenants.catalog.add_rate_profile import AddRateProfile, ensure_rate_profile
from tenants.catalog.errors import (
    GroupHasOtherPool,
    GroupHasOtherRates,
    PlanGroupNotFound,
    PlanNeedsOneRegion,
    PlanStaysInRegion,
)
from tenants.catalog.find import find_group, find_rate_profile, find_regions, store_named
from tenants.catalog.models import Plan, PlanGroup, PlanPrice, PlanRegion
from tenants.catalog.rules import (
    MOST_SESSIONS,
    PlanFields,
    check_choice,
    check_name,
    check_number,
    parse_price,
    plan_field_errors,
)
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError, InvalidInputs
from tenants.kernel.units import show_rate
from tenants.network.models import Region
from tenants.registry.settings import read as read_settings


@dataclass(frozen=True, slots=True)
class PlanValues:
    """What a plan is. ``regions`` None = sold everywhere, else ids or names; throttle rates are bit/s."""

    name: str
    kind: str
    price: str | Decimal
    max_sessions: int = 1  # 0 = any number
    concurrency: str = "refuse"  # refuse | drop-oldest
    usage: str = "both"  # new | renew | both
    visible: bool = True
    sort: int = 0
    regions: Sequence[int | str] | None = None
    quota_octets: int | None = None
    quota_seconds: int | None = None
    validity_days: int | None = None
    quota_end: str = "cut"
    throttle_up_bps: int | None = None
    throttle_down_bps: int | None = None


@dataclass(frozen=True, slots=True)
class AddPlan:
    """A plan in a group that exists."""

    group_id: int
    values: PlanValues


def fill_plan(scope: TenantScope, plan: Plan, values: PlanValues, *, actor: Actor, now: datetime) -> None:
    """Check all fields and set them (regions: :func:`set_regions`). Raises InvalidInputs with every error at once."""
    errors: list[BusinessError] = []

    def checked(check: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return check(*args, **kwargs)
        except BusinessError as error:
            errors.append(error)
            return None

    throttled = values.throttle_up_bps is not None and values.throttle_down_bps is not None
    half = (values.throttle_up_bps is None) != (values.throttle_down_bps is None)
    name = checked(check_name, values.name)
    price = checked(parse_price, values.price)
    checked(check_number, values.max_sessions, 0, MOST_SESSIONS, what="The number of sessions", field="max_sessions")
    checked(check_choice, values.concurrency, ("refuse", "drop-oldest"), what="The session rule", field="concurrency")
    checked(check_choice, values.usage, ("new", "renew", "both"), what="The usage", field="usage")
    checked(check_number, values.sort, -1_000_000, 1_000_000, what="The sort number", field="sort")
    errors += plan_field_errors(
        PlanFields(
            values.kind,
            values.quota_octets,
            values.quota_seconds,
            values.validity_days,
            values.quota_end,
            throttled=throttled or (half and values.quota_end == "cut"),
        )
    )
    if errors:
        raise InvalidInputs(errors) if len(errors) > 1 else errors[0]
    plan.name, plan.kind, plan.price = name, values.kind, price
    plan.max_sessions, plan.concurrency, plan.usage = values.max_sessions, values.concurrency, values.usage
    plan.visible, plan.sort, plan.all_regions = values.visible, values.sort, values.regions is None
    plan.quota_octets, plan.quota_seconds = values.quota_octets, values.quota_seconds
    plan.validity_days, plan.quota_end = values.validity_days, values.quota_end
    plan.throttle_profile_id = None
    if values.throttle_up_bps is not None and values.throttle_down_bps is not None:
        throttle = ensure_rate_profile(
            scope, AddRateProfile("", values.throttle_up_bps, values.throttle_down_bps), actor=actor, now=now
        )
        plan.throttle_profile_id = throttle.id
    plan.updated_at = now


def set_regions(scope: TenantScope, plan: Plan, values: PlanValues) -> None:
    """Bind the plan to the regions of the command: to any number, or to its own (one mode per tenant, PLN-4).

    Raises RegionUnknown; where plans belong to regions, PlanNeedsOneRegion and PlanStaysInRegion.
    """
    regions = [] if values.regions is None else find_regions(scope, values.regions)
    if read_settings(scope).prices_by_region:
        if len(regions) != 1:
            raise PlanNeedsOneRegion(field="regions", plan=plan.name)
        of_plan = select(Region.id, Region.name).join(PlanRegion, PlanRegion.region_id == Region.id)
        owners = scope.session.execute(of_plan.where(PlanRegion.plan_id == plan.id)).all()
        if len(owners) == 1 and owners[0].id != regions[0].id:
            raise PlanStaysInRegion(field="regions", plan=plan.name, region=owners[0].name)
    scope.session.execute(delete(PlanRegion).where(PlanRegion.plan_id == plan.id))
    scope.session.add_all(PlanRegion(plan_id=plan.id, region_id=region.id) for region in regions)
    scope.session.flush()  # the plan's regions are read back by SQL, not through the session's identity map


def plan_facts(scope: TenantScope, plan: Plan) -> dict[str, Any]:
    """The plan as the operation log shows it."""
    names = (
        "name", "kind", "max_sessions", "concurrency", "usage", "visible", "sort", "quota_octets", "quota_seconds",
        "validity_days", "quota_end", "throttle_profile_id", "group_id",
    )  # fmt: skip
    regions = scope.session.scalars(
        select(PlanRegion.region_id).where(PlanRegion.plan_id == plan.id).order_by(PlanRegion.region_id)
    )
    return {
        **{name: getattr(plan, name) for name in names},
        "price": str(plan.price),
        "region_ids": None if plan.all_regions else list(regions),
    }


def add_plan(scope: TenantScope, command: AddPlan, *, actor: Actor, now: datetime) -> Plan:
    """Store the plan and the first line of its price history.

    Raises InvalidInputs or the one error, NameTaken, PlanGroupNotFound, RegionUnknown.
    """
    actor.require("plans.add")
    group = find_group(scope, command.group_id)
    plan = Plan(group_id=group.id, created_at=now)
    fill_plan(scope, plan, command.values, actor=actor, now=now)
    store_named(scope, plan, plan.name)
    set_regions(scope, plan, command.values)
    scope.session.add(PlanPrice(plan_id=plan.id, price=plan.price, valid_from=now, changed_by=actor.name))
    record(
        scope,
        actor=actor,
        action="plan.add",
        object_kind="plan",
        object_id=plan.id,
        object_label=plan.name,
        after=plan_facts(scope, plan),
        now=now,
    )
    return plan


def ensure_group(
    scope: TenantScope, name: str, up_bps: int, down_bps: int, pool: str | None, *, actor: Actor, now: datetime
) -> PlanGroup:
    """The group of this name, made when missing; ``pool`` None asks for nothing.

    Raises GroupHasOtherRates or GroupHasOtherPool when it exists with others: a plan must not change its neighbours.
    """
    try:
        group = find_group(scope, name)
    except PlanGroupNotFound:
        profile = ensure_rate_profile(scope, AddRateProfile("", up_bps, down_bps), actor=actor, now=now)
        return add_plan_group(scope, AddPlanGroup(name, profile.id, pool=pool or ""), actor=actor, now=now)
    profile = find_rate_profile(scope, group.rate_profile_id)
    if (profile.up_bps, profile.down_bps) != (up_bps, down_bps):
        raise GroupHasOtherRates(
            field="up", group=group.name, up=show_rate(profile.up_bps), down=show_rate(profile.down_bps)
        )
    if pool is not None and pool != group.pool:
        raise GroupHasOtherPool(field="pool", group=group.name, pool=group.pool)
    return group
