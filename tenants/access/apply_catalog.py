"""Changes of the catalogue that accounts and online sessions must follow at once (NET-5, PLN-7): edit, project, CoA."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.access.change_rate import change_rate_profiles
from tenants.access.keep_hours import keep_hours
from tenants.access.project import project_accounts, project_profiles, project_rate_profiles, project_services
from tenants.catalog.add_plan import AddPlan, add_plan
from tenants.catalog.edit_plan import EditPlan, edit_plan
from tenants.catalog.edit_plan_group import EditPlanGroup, edit_plan_group
from tenants.catalog.edit_rate_profile import EditRateProfile, edit_rate_profile
from tenants.catalog.models import Plan, PlanGroup, RateProfile
from tenants.catalog.rules import Window
from tenants.catalog.set_windows import set_windows, windows_of
from tenants.kernel.actor import Actor
from tenants.subscribers.models import Account

_SLICE = 5_000  # accounts projected by one statement


def add_plan_and_apply(scope: TenantScope, command: AddPlan, *, actor: Actor, now: datetime) -> Plan:
    """Add a plan and make its group and throttle rate known to the cluster."""
    plan = add_plan(scope, command, actor=actor, now=now)
    _apply_plan_profiles(scope, plan)
    return plan


def edit_plan_and_apply(scope: TenantScope, command: EditPlan, *, actor: Actor, now: datetime) -> Plan:
    """Edit a plan; session limits and quota ends hold for all its accounts from now on."""
    plan = edit_plan(scope, command, actor=actor, now=now)
    _apply_plan_profiles(scope, plan)
    ids = list(scope.session.scalars(select(Account.id).where(Account.plan_id == plan.id).order_by(Account.id)))
    for start in range(0, len(ids), _SLICE):
        project_accounts(scope, ids[start : start + _SLICE])
    return plan


def edit_rate_profile_and_apply(
    scope: TenantScope, command: EditRateProfile, *, actor: Actor, now: datetime
) -> RateProfile:
    """Edit rates; everybody who has them, also those online, gets the new ones."""
    profile = edit_rate_profile(scope, command, actor=actor, now=now)
    groups = list(scope.session.scalars(select(PlanGroup.id).where(PlanGroup.rate_profile_id == profile.id)))
    changed = project_profiles(scope, groups) + project_rate_profiles(scope, [profile.id])
    change_rate_profiles(scope, changed)
    return profile


def edit_plan_group_and_apply(scope: TenantScope, command: EditPlanGroup, *, actor: Actor, now: datetime) -> PlanGroup:
    """Edit a group; a new rate reaches those online, a new pool holds from their next login."""
    group = edit_plan_group(scope, command, actor=actor, now=now)
    changed = project_services(scope, [group.id])
    services = {profile_id: service for profile_id, service in changed.items() if service is not None}
    change_rate_profiles(scope, list(changed), services=services)
    return group


def set_windows_and_apply(
    scope: TenantScope, group_id: int, windows: Sequence[Window], *, actor: Actor, now: datetime
) -> list[Window]:
    """Set the weekly windows of a group; those online follow at once, and at each edge from now on."""
    had_rates = any(window.action == "rate" for window in windows_of(scope, group_id))
    stored = set_windows(scope, group_id, windows, actor=actor, now=now)
    project_rate_profiles(scope, [window.rate_profile_id for window in stored if window.rate_profile_id is not None])
    project_profiles(scope, [group_id])
    keep_hours(scope, group_id, now)
    if had_rates and not any(window.action == "rate" for window in stored):
        change_rate_profiles(scope, [group_id])
    return stored


def _apply_plan_profiles(scope: TenantScope, plan: Plan) -> None:
    project_profiles(scope, [plan.group_id])
    if plan.throttle_profile_id is not None:
        project_rate_profiles(scope, [plan.throttle_profile_id])
