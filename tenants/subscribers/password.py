"""The password of an account: set, show, check (OPS-9, SLF-4). It is sealed, not hashed: CHAP needs the plain text."""

import hmac
from datetime import datetime

from infra.crypto import SUBSCRIBER_PASSWORD
from infra.tenant_scope import TenantScope
from tenants.access.project import project_account
from tenants.kernel.actor import Actor
from tenants.registry.keys import box_for
from tenants.registry.settings import read
from tenants.subscribers.errors import PasswordHidden
from tenants.subscribers.find import find_account, lock_account
from tenants.subscribers.models import Account
from tenants.subscribers.record_account import record_account
from tenants.subscribers.rules import check_password


def reset_password(scope: TenantScope, account_id: int, password: str, *, actor: Actor, now: datetime) -> Account:
    """Set a new password; it holds from the next login, and logs the subscriber out of self-service.

    Subscribers set their own without a permission. Raises BadPassword, AccountNotFound, Forbidden.
    """
    own = actor.kind == "subscriber" and actor.id == account_id
    if not own:
        actor.require("op.reset_password")
    check_password(password)
    account = lock_account(scope, account_id, actor=None if own else actor)
    account.password_sealed = box_for(scope).seal(password.encode(), SUBSCRIBER_PASSWORD)
    account.selfcare_epoch += 1
    account.updated_at = now
    record_account(scope, account, "account.reset_password", actor=actor, now=now)
    project_account(scope, account.id)
    return account


def query_password(scope: TenantScope, account_id: int, *, actor: Actor, now: datetime) -> str:
    """The password in plain text; who looked is logged. Raises PasswordHidden, AccountNotFound, Forbidden."""
    actor.require("op.query_password")
    if not read(scope).show_password:
        raise PasswordHidden
    account = find_account(scope, account_id, actor=actor)
    record_account(scope, account, "account.query_password", actor=actor, now=now)
    return open_password(scope, account)


def open_password(scope: TenantScope, account: Account) -> str:
    """The password of an account in hand, without a log entry: for machines (slips, exports that are logged as one)."""
    return box_for(scope).open(account.password_sealed, SUBSCRIBER_PASSWORD).decode()


def password_matches(scope: TenantScope, account: Account, password: str) -> bool:
    """Whether this is the account's password (self-service login); compared in constant time."""
    return hmac.compare_digest(open_password(scope, account).encode(), password.encode())
