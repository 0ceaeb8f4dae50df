"""A member of staff logs in (STF-4, STF-7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import func, select

from infra.crypto import hash_password, verify_password
from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope
from tenants.audit.log_login import LoginResult, in_own_unit, log_login
from tenants.kernel.errors import BusinessError
from tenants.staff.errors import LoginLocked, OperatorDisabled, WrongCredentials
from tenants.staff.models import Operator
from tenants.staff.rules import lock_seconds


@cache
def _nobodys_hash() -> str:
    """So that unknown names take as long as wrong passwords; made when first needed, because hashing is slow."""
    return hash_password("nobody has this password")


@dataclass(frozen=True, slots=True)
class LogIn:
    """``username`` may also be the operator's e-mail address."""

    username: str
    password: str
    address: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What the session has to remember; a changed ``session_epoch`` ends it."""

    operator_id: int
    session_epoch: int
    must_change_password: bool
    login_id: int


def try_log_in(database: Database, tenant: TenantRef, command: LogIn, *, now: datetime) -> LoggedIn:
    """:func:`log_in` in a unit of work of its own, so that a refused try is kept as well."""
    return in_own_unit(database, tenant, lambda scope: log_in(scope, command, now=now))


def log_in(scope: TenantScope, command: LogIn, *, now: datetime) -> LoggedIn | BusinessError:
    """Check the password; counts failures, locks, writes the login log.

    Refusals are returned, not raised, because their traces have to be committed: :class:`WrongCredentials`,
    :class:`LoginLocked`, :class:`OperatorDisabled`.
    """
    operator = _find(scope, command.username)
    if operator is None:
        verify_password(_nobodys_hash(), command.password)
        return _refused(scope, command, "unknown", WrongCredentials(), now)
    if operator.locked_until is not None and operator.locked_until > now:
        seconds = int((operator.locked_until - now).total_seconds()) + 1
        return _refused(scope, command, "locked", LoginLocked(seconds=seconds), now)
    if not verify_password(operator.password_hash, command.password):
        operator.failed_logins += 1
        seconds = lock_seconds(operator.failed_logins)
        if seconds:
            operator.locked_until = now + timedelta(seconds=seconds)
        error = LoginLocked(seconds=seconds) if seconds else WrongCredentials()
        return _refused(scope, command, "wrong_password", error, now)
    if operator.disabled_at is not None:
        return _refused(scope, command, "disabled", OperatorDisabled(), now)
    operator.failed_logins = 0
    operator.locked_until = None
    operator.last_login_at = now
    login_id = log_login(scope, realm="admin", subject=operator.username, address=command.address, result="ok", now=now)
    return LoggedIn(operator.id, operator.session_epoch, operator.must_change_password, login_id)


def _find(scope: TenantScope, username: str) -> Operator | None:
    wanted = username.strip().lower()
    if "\x00" in wanted:
        return None
    by_name = select(Operator).where(func.lower(Operator.username) == wanted).with_for_update()
    found = scope.session.scalars(by_name).first()
    if found is not None or "@" not in wanted:
        return found
    # An address that two operators share is nobody's login.
    by_email = select(Operator).where(func.lower(Operator.email) == wanted).with_for_update().limit(2)
    owners = list(scope.session.scalars(by_email))
    return owners[0] if len(owners) == 1 else None


def _refused(
    scope: TenantScope, command: LogIn, result: LoginResult, error: BusinessError, now: datetime
) -> BusinessError:
    log_login(scope, realm="admin", subject=command.username, address=command.address, result=result, now=now)
    return error
