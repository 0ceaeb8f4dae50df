"""Change what staff keep about an account and its customer (SUB-4, SUB-8). Plan, expiry and money are operations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.tenant_scope import TenantScope
from tenants.access.project import project_account
from tenants.kernel.actor import Actor
from tenants.registry.keys import box_for
from tenants.subscribers.address_wish import START_COMES, look_at, wants_address
from tenants.subscribers.create_account import require_free_address
from tenants.subscribers.fields import checked_fields, facts_of, refresh_search, set_fields
from tenants.subscribers.find import find_customer, lock_account
from tenants.subscribers.models import Account
from tenants.subscribers.record_account import record_account


@dataclass(frozen=True, slots=True)
class EditAccount:
    """``changes``: the fields of ``fields.py`` that shall change, and their new values."""

    account_id: int
    changes: Mapping[str, Any]


def edit_account(scope: TenantScope, command: EditAccount, *, actor: Actor, now: datetime) -> Account:
    """Store the changes. Raises InvalidInputs or the one error, AddressTaken, FieldUnknown, AccountNotFound."""
    actor.require("accounts.edit")
    account = lock_account(scope, command.account_id, actor=actor)
    return change_fields(scope, account, command.changes, actor=actor, now=now, action="account.edit")


def change_fields(
    scope: TenantScope, account: Account, changes: Mapping[str, Any], *, actor: Actor, now: datetime, action: str
) -> Account:
    """The common part of editing, binding and unbinding; the account is locked already."""
    values = checked_fields(changes)
    customer = find_customer(scope, account.customer_id, lock=True)
    before = facts_of(account, customer)
    set_fields(account, customer, values, box_for(scope), now=now)
    require_free_address(scope, account)
    after = facts_of(account, customer)
    if after == before:
        return account
    refresh_search(account, customer)
    account.updated_at = now
    record_account(scope, account, action, actor=actor, now=now, before=before, after=after)
    project_account(scope, account.id)
    if wants_address(account.bind_options) and after["static_ip"] != before["static_ip"]:
        look_at(scope, account.id, now + START_COMES)  # who is dialling just now has been let in without it
    return account
