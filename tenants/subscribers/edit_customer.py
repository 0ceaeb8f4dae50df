"""Change a customer; the searchable text of each of his accounts follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.registry.keys import box_for
from tenants.subscribers.errors import FieldUnknown
from tenants.subscribers.fields import CUSTOMER_FIELDS, checked_fields, facts_of, refresh_search, set_fields
from tenants.subscribers.find import find_customer
from tenants.subscribers.models import Account, Customer


@dataclass(frozen=True, slots=True)
class EditCustomer:
    """``changes``: the customer's fields that shall change, and their new values."""

    customer_id: int
    changes: Mapping[str, Any]


def edit_customer(scope: TenantScope, command: EditCustomer, *, actor: Actor, now: datetime) -> Customer:
    """Store the changes. Raises InvalidInputs or the one error, FieldUnknown, CustomerNotFound."""
    actor.require("accounts.edit")
    return change_customer(scope, command.customer_id, command.changes, actor=actor, now=now)


def change_customer(
    scope: TenantScope, customer_id: int, changes: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Customer:
    """The common part of editing by staff and by the subscriber; the caller has asked for the right."""
    for name in changes:
        if name not in CUSTOMER_FIELDS and name != "id_number":
            raise FieldUnknown(field=name, name=name)
    values = checked_fields(changes)
    # Lock order: accounts first, as everywhere.
    accounts = scope.session.scalars(
        select(Account).where(Account.customer_id == customer_id).order_by(Account.id).with_for_update()
    ).all()
    customer = find_customer(scope, customer_id, lock=True)
    before = facts_of(None, customer)
    set_fields(None, customer, values, box_for(scope), now=now)
    after = facts_of(None, customer)
    if after == before:
        return customer
    refresh_search(None, customer)
    for account in accounts:
        refresh_search(account, customer)
    record(
        scope,
        actor=actor,
        action="customer.edit",
        object_kind="customer",
        object_id=customer.id,
        object_label=customer.name,
        before=before,
        after=after,
        now=now,
    )
    return customer
