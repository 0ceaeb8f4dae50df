"""Rate profiles with who has them (NET-5)."""

from dataclasses import dataclass

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.catalog.models import Plan, PlanGroup, RateProfile
from tenants.catalog.rate_uses import RateUses, rate_uses
from tenants.kernel.errors import NotFound
from tenants.subscribers.models import Account


@dataclass(frozen=True, slots=True)
class RateRow:
    """One rate profile; rates in bit/s; ``accounts`` have it as the speed of their plan's group."""

    id: int
    name: str
    up_bps: int
    down_bps: int
    burst_up_bps: int | None
    burst_down_bps: int | None
    threshold_up_bps: int | None
    threshold_down_bps: int | None
    burst_seconds: int | None
    priority: int
    uses: RateUses
    accounts: int


_COLUMNS = tuple(name for name in RateRow.__dataclass_fields__ if name not in ("uses", "accounts"))


def list_rates(scope: TenantScope) -> tuple[RateRow, ...]:
    """All rate profiles, the slowest first."""
    accounts: dict[int, int] = dict(
        scope.session.execute(
            select(PlanGroup.rate_profile_id, func.count())
            .join(Plan, Plan.group_id == PlanGroup.id)
            .join(Account, Account.plan_id == Plan.id)
            .where(Account.deleted_at.is_(None), Account.state != "closed")
            .group_by(PlanGroup.rate_profile_id)
        ).all()
    )
    uses = rate_uses(scope)
    rows = scope.session.execute(
        select(*(getattr(RateProfile, name) for name in _COLUMNS))
        .where(RateProfile.deleted_at.is_(None))
        .order_by(RateProfile.down_bps, RateProfile.up_bps, RateProfile.name)
    ).all()
    return tuple(
        RateRow(**row._mapping, uses=uses.get(row.id) or RateUses(), accounts=accounts.get(row.id, 0)) for row in rows
    )


def rate_detail(scope: TenantScope, rate_profile_id: int) -> RateRow:
    """One rate profile. Raises :class:`NotFound`."""
    for rate in list_rates(scope):
        if rate.id == rate_profile_id:
            return rate
    raise NotFound(what="rate profile", ref=rate_profile_id)


def throttle_of(scope: TenantScope, plan_id: int) -> RateRow | None:
    """The rate that a plan falls to at the end of its quota, or None."""
    profile_id = scope.session.scalar(select(Plan.throttle_profile_id).where(Plan.id == plan_id))
    return None if profile_id is None else rate_detail(scope, profile_id)
