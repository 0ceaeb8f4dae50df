"""What a new tenant begins with: roles, its owner, a region, ten plans, settings (TEN-1)."""

from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.access.apply_catalog import add_plan_and_apply
from tenants.audit.record import record
from tenants.catalog.add_plan import AddPlan, PlanValues
from tenants.catalog.add_plan_group import AddPlanGroup, add_plan_group
from tenants.catalog.add_rate_profile import AddRateProfile, add_rate_profile
from tenants.kernel.actor import SYSTEM
from tenants.network.add_region import RegionForm, add_region
from tenants.onboarding.starter_plans import GROUPS, PLANS
from tenants.registry.provision import TenantOrder
from tenants.registry.settings import write_many
from tenants.staff.built_in_roles import OWNER_ROLE, ROLES
from tenants.staff.models import Operator, Role

OWNER_USERNAME = "admin"


def furnish(scope: TenantScope, order: TenantOrder, now: datetime) -> None:
    """Through the public operations, as the system itself; runs under the tenant's walls."""
    chinese = order.locale == "zh"
    _add_owner(scope, order, now, chinese)
    write_many(
        scope,
        {"timezone": order.timezone, "locale": order.locale, "currency": order.currency},
        actor=SYSTEM,
        now=now,
    )
    add_region(scope, RegionForm(name="默认区域" if chinese else "Main area"), actor=SYSTEM, now=now)
    _add_plans(scope, order, now, chinese)
    record(
        scope,
        actor=SYSTEM,
        action="tenant.create",
        object_kind="tenant",
        object_id=scope.tenant_id,
        object_label=order.slug,
        after={"name": order.name, "email": order.email, "tier": order.tier},
        now=now,
    )


def _add_owner(scope: TenantScope, order: TenantOrder, now: datetime, chinese: bool) -> None:
    roles = [
        Role(
            code=role.code,
            name=role.name_zh if chinese else role.name_en,
            permissions=sorted(role.permissions),
            built_in=True,
            created_at=now,
        )
        for role in ROLES
    ]
    scope.session.add_all(roles)
    scope.session.flush()  # the owner's role id is wanted
    scope.session.add(
        Operator(
            username=OWNER_USERNAME,
            name=order.contact_name or order.name,
            email=order.email,
            phone=order.phone,
            password_hash=order.password_hash,
            role_id=next(role.id for role in roles if role.code == OWNER_ROLE),
            is_owner=True,
            created_at=now,
        )
    )
    scope.session.flush()  # the operator's id is a default "created by"


def _add_plans(scope: TenantScope, order: TenantOrder, now: datetime, chinese: bool) -> None:
    groups = []
    for sort, group in enumerate(GROUPS):
        name = group.name_zh if chinese else group.name_en
        rates = add_rate_profile(scope, AddRateProfile(name, group.up_bps, group.down_bps), actor=SYSTEM, now=now)
        command = AddPlanGroup(name=name, rate_profile_id=rates.id, pool=group.pool, sort=sort)
        groups.append(add_plan_group(scope, command, actor=SYSTEM, now=now))
    for sort, plan in enumerate(PLANS):
        values = PlanValues(
            name=plan.name_zh if chinese else plan.name_en,
            kind=plan.kind,
            price=plan.yuan if order.currency == "CNY" else plan.dollars,
            sort=sort,
            quota_octets=plan.quota_octets,
            validity_days=plan.validity_days,
        )
        add_plan_and_apply(scope, AddPlan(groups[plan.group].id, values), actor=SYSTEM, now=now)
