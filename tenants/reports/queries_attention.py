"""Tenants that the platform should look at, each with the reason (TEN-5)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, or_, select

from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.access.models import Subscriber
from tenants.registry.models import Tenant, TenantMigration, Tier
from tenants.reports.queries_platform import TenantRow, tenant_detail

NEAR_LIMIT = 0.9
_MOST_LIMITED = 500  # tenants on limited tiers whose accounts are counted for the page
_REASON = "the platform console shows what needs attention"
Why = Literal["migration_failed", "suspended", "tier_over", "near_limit"]


@dataclass(frozen=True, slots=True)
class Attention:
    """A tenant and why it stands here."""

    tenant: TenantRow
    why: Why


def tenants_to_look_at(database: Database, now: datetime, limit: int = 8) -> tuple[Attention, ...]:
    """Failed migrations first, then suspended ones, tiers that are over, and accounts near the tier's limit."""
    found: dict[int, Why] = {}
    with unscoped(database, reason=_REASON) as session:
        failed = select(TenantMigration.tenant_id).where(TenantMigration.state == "failed").limit(limit)
        found |= dict.fromkeys(session.scalars(failed), "migration_failed")
        live = Tenant.state.in_(("active", "suspended"))
        for row in session.execute(
            select(Tenant.id, Tenant.state)
            .where(live, or_(Tenant.state == "suspended", Tenant.tier_until < now))
            .order_by(Tenant.suspended_at.desc().nulls_last(), Tenant.id)
            .limit(limit)
        ):
            found.setdefault(row.id, "suspended" if row.state == "suspended" else "tier_over")
        limited = session.execute(
            select(Tenant.id, Tenant.cell, Tier.max_accounts)
            .join(Tier, Tier.code == Tenant.tier_code)
            .where(Tenant.state == "active", Tier.max_accounts.is_not(None))
            .order_by(Tenant.id.desc())
            .limit(_MOST_LIMITED)
        ).all()
    for tenant_id in _near_limit(database, [(row.id, row.cell, row.max_accounts) for row in limited]):
        found.setdefault(tenant_id, "near_limit")
    return tuple(Attention(tenant_detail(database, tenant_id), why) for tenant_id, why in list(found.items())[:limit])


def _near_limit(database: Database, limited: list[tuple[int, str, int]]) -> list[int]:
    near = []
    for cell in {cell for _id, cell, _most in limited}:
        most = {tenant_id: limit for tenant_id, at, limit in limited if at == cell}
        counted: Any = (
            select(Subscriber.tenant_id, func.count())
            .where(Subscriber.tenant_id.in_(most))
            .group_by(Subscriber.tenant_id)
        )
        with unscoped(database, reason=_REASON, cell=cell) as session:
            near += [
                (number / most[tenant_id], tenant_id)
                for tenant_id, number in session.execute(counted).all()
                if number >= NEAR_LIMIT * most[tenant_id]
            ]
    return [tenant_id for _share, tenant_id in sorted(near, reverse=True)]
