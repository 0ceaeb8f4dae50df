"""Read models of the catalogue: what can be sold to whom, and the plain list for the CLI."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, exists, or_, select

from infra.tenant_scope import TenantScope
from tenants.catalog.models import Plan, PlanGroup, PlanPrice, PlanRegion, RateProfile
from tenants.kernel.units import GIB
from tenants.network.models import Region


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One plan with its group's rates (bit/s)."""

    id: int
    group_id: int
    group: str
    name: str
    kind: str
    price: Decimal
    up_bps: int
    down_bps: int
    pool: str
    max_sessions: int
    concurrency: str
    usage: str
    visible: bool
    sort: int
    all_regions: bool
    quota_octets: int | None
    quota_seconds: int | None
    validity_days: int | None
    quota_end: str
    throttle_profile_id: int | None


_COLUMNS = (
    Plan.id, Plan.group_id, PlanGroup.name.label("group"), Plan.name, Plan.kind, Plan.price, RateProfile.up_bps,
    RateProfile.down_bps, PlanGroup.pool, Plan.max_sessions, Plan.concurrency, Plan.usage, Plan.visible, Plan.sort,
    Plan.all_regions, Plan.quota_octets, Plan.quota_seconds, Plan.validity_days, Plan.quota_end,
    Plan.throttle_profile_id,
)  # fmt: skip


def _plans() -> Select[*tuple[Any, ...]]:
    return (
        select(*_COLUMNS)
        .join(PlanGroup, PlanGroup.id == Plan.group_id)
        .join(RateProfile, RateProfile.id == PlanGroup.rate_profile_id)
        .where(Plan.deleted_at.is_(None))
        .order_by(PlanGroup.sort, PlanGroup.name, Plan.sort, Plan.price, Plan.name)
    )


def list_plans(scope: TenantScope) -> list[PlanRow]:
    """All plans that are not deleted, group by group."""
    return [PlanRow(*row) for row in scope.session.execute(_plans())]


def sellable_plans(
    scope: TenantScope,
    *,
    region_id: int | None,
    usage: str,
    group_id: int | None = None,
    staff: bool = True,
    plan_ids: Sequence[int] | None = None,
) -> list[PlanRow]:
    """Plans that an account of this region may buy now.

    ``usage`` is "new" (opening) or "renew"; ``group_id`` limits to one group; ``staff`` sees hidden plans too;
    ``plan_ids`` are those the operator or agent may sell (None = all).
    """
    statement = _plans().where(Plan.usage.in_((usage, "both")))
    if region_id is not None:
        statement = statement.where(sold_in(region_id))
    if group_id is not None:
        statement = statement.where(Plan.group_id == group_id)
    if not staff:
        statement = statement.where(Plan.visible)
    if plan_ids is not None:
        statement = statement.where(Plan.id.in_(plan_ids))
    return [PlanRow(*row) for row in scope.session.execute(statement)]


def sold_in(region_id: int) -> Any:
    """The condition that a plan is sold in this region (PLN-4)."""
    return or_(Plan.all_regions, exists().where(and_(PlanRegion.plan_id == Plan.id, PlanRegion.region_id == region_id)))


def region_names(scope: TenantScope, plan_id: int) -> list[str]:
    """Names of the regions that a plan is bound to."""
    statement = select(Region.name).join(PlanRegion, PlanRegion.region_id == Region.id).order_by(Region.name)
    return list(scope.session.scalars(statement.where(PlanRegion.plan_id == plan_id)))


def price_history(scope: TenantScope, plan_id: int) -> list[PlanPrice]:
    """All prices the plan has had, the newest first (PLN-6)."""
    statement = select(PlanPrice).where(PlanPrice.plan_id == plan_id)
    return list(scope.session.scalars(statement.order_by(PlanPrice.valid_from.desc(), PlanPrice.id.desc())))


def plan_document(scope: TenantScope, plan_id: int) -> dict[str, Any]:
    """The plan as ``plan add`` and ``plan list`` print it: money as text, quotas in octets and seconds."""
    row = PlanRow(*scope.session.execute(_plans().where(Plan.id == plan_id)).one())
    return as_document(row, None if row.all_regions else region_names(scope, row.id))


def as_document(row: PlanRow, regions: list[str] | None) -> dict[str, Any]:
    """One plan for JSON."""
    return {
        "id": row.id,
        "name": row.name,
        "group": row.group,
        "kind": row.kind,
        "price": str(row.price),
        "up_bps": row.up_bps,
        "down_bps": row.down_bps,
        "pool": row.pool,
        "sessions": row.max_sessions,
        "concurrency": row.concurrency,
        "usage": row.usage,
        "hidden": not row.visible,
        "regions": regions,
        "quota_gb": None if row.quota_octets is None else f"{row.quota_octets / GIB:g}",
        "quota_octets": row.quota_octets,
        "quota_seconds": row.quota_seconds,
        "validity_days": row.validity_days,
        "quota_end": row.quota_end,
    }
