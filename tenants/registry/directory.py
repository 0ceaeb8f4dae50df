"""Finds the tenant that an address, a slug or an id means (TEN-7)."""

from sqlalchemy import ColumnElement, select

from infra.db import Database
from infra.tenant_scope import TenantRef, unscoped
from tenants.registry.errors import TenantNotFound
from tenants.registry.models import Hostname, Tenant

LIVE_STATES = ("active", "suspended")


def find_tenant(database: Database, ref: str | int) -> TenantRef:
    """The tenant with this slug or id. Raises :class:`TenantNotFound` (also for deleted and half-made ones)."""
    text = str(ref).strip().lower()
    if text.isascii() and text.isdigit():
        found = _first(database, Tenant.id == int(text)) if len(text) < 10 else None
    else:
        found = _first(database, Tenant.slug == text)
    if found is None:
        raise TenantNotFound(what="tenant", ref=ref)
    return found


def tenant_by_hostname(database: Database, host: str) -> TenantRef | None:
    """The tenant whose own, verified domain ``host`` is."""
    with unscoped(database, reason="find the tenant of a domain") as session:
        row = session.scalars(
            select(Tenant)
            .join(Hostname, Hostname.tenant_id == Tenant.id)
            .where(Hostname.hostname == host.strip().lower(), Hostname.verified_at.is_not(None))
            .where(Tenant.state.in_(LIVE_STATES))
        ).first()
        return tenant_ref(row) if row else None


def list_tenants(database: Database) -> list[TenantRef]:
    """All tenants that live or are suspended, by slug."""
    with unscoped(database, reason="list all tenants") as session:
        rows = session.scalars(select(Tenant).where(Tenant.state.in_(LIVE_STATES)).order_by(Tenant.slug))
        return [tenant_ref(row) for row in rows]


def tenant_ref(tenant: Tenant) -> TenantRef:
    """What is needed to reach a tenant's data."""
    return TenantRef(
        id=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        cell=tenant.cell,
        timezone=tenant.timezone,
        state=tenant.state,
        nas_prefix=tenant.nas_prefix,
    )


def _first(database: Database, condition: ColumnElement[bool]) -> TenantRef | None:
    with unscoped(database, reason="find a tenant by slug or id") as session:
        row = session.scalars(select(Tenant).where(condition, Tenant.state.in_(LIVE_STATES))).first()
        return tenant_ref(row) if row else None
