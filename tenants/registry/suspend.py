"""The platform suspends and resumes a tenant (TEN-5); what subscribers feel of it is the cluster's rule."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from infra.db import Database
from infra.tenant_scope import TenantScope, unscoped
from tenants.kernel.actor import Actor
from tenants.kernel.errors import Forbidden
from tenants.registry.errors import AlreadySuspended, ReasonNeeded, TenantNotFound
from tenants.registry.models import PlatformAuditEntry, Tenant

_REASON = "the platform suspends and resumes tenants"


def suspend_tenant(database: Database, tenant_id: int, reason: str, *, actor: Actor, now: datetime) -> None:
    """Raises TenantNotFound, AlreadySuspended, ReasonNeeded, Forbidden."""
    if not reason.strip():
        raise ReasonNeeded(field="reason")
    with unscoped(database, reason=_REASON) as session:
        tenant = _lock(session, tenant_id, actor, wanted="active")
        tenant.state, tenant.suspended_at, tenant.suspended_reason = "suspended", now, reason.strip()[:200]
        tenant.directory_version += 1
        _note(session, tenant, "tenant.suspend", actor, now, reason=tenant.suspended_reason)


def resume_tenant(database: Database, tenant_id: int, *, actor: Actor, now: datetime) -> None:
    """Raises TenantNotFound, AlreadySuspended, Forbidden."""
    with unscoped(database, reason=_REASON) as session:
        tenant = _lock(session, tenant_id, actor, wanted="suspended")
        tenant.state, tenant.suspended_at, tenant.suspended_reason = "active", None, ""
        tenant.directory_version += 1
        _note(session, tenant, "tenant.resume", actor, now)


def suspended_reason(scope: TenantScope) -> str:
    """Why the platform suspended this tenant, "" while it runs."""
    return scope.registry.scalar(select(Tenant.suspended_reason).where(Tenant.id == scope.tenant_id)) or ""


def _lock(session: Session, tenant_id: int, actor: Actor, *, wanted: str) -> Tenant:
    if actor.kind not in ("platform", "cli", "system"):
        raise Forbidden(permission="platform")
    tenant = session.scalars(select(Tenant).where(Tenant.id == tenant_id).with_for_update()).first()
    if tenant is None or tenant.state not in ("active", "suspended"):
        raise TenantNotFound(what="tenant", ref=tenant_id)
    if tenant.state != wanted:
        raise AlreadySuspended(slug=tenant.slug, state=tenant.state)
    return tenant


def _note(session: Session, tenant: Tenant, action: str, actor: Actor, now: datetime, **detail: str) -> None:
    session.add(
        PlatformAuditEntry(
            at=now, actor=actor.name, action=action, tenant_id=tenant.id, detail=detail, address=actor.address
        )
    )
