"""Somebody of the platform enters a tenant's administration (TEN-5): with a reason, for a limited time, never unseen.

The row in the registry is what counts: it ends by itself, and both sides can end it at once. The entry in the tenant's
own operation log is committed first, so that no support login can exist that the tenant's log does not know.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope, unscoped
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.kernel.errors import Forbidden
from tenants.registry.directory import find_tenant
from tenants.registry.errors import ReasonNeeded, SupportTooLong
from tenants.registry.models import PlatformAuditEntry, SupportLogin

LONGEST_MINUTES = 60
_REASON = "the platform starts and ends support logins"


@dataclass(frozen=True, slots=True)
class StartSupport:
    """Into which tenant, why (the tenant reads it), and for how long."""

    tenant_id: int
    reason: str
    minutes: int = 30


@dataclass(frozen=True, slots=True)
class SupportView:
    """A support login, running or over; ``ended_by`` "" = it ended by itself or still runs."""

    id: int
    tenant_id: int
    operator: str
    reason: str
    address: str
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_by: str

    def runs(self, now: datetime) -> bool:
        """Whether it may still be used."""
        return self.ended_at is None and now < self.ends_at


def start_support(
    database: Database, command: StartSupport, *, actor: Actor, now: datetime
) -> tuple[TenantRef, SupportView]:
    """Raises TenantNotFound, ReasonNeeded, SupportTooLong, Forbidden."""
    if actor.kind != "platform" or actor.id is None:
        raise Forbidden(permission="platform")
    reason = " ".join(command.reason.split())[:200]
    if len(reason) < 5:
        raise ReasonNeeded(field="reason")
    if not 1 <= command.minutes <= LONGEST_MINUTES:
        raise SupportTooLong(field="minutes", most=LONGEST_MINUTES)
    tenant = find_tenant(database, command.tenant_id)
    ends_at = now + timedelta(minutes=command.minutes)
    with unscoped(database, reason=_REASON) as session:
        row = SupportLogin(
            tenant_id=tenant.id,
            platform_operator_id=actor.id,
            operator=actor.name,
            reason=reason,
            address=actor.address,
            started_at=now,
            ends_at=ends_at,
        )
        session.add(row)
        session.flush()  # the id stands in both logs
        _note(session, "support.start", row, actor, now, reason=reason, minutes=command.minutes)
        with tenant_scope(database, tenant) as scope:
            _record(scope, "support.start", row.id, actor, now, reason=reason, ends_at=ends_at)
        view = _view(row)
    return tenant, view


def running_support(scope: TenantScope, support_id: int, now: datetime) -> SupportView | None:
    """The support login of a session, None when it is over (asked on every request)."""
    return next(iter(_of_tenant(scope, now, SupportLogin.id == support_id)), None)


def all_running_support(scope: TenantScope, now: datetime) -> list[SupportView]:
    """Who of the platform is in this tenant now: what its staff are shown."""
    return _of_tenant(scope, now)


def _of_tenant(scope: TenantScope, now: datetime, *where: ColumnElement[bool]) -> list[SupportView]:
    rows = scope.registry.scalars(
        select(SupportLogin)
        .where(
            SupportLogin.tenant_id == scope.tenant_id,
            SupportLogin.ended_at.is_(None),
            SupportLogin.ends_at > now,
            *where,
        )
        .order_by(SupportLogin.id)
    )
    return [_view(row) for row in rows]


def end_support_here(scope: TenantScope, support_id: int, *, actor: Actor, now: datetime) -> bool:
    """The tenant (or the supporter, from within) ends it; False when it was over already."""
    ended = scope.registry.execute(
        update(SupportLogin)
        .where(
            SupportLogin.id == support_id,
            SupportLogin.tenant_id == scope.tenant_id,
            SupportLogin.ended_at.is_(None),
            SupportLogin.ends_at > now,
        )
        .values(ended_at=now, ended_by=actor.name[:200])
        .returning(SupportLogin.id)
    ).first()
    if ended is None:
        return False
    _record(scope, "support.end", support_id, actor, now)
    return True


def end_support(database: Database, support_id: int, *, actor: Actor, now: datetime) -> bool:
    """The platform ends it; False when it was over already."""
    if actor.kind != "platform":
        raise Forbidden(permission="platform")
    with unscoped(database, reason=_REASON) as session:
        row = session.scalars(
            select(SupportLogin).where(SupportLogin.id == support_id, SupportLogin.ended_at.is_(None)).with_for_update()
        ).first()
        if row is None or row.ends_at <= now:
            return False
        row.ended_at, row.ended_by = now, actor.name[:200]
        _note(session, "support.end", row, actor, now)
        with tenant_scope(database, find_tenant(database, row.tenant_id)) as scope:
            _record(scope, "support.end", row.id, actor, now)
    return True


def _view(row: SupportLogin) -> SupportView:
    return SupportView(**{name: getattr(row, name) for name in SupportView.__dataclass_fields__})


def _note(session: Session, action: str, row: SupportLogin, actor: Actor, now: datetime, **detail: object) -> None:
    session.add(
        PlatformAuditEntry(
            at=now,
            actor=actor.name,
            action=action,
            tenant_id=row.tenant_id,
            detail={"support_id": row.id, **detail},
            address=actor.address,
        )
    )


def _record(
    scope: TenantScope,
    action: str,
    support_id: int,
    actor: Actor,
    now: datetime,
    *,
    reason: str = "",
    ends_at: datetime | None = None,
) -> None:
    record(
        scope,
        actor=actor,
        action=action,
        object_kind="support_login",
        object_id=support_id,
        object_label=actor.name,
        after=None if ends_at is None else {"ends_at": ends_at},
        reason=reason,
        now=now,
    )
