"""Take a plan off sale for good; accounts that have it keep it until they buy another (PLN-6)."""

from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.add_plan import plan_facts
from tenants.catalog.find import find_plan
from tenants.kernel.actor import Actor


def delete_plan(scope: TenantScope, plan_id: int, *, actor: Actor, now: datetime) -> None:
    """Raises PlanNotFound, also the second time."""
    actor.require("plans.delete")
    plan = find_plan(scope, plan_id, lock=True)
    plan.deleted_at = now
    record(
        scope,
        actor=actor,
        action="plan.delete",
        object_kind="plan",
        object_id=plan.id,
        object_label=plan.name,
        before=plan_facts(scope, plan),
        now=now,
    )
