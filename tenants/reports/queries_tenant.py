"""One tenant as the platform sees it beside its facts: routers, migration, support logins (TEN-5)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.kernel.errors import NotFound
from tenants.registry.models import Nas, SupportLogin, Tenant, TenantMigration
from tenants.registry.support_login import SupportView

_REASON = "the platform console shows one tenant"


@dataclass(frozen=True, slots=True)
class TenantRouter:
    """A router without its secret."""

    id: int
    identifier: str
    name: str
    vendor: str
    created_at: datetime
    last_packet_at: datetime | None
    last_source: str


@dataclass(frozen=True, slots=True)
class MigrationState:
    """Where a tenant's schema stands; ``state`` done | failed."""

    version: str
    state: str
    error: str
    migrated_at: datetime


def tenant_routers(database: Database, tenant_id: int) -> tuple[TenantRouter, ...]:
    """Its routers by name."""
    columns = [getattr(Nas, name) for name in TenantRouter.__dataclass_fields__]
    with unscoped(database, reason=_REASON) as session:
        rows = session.execute(
            select(*columns).where(Nas.tenant_id == tenant_id, Nas.deleted_at.is_(None)).order_by(Nas.name, Nas.id)
        )
        return tuple(TenantRouter(**row._mapping) for row in rows)


def tenant_migration(database: Database, tenant_id: int) -> MigrationState | None:
    """The last migration of its schema."""
    columns = [getattr(TenantMigration, name) for name in MigrationState.__dataclass_fields__]
    with unscoped(database, reason=_REASON) as session:
        row = session.execute(select(*columns).where(TenantMigration.tenant_id == tenant_id)).first()
        return None if row is None else MigrationState(**row._mapping)


@dataclass(frozen=True, slots=True)
class SupportRow:
    """A support login with the tenant's name."""

    login: SupportView
    tenant_name: str
    tenant_slug: str


def list_support_logins(database: Database, *, tenant_id: int | None = None, limit: int = 50) -> tuple[SupportRow, ...]:
    """The newest support logins, running and over."""
    statement = (
        select(SupportLogin, Tenant.name, Tenant.slug)
        .join(Tenant, Tenant.id == SupportLogin.tenant_id)
        .order_by(SupportLogin.id.desc())
        .limit(limit)
    )
    if tenant_id is not None:
        statement = statement.where(SupportLogin.tenant_id == tenant_id)
    with unscoped(database, reason=_REASON) as session:
        return tuple(SupportRow(_view(row), name, slug) for row, name, slug in session.execute(statement))


def support_login(database: Database, support_id: int) -> SupportRow:
    """One. Raises :class:`NotFound`."""
    statement = (
        select(SupportLogin, Tenant.name, Tenant.slug)
        .join(Tenant, Tenant.id == SupportLogin.tenant_id)
        .where(SupportLogin.id == support_id)
    )
    with unscoped(database, reason=_REASON) as session:
        found = session.execute(statement).first()
        if found is None:
            raise NotFound(what="support login", ref=support_id)
        return SupportRow(_view(found[0]), found[1], found[2])


def _view(row: SupportLogin) -> SupportView:
    return SupportView(**{name: getattr(row, name) for name in SupportView.__dataclass_fields__})
