"""Delete an account, bring it back within 30 days, and free its name after them (SUB-9). Records of money stay."""

from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from infra.outbox import clear_due, set_due
from infra.tenant_scope import TenantScope
from tenants.access.disconnect import disconnect_account
from tenants.access.project import project_account
from tenants.kernel.actor import SYSTEM, Actor
from tenants.subscribers.errors import AccountIsOpen, NotDeleted, RestoreTooLate, UsernameTaken
from tenants.subscribers.find import lock_account
from tenants.subscribers.models import Account
from tenants.subscribers.record_account import record_account
from tenants.subscribers.rules import NAME_KEPT_DAYS, name_released_from

RELEASE_NAME = "account.release_name"  # due kind: 30 days after closing or deleting


def delete_account(scope: TenantScope, account_id: int, *, actor: Actor, now: datetime, force: bool = False) -> Account:
    """Take the account out of sight; whoever is online with it is cut off.

    Raises AccountIsOpen while money is left on it (``force`` for undoing an import), AccountNotFound.
    """
    actor.require("accounts.delete")
    account = lock_account(scope, account_id, actor=actor)
    if account.deleted_at is not None:
        return account
    if not force and (account.balance or account.receivable):
        raise AccountIsOpen(username=account.username)
    account.deleted_at = account.updated_at = now
    disconnect_account(scope, account.id, "deleted")
    keep_name(scope, account.id, now)
    record_account(scope, account, "account.delete", actor=actor, now=now)
    project_account(scope, account.id)
    return account


def restore_account(scope: TenantScope, account_id: int, *, actor: Actor, now: datetime) -> Account:
    """Bring a deleted account back as it was. Raises NotDeleted, RestoreTooLate, UsernameTaken, AccountNotFound."""
    actor.require("accounts.delete")
    account = lock_account(scope, account_id, actor=actor)
    if account.deleted_at is None:
        raise NotDeleted(username=account.username)
    if now >= account.deleted_at + timedelta(days=NAME_KEPT_DAYS):
        raise RestoreTooLate(username=account.username, days=NAME_KEPT_DAYS)
    try:
        with scope.session.begin_nested():
            account.deleted_at, account.name_released_at, account.updated_at = None, None, now
            scope.session.flush()  # the unique index's verdict on the name
    except IntegrityError:
        raise UsernameTaken(field="username", username=account.username) from None
    if account.state != "closed":
        clear_due(scope.session, scope.tenant_id, RELEASE_NAME, account.id)
    record_account(scope, account, "account.restore", actor=actor, now=now)
    project_account(scope, account.id)
    return account


def keep_name(scope: TenantScope, account_id: int, now: datetime) -> None:
    """Hold the user name for 30 days after closing or deleting; the due clock frees it then."""
    set_due(scope.session, scope.tenant_id, RELEASE_NAME, account_id, name_released_from(now))


def release_name(scope: TenantScope, account_id: int, *, now: datetime) -> bool:
    """Free the name if the account is still closed or deleted and the days are over; True when it was freed now."""
    account = lock_account(scope, account_id)
    ended = [at for at in (account.closed_at if account.state == "closed" else None, account.deleted_at) if at]
    if not ended or account.name_released_at is not None:
        return False
    if now < name_released_from(min(ended)):
        set_due(scope.session, scope.tenant_id, RELEASE_NAME, account.id, name_released_from(min(ended)))
        return False
    account.name_released_at = now
    record_account(scope, account, "account.release_name", actor=SYSTEM, now=now)
    return True
