"""Writes the login log (STF-7)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, TypeVar

from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.audit.models import LoginEntry
from tenants.kernel.errors import BusinessError

Realm = Literal["admin", "selfcare", "agency"]
LoginResult = Literal["ok", "wrong_password", "unknown", "disabled", "locked"]
T = TypeVar("T")
_LONGEST_SUBJECT = 100


def log_login(
    scope: TenantScope,
    *,
    realm: Realm,
    subject: str,
    address: str,
    result: LoginResult,
    now: datetime,
    detail: dict[str, Any] | None = None,
) -> int:
    """Note one try to log in; returns its id, with which :func:`log_logout` notes the end."""
    entry = LoginEntry(
        at=now,
        realm=realm,
        subject=subject.replace("\x00", "")[:_LONGEST_SUBJECT],
        address=address,
        result=result,
        detail=detail or {},
    )
    scope.session.add(entry)
    scope.session.flush()  # the id is wanted
    return entry.id


def log_logout(scope: TenantScope, login_id: int, *, now: datetime) -> None:
    """Note the end of a login; an unknown or ended one is left alone."""
    entry = scope.session.get(LoginEntry, login_id)
    if entry is not None and entry.ended_at is None:
        entry.ended_at = now


def in_own_unit(database: Database, tenant: TenantRef, try_it: Callable[[TenantScope], T | BusinessError]) -> T:
    """``try_it`` in a unit of work of its own, so that a refused try, which it returns, is kept as well.

    Raises the refusal after the commit.
    """
    with tenant_scope(database, tenant) as scope:
        outcome = try_it(scope)
    if isinstance(outcome, BusinessError):
        raise outcome
    return outcome
