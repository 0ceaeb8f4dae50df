"""Change a plan. Orders keep a copy of what they sold, so past orders never change (PLN-6)."""

from dataclasses import dataclass
from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.add_plan import PlanValues, fill_plan, plan_facts, set_regions
from tenants.catalog.errors import PlanFieldForbidden
from tenants.catalog.find import find_group, find_plan, store_named
from tenants.catalog.models import Plan, PlanPrice
from tenants.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class EditPlan:
    """All values of the plan as they shall be; ``group_id`` None = the group stays."""

    plan_id: int
    values: PlanValues
    group_id: int | None = None


def edit_plan(scope: TenantScope, command: EditPlan, *, actor: Actor, now: datetime) -> Plan:
    """Store the new values; a new price becomes a line of the price history.

    The kind stays: what accounts have bought would otherwise mean something else. Raises PlanFieldForbidden for that,
    and what ``add_plan`` raises. Accounts follow through ``access.project_plan`` (session limit, quota end).
    """
    actor.require("plans.edit")
    plan = find_plan(scope, command.plan_id, lock=True)
    if command.values.kind != plan.kind:
        raise PlanFieldForbidden(field="kind", kind=plan.kind, what="other kind once it exists")
    before, old_price = plan_facts(scope, plan), plan.price
    if command.group_id is not None:
        plan.group_id = find_group(scope, command.group_id).id
    fill_plan(scope, plan, command.values, actor=actor, now=now)
    store_named(scope, plan, plan.name)
    set_regions(scope, plan, command.values)
    if plan.price != old_price:
        scope.session.add(PlanPrice(plan_id=plan.id, price=plan.price, valid_from=now, changed_by=actor.name))
    after = plan_facts(scope, plan)
    if after != before:
        record(
            scope,
            actor=actor,
            action="plan.edit",
            object_kind="plan",
            object_id=plan.id,
            object_label=plan.name,
            before=before,
            after=after,
            now=now,
        )
    return plan
