"""The ISP of the stories: every plan of ``stock.py`` in a tenant, with its promotions and a second region."""

from datetime import UTC, datetime

from infra.tenant_scope import TenantScope
from tenants.catalog.add_plan import AddPlan, PlanValues, add_plan, ensure_group
from tenants.catalog.add_promotion import AddPromotion, add_promotion
from tenants.network.add_region import RegionForm, add_region
from tests.reference.billing.facts import Plan
from tests.reference.billing.product import OWNER, Names
from tests.reference.billing.stock import OUTER, PLANS

_LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


def furnish(scope: TenantScope) -> Names:
    """Make it all; gives the ids."""
    regions = {OUTER: add_region(scope, RegionForm(OUTER), actor=OWNER, now=_LONG_AGO)}
    return Names({plan.name: _add(scope, plan) for plan in PLANS.values()}, regions)


def _add(scope: TenantScope, plan: Plan) -> int:
    group = ensure_group(scope, plan.group, 2_000_000, 2_000_000, None, actor=OWNER, now=_LONG_AGO)
    values = PlanValues(
        plan.name,
        plan.kind,
        plan.price,
        usage=plan.usage,
        visible=not plan.hidden,
        regions=list(plan.regions) or None,
        quota_octets=plan.octets,
        quota_seconds=plan.seconds,
        validity_days=plan.validity_days,
    )
    added = add_plan(scope, AddPlan(group.id, values), actor=OWNER, now=_LONG_AGO).id
    for gift in plan.gifts:
        promotion = AddPromotion(
            added, f"gift of {plan.name}", gift.what, gift.value, gift.begins, gift.ends, gift.minimum, gift.first_only
        )
        add_promotion(scope, promotion, actor=OWNER, now=_LONG_AGO)
    return added
