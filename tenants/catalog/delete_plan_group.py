"""Delete a plan group that has no plans left; it stays in the database for the sake of old orders."""

from datetime import datetime

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.add_plan_group import group_facts
from tenants.catalog.errors import StillUsed
from tenants.catalog.find import find_group
from tenants.catalog.models import Plan
from tenants.kernel.actor import Actor
from tenants.kernel.errors import Phrase


def delete_plan_group(scope: TenantScope, group_id: int, *, actor: Actor, now: datetime) -> None:
    """Raises PlanGroupNotFound, and StillUsed while a plan of the group is sold."""
    actor.require("plans.delete")
    group = find_group(scope, group_id, lock=True)
    plans = scope.session.scalar(
        select(func.count()).select_from(Plan).where(Plan.group_id == group.id, Plan.deleted_at.is_(None))
    )
    if plans:
        raise StillUsed(what=group.name, users=Phrase("{count} plans", count=plans))
    group.deleted_at = now
    record(
        scope,
        actor=actor,
        action="plan_group.delete",
        object_kind="plan_group",
        object_id=group.id,
        object_label=group.name,
        before=group_facts(group),
        now=now,
    )
