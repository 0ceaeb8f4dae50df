"""One tenant as the command line and the console tell it."""

from typing import Any

from sqlalchemy import func, select

from infra.db import Database
from infra.tenant_scope import TenantRef, unscoped
from tenants.registry.models import Hostname, Nas, Owner, Tenant, TenantMigration


def describe_tenants(database: Database, tenants: list[TenantRef]) -> list[dict[str, Any]]:
    """Facts of the registry, in the order given."""
    ids = [tenant.id for tenant in tenants]
    with unscoped(database, reason="describe tenants to the platform") as session:
        routers = (
            select(func.count())
            .where(Nas.tenant_id == Tenant.id, Nas.deleted_at.is_(None))
            .correlate(Tenant)
            .scalar_subquery()
        )
        rows = session.execute(
            select(Tenant, Owner.email, TenantMigration.state, routers)
            .outerjoin(Owner, Owner.tenant_id == Tenant.id)
            .outerjoin(TenantMigration, TenantMigration.tenant_id == Tenant.id)
            .where(Tenant.id.in_(ids))
        ).all()
        hostnames = session.execute(select(Hostname.tenant_id, Hostname.hostname).where(Hostname.tenant_id.in_(ids)))
        domains: dict[int, list[str]] = {}
        for tenant_id, hostname in hostnames:
            domains.setdefault(tenant_id, []).append(hostname)
        found = {
            tenant.id: {
                "id": tenant.id,
                "slug": tenant.slug,
                "name": tenant.name,
                "state": tenant.state,
                "tier": tenant.tier_code,
                "cell": tenant.cell,
                "email": email or tenant.email,
                "nas_prefix": tenant.nas_prefix,
                "nas_count": count,
                "timezone": tenant.timezone,
                "locale": tenant.locale,
                "currency": tenant.currency,
                "hostnames": domains.get(tenant.id, []),
                "schema_version": tenant.schema_version,
                "migration": migration or "",
                "created_at": tenant.created_at,
                "suspended_reason": tenant.suspended_reason,
            }
            for tenant, email, migration, count in rows
        }
    return [found[tenant_id] for tenant_id in ids if tenant_id in found]
