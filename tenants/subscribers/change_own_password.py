"""A subscriber changes the password of the own account, which is also the router's (SLF-4)."""

from dataclasses import dataclass
from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.staff.errors import PasswordIsSame, WrongOldPassword
from tenants.subscribers.errors import AccountNotFound, OwnPasswordWeak
from tenants.subscribers.find import lock_account
from tenants.subscribers.password import password_matches, reset_password
from tenants.subscribers.rules import check_password

SHORTEST_OWN_PASSWORD = 6


@dataclass(frozen=True, slots=True)
class ChangeOwnPassword:
    """Old and new, as typed."""

    old_password: str
    new_password: str


def change_own_password(scope: TenantScope, command: ChangeOwnPassword, *, actor: Actor, now: datetime) -> int:
    """Returns the new session epoch, which the present session takes over; all other sessions end.

    Raises WrongOldPassword, PasswordIsSame, OwnPasswordWeak, BadPassword.
    """
    if actor.kind != "subscriber" or actor.id is None:
        raise AccountNotFound(what="account", ref=actor.name)
    account = lock_account(scope, actor.id)
    if not password_matches(scope, account, command.old_password):
        raise WrongOldPassword(field="old_password")
    check_password(command.new_password, field="new_password")
    if command.new_password == command.old_password:
        raise PasswordIsSame(field="new_password")
    check_own_password(command.new_password, account.username)
    return reset_password(scope, account.id, command.new_password, actor=actor, now=now).selfcare_epoch


def check_own_password(password: str, username: str) -> None:
    """What people choose themselves must be harder to guess than what staff hand out once; pure."""
    if len(password) < SHORTEST_OWN_PASSWORD or password == username or len(set(password)) < 3:
        raise OwnPasswordWeak(field="new_password", least=SHORTEST_OWN_PASSWORD)
