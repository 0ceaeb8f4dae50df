"""Change a plan group; ``access.apply_rate`` carries a new rate or pool to the cluster."""

from dataclasses import dataclass
from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.add_plan_group import AddPlanGroup, fill_group, group_facts, require_reports_in_time
from tenants.catalog.find import find_group, find_rate_profile, store_named
from tenants.catalog.models import PlanGroup
from tenants.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class EditPlanGroup:
    """All values of the group as they shall be."""

    group_id: int
    values: AddPlanGroup


def values_of(group: PlanGroup) -> AddPlanGroup:
    """Its values as they are."""
    return AddPlanGroup(
        name=group.name,
        rate_profile_id=group.rate_profile_id,
        pool=group.pool,
        ipv6_pool=group.ipv6_pool,
        dns1=str(group.dns1 or ""),
        dns2=str(group.dns2 or ""),
        sort=group.sort,
        options=dict(group.options),
    )


def edit_plan_group(scope: TenantScope, command: EditPlanGroup, *, actor: Actor, now: datetime) -> PlanGroup:
    """Store the new values.

    Raises PlanGroupNotFound, RateProfileNotFound, BadName, BadDnsAddress, NameTaken, InterimTooLongFor.
    """
    actor.require("plans.edit")
    group = find_group(scope, command.group_id, lock=True)
    find_rate_profile(scope, command.values.rate_profile_id)
    before = group_facts(group)
    fill_group(group, command.values)
    extra, extra_before = (str(options.get("extra") or "") for options in (group.options, before["options"]))
    require_reports_in_time(scope, extra, extra_before, group.id)
    after = group_facts(group)
    if after == before:
        return group
    store_named(scope, group, group.name)
    record(
        scope,
        actor=actor,
        action="plan_group.edit",
        object_kind="plan_group",
        object_id=group.id,
        object_label=group.name,
        before=before,
        after=after,
        now=now,
    )
    return group
