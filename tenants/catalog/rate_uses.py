"""Who uses a rate profile: groups as their speed, plans after their quota, groups at certain hours (NET-5)."""

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.catalog.models import Plan, PlanGroup, PlanWindow


@dataclass(slots=True)
class RateUses:
    """Names of what uses one rate profile; what was deleted uses nothing."""

    groups: list[str] = field(default_factory=list)
    throttled_plans: list[str] = field(default_factory=list)
    groups_at_hours: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Everything that uses it, each name once."""
        return list(dict.fromkeys([*self.groups, *self.throttled_plans, *self.groups_at_hours]))


def rate_uses(scope: TenantScope) -> dict[int, RateUses]:
    """Rate profile → what uses it; profiles that nothing uses are left out."""
    found: dict[int, RateUses] = defaultdict(RateUses)
    profile_id: int | None
    groups = select(PlanGroup.rate_profile_id, PlanGroup.name).where(PlanGroup.deleted_at.is_(None))
    for profile_id, name in scope.session.execute(groups.order_by(PlanGroup.sort, PlanGroup.id)):
        found[profile_id or 0].groups.append(name)
    throttled = select(Plan.throttle_profile_id, Plan.name).where(
        Plan.throttle_profile_id.is_not(None), Plan.deleted_at.is_(None)
    )
    for profile_id, name in scope.session.execute(throttled.order_by(Plan.sort, Plan.id)):
        found[profile_id or 0].throttled_plans.append(name)
    at_hours = (
        select(PlanWindow.rate_profile_id, PlanGroup.name)
        .join(PlanGroup, PlanGroup.id == PlanWindow.group_id)
        .where(PlanWindow.rate_profile_id.is_not(None), PlanGroup.deleted_at.is_(None))
        .distinct()
    )
    for profile_id, name in scope.session.execute(at_hours.order_by(PlanGroup.name)):
        found[profile_id or 0].groups_at_hours.append(name)
    return dict(found)
