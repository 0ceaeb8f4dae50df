"""People who run the cloud itself (TEN-5): the first is made at start, they log in to the platform console."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from infra.crypto import hash_password, verify_password
from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.registry.errors import PlatformLoginRefused
from tenants.registry.models import PlatformAuditEntry, PlatformOperator
from tenants.registry.rules import check_email, check_password

_REASON = "platform operators belong to no tenant"


@dataclass(frozen=True, slots=True)
class PlatformLogin:
    """A platform operator who is logged in."""

    id: int
    email: str
    name: str
    session_epoch: int


@cache
def _nobodys_hash() -> str:
    """So that unknown addresses take as long as wrong passwords."""
    return hash_password("nobody has this password")


def ensure_first(database: Database, email: str, password: str, *, now: datetime) -> str | None:
    """Make the first platform operator if there is none; the password if it was made here, to be shown once.

    Two processes at once make one. A given password is only taken for a new operator. Raises BadEmail, WeakPassword.
    """
    with unscoped(database, reason=_REASON) as session:
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('broadloom.platform_operators'))"))
        if session.scalar(select(func.count()).select_from(PlatformOperator)):
            return None
        made = "" if password else secrets.token_urlsafe(12)
        email = check_email(email)
        session.add(
            PlatformOperator(
                email=email,
                name="Platform",
                password_hash=hash_password(check_password(password, email) if password else made),
                created_at=now,
            )
        )
        _note(session, email, "platform.first_operator", "", now)
        return made or None


def try_log_in(database: Database, email: str, password: str, *, address: str, now: datetime) -> PlatformLogin:
    """Raises :class:`PlatformLoginRefused`; both outcomes are in the platform's log."""
    with unscoped(database, reason=_REASON) as session:
        operator = None
        if "\x00" not in email:
            operator = session.scalars(
                select(PlatformOperator).where(PlatformOperator.email == email.strip().lower()).with_for_update()
            ).first()
        right = verify_password(operator.password_hash if operator else _nobodys_hash(), password)
        action = "platform.log_in" if operator and right else "platform.log_in_refused"
        _note(session, email.replace("\x00", "")[:254], action, address, now)
        if operator is not None and right:
            operator.last_login_at = now
            return _view(operator)
    raise PlatformLoginRefused()


def platform_operator(database: Database, operator_id: int, session_epoch: int) -> PlatformLogin | None:
    """The operator of a session, None when it was ended."""
    with unscoped(database, reason=_REASON) as session:
        operator = session.get(PlatformOperator, operator_id)
        return _view(operator) if operator is not None and operator.session_epoch == session_epoch else None


def _view(operator: PlatformOperator) -> PlatformLogin:
    return PlatformLogin(operator.id, operator.email, operator.name, operator.session_epoch)


def _note(session: Session, actor: str, action: str, address: str, now: datetime) -> None:
    session.add(PlatformAuditEntry(at=now, actor=actor, action=action, address=address))
