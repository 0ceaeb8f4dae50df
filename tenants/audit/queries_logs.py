"""The operation log and the login log as staff read them (STF-6, STF-7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from infra.keyset import Page, count_bounded, fetch_page
from infra.tenant_scope import TenantScope
from tenants.audit.models import AuditEntry, LoginEntry


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry; ``before`` and ``after`` hold only what changed."""

    id: int
    at: datetime
    actor_kind: str
    actor_name: str
    address: str
    action: str
    object_kind: str
    object_id: str
    object_label: str
    before: Any
    after: Any
    reason: str


def list_audit(
    scope: TenantScope,
    *,
    text: str = "",
    action: str = "",
    object_kind: str = "",
    object_id: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str = "",
    size: int = 50,
) -> Page[AuditRow]:
    """One page, newest first; ``action`` may be a family such as ``account``."""
    where: list[ColumnElement[bool]] = []
    if text:
        where.append(
            or_(
                AuditEntry.actor_name.icontains(text, autoescape=True),
                AuditEntry.object_label.icontains(text, autoescape=True),
            )
        )
    if action:
        where.append(or_(AuditEntry.action == action, AuditEntry.action.startswith(f"{action}.", autoescape=True)))
    if object_kind:
        where.append(AuditEntry.object_kind == object_kind)
    if object_id:
        where.append(AuditEntry.object_id == object_id)
    if since is not None:
        where.append(AuditEntry.at >= since)
    if until is not None:
        where.append(AuditEntry.at < until)
    columns = [getattr(AuditEntry, name) for name in AuditRow.__dataclass_fields__]
    statement = select(*columns).where(*where)
    page = fetch_page(
        scope.session,
        statement,
        keys=(AuditEntry.at, AuditEntry.id),
        cursor=cursor,
        size=size,
        descending=True,
    )
    return page.of(AuditRow, count_bounded(scope.session, select(AuditEntry.id).where(*where)))


@dataclass(frozen=True, slots=True)
class LoginRow:
    """One try to sign in."""

    id: int
    at: datetime
    realm: str
    subject: str
    address: str
    result: str
    ended_at: datetime | None


def list_logins(
    scope: TenantScope,
    *,
    text: str = "",
    realm: str = "",
    result: str = "",
    subject: str = "",
    cursor: str = "",
    size: int = 50,
) -> Page[LoginRow]:
    """One page of the login log, newest first."""
    where: list[ColumnElement[bool]] = []
    if text:
        where.append(or_(LoginEntry.subject.icontains(text, autoescape=True), LoginEntry.address == text))
    if subject:
        where.append(LoginEntry.subject == subject)
    if realm:
        where.append(LoginEntry.realm == realm)
    if result == "refused":
        where.append(LoginEntry.result != "ok")
    elif result:
        where.append(LoginEntry.result == result)
    columns = [getattr(LoginEntry, name) for name in LoginRow.__dataclass_fields__]
    page = fetch_page(
        scope.session,
        select(*columns).where(*where),
        keys=(LoginEntry.at, LoginEntry.id),
        cursor=cursor,
        size=size,
        descending=True,
    )
    return page.of(LoginRow, count_bounded(scope.session, select(LoginEntry.id).where(*where)))
