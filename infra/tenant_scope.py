"""The scope without which no session can be had (TEN-6; architecture.md, "Data", the third wall).

``tenant_scope`` is one unit of work inside one tenant; ``unscoped`` is the listed exception for work across tenants.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from infra.db import APP_ROLE, MAIN_CELL, PLATFORM_ROLE, Database


@dataclass(frozen=True, slots=True)
class TenantRef:
    """What is needed to reach a tenant's data; found by ``tenants.registry.directory``."""

    id: int
    slug: str
    name: str
    cell: str
    timezone: str
    state: str
    nas_prefix: str

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's time zone."""
        return ZoneInfo(self.timezone)


@dataclass(slots=True)
class TenantScope:
    """One unit of work of one tenant.

    ``session`` reaches the tenant's schema and its rows of ``aaa`` and ``work``; ``registry`` its rows of ``registry``
    (the same session where the tenant's cell is the registry's own database, so that both commit together).
    """

    tenant: TenantRef
    session: Session
    registry: Session
    database: Database

    @property
    def tenant_id(self) -> int:
        """Id of the tenant."""
        return self.tenant.id

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's time zone."""
        return self.tenant.zone

    def commit(self) -> None:
        """Registry first: what it reserves (identifiers) may stand unused, never the other way round."""
        if self.registry is not self.session:
            self.registry.commit()
        self.session.commit()

    def rollback(self) -> None:
        """Undo everything since the last commit."""
        if self.registry is not self.session:
            self.registry.rollback()
        self.session.rollback()

    def close(self) -> None:
        """Give the connections back; what was not committed is undone."""
        if self.registry is not self.session:
            self.registry.close()
        self.session.close()


def open_scope(database: Database, tenant: TenantRef) -> TenantScope:
    """A scope whose end the caller decides (web requests); others use :func:`tenant_scope`."""
    session = database.session(tenant.cell, APP_ROLE, tenant_id=tenant.id)
    registry = session if tenant.cell == MAIN_CELL else database.session(MAIN_CELL, APP_ROLE, tenant_id=tenant.id)
    return TenantScope(tenant, session, registry, database)


@contextmanager
def tenant_scope(database: Database, tenant: TenantRef) -> Iterator[TenantScope]:
    """One unit of work: commits at the end, undoes everything on any exception."""
    if not isinstance(tenant, TenantRef):
        raise TypeError("a tenant scope needs a TenantRef: work without a tenant is refused")
    scope = open_scope(database, tenant)
    with structlog.contextvars.bound_contextvars(tenant=tenant.slug):
        try:
            yield scope
            scope.commit()
        except BaseException:
            scope.rollback()
            raise
        finally:
            scope.close()


@contextmanager
def unscoped(database: Database, *, reason: str, cell: str = MAIN_CELL) -> Iterator[Session]:
    """A session across tenants, as the platform role; every caller and its reason stand in a test's list."""
    if not reason:
        raise ValueError("unscoped work needs a reason")
    session = database.session(cell, PLATFORM_ROLE)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()
