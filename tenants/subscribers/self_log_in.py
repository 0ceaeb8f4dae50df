"""A subscriber logs in to self-service with the name and password of the account (SLF-1, STF-7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope
from tenants.audit.log_login import LoginResult, in_own_unit, log_login
from tenants.audit.models import LoginEntry
from tenants.kernel.errors import BusinessError
from tenants.staff.errors import LoginLocked, WrongCredentials
from tenants.staff.rules import lock_seconds
from tenants.subscribers.errors import AccountNotFound
from tenants.subscribers.find import find_account
from tenants.subscribers.password import password_matches

REALM = "selfcare"
LOOK_BACK_SECONDS = 3600
_MOST_TRIES = 30


@dataclass(frozen=True, slots=True)
class SelfLogIn:
    """What was typed, and from which address."""

    username: str
    password: str
    address: str


@dataclass(frozen=True, slots=True)
class SelfLoggedIn:
    """What the session has to remember; a changed ``session_epoch`` ends it."""

    account_id: int
    session_epoch: int
    login_id: int


def try_log_in(database: Database, tenant: TenantRef, command: SelfLogIn, *, now: datetime) -> SelfLoggedIn:
    """:func:`log_in` in a unit of work of its own, so that a refused try is kept as well."""
    return in_own_unit(database, tenant, lambda scope: log_in(scope, command, now=now))


def log_in(scope: TenantScope, command: SelfLogIn, *, now: datetime) -> SelfLoggedIn | BusinessError:
    """Check the password and write the login log; disabled and held accounts may enter, they see why they are offline.

    Refusals are returned, not raised, because their traces have to be committed: :class:`WrongCredentials`,
    :class:`LoginLocked` (counted per account, so that changing the address does not help).
    """
    name = command.username.strip()
    try:
        account = find_account(scope, name, lock=True)  # locked: tries at the same time are counted one by one
    except AccountNotFound:
        return _refused(scope, command, "unknown", WrongCredentials(), now)
    seconds = _still_locked(scope, name, now)
    if seconds > 0:
        return _refused(scope, command, "locked", LoginLocked(seconds=seconds), now)
    if account.state == "closed" or not password_matches(scope, account, command.password):
        return _refused(scope, command, "wrong_password", WrongCredentials(), now)
    login_id = log_login(scope, realm="selfcare", subject=name, address=command.address, result="ok", now=now)
    return SelfLoggedIn(account.id, account.selfcare_epoch, login_id)


def _still_locked(scope: TenantScope, name: str, now: datetime) -> int:
    """Seconds until the next try is looked at, 0 when now: wrong passwords since the last right one decide."""
    tries = scope.session.execute(
        select(LoginEntry.at, LoginEntry.result)
        .where(
            LoginEntry.at > now - timedelta(seconds=LOOK_BACK_SECONDS),
            LoginEntry.realm == REALM,
            LoginEntry.subject == name[:100],
            LoginEntry.result.in_(("ok", "wrong_password")),
        )
        .order_by(LoginEntry.at.desc(), LoginEntry.id.desc())
        .limit(_MOST_TRIES)
    ).all()
    wrong = 0
    for entry in tries:
        if entry.result == "ok":
            break
        wrong += 1
    if wrong == 0:
        return 0
    until = tries[0].at + timedelta(seconds=lock_seconds(wrong))
    return max(0, int((until - now).total_seconds() + 0.999))


def _refused(
    scope: TenantScope, command: SelfLogIn, result: LoginResult, error: BusinessError, now: datetime
) -> BusinessError:
    name = command.username.strip()
    log_login(scope, realm="selfcare", subject=name, address=command.address, result=result, now=now)
    return error
