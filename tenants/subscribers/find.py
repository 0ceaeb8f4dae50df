"""Find one account or customer of the tenant; what the actor may not see does not exist for him."""

from sqlalchemy import ColumnElement, select

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.network.models import Region
from tenants.subscribers.errors import AccountNotFound, CustomerNotFound, RegionNotFound
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.visibility import visible_to

HIGHEST_ID = 2**63 - 1


def find_account(scope: TenantScope, ref: str | int, *, actor: Actor | None = None, lock: bool = False) -> Account:
    """The account with this user name (text) or this id (number). Raises AccountNotFound.

    By name only accounts that still hold the name and are not deleted; by id also those. ``lock`` takes the row lock
    that every operation on an account begins with (account → agent → card).
    """
    where: list[ColumnElement[bool]]
    if isinstance(ref, int):
        where = [Account.id == (ref if 0 < ref <= HIGHEST_ID else 0)]
    else:
        where = [Account.username == ref, Account.name_released_at.is_(None), Account.deleted_at.is_(None)]
    if actor is not None:
        where.append(visible_to(actor))
    statement = select(Account).where(*where)
    if lock:
        # The identity map may hold the row as it was before another operation: read what the lock now protects.
        statement = statement.with_for_update().execution_options(populate_existing=True)
    account = None if "\x00" in str(ref) else scope.session.scalar(statement)
    if account is None:
        raise AccountNotFound(field="account", what="account", ref=ref)
    return account


def id_of_name(scope: TenantScope, username: str) -> int | None:
    """The account that holds this user name, None for nobody."""
    holds = (Account.username == username, Account.name_released_at.is_(None), Account.deleted_at.is_(None))
    return None if "\x00" in username else scope.session.scalar(select(Account.id).where(*holds))


def lock_account(scope: TenantScope, account_id: int, *, actor: Actor | None = None) -> Account:
    """The account, locked until the end of the transaction and read anew. Raises AccountNotFound."""
    return find_account(scope, account_id, actor=actor, lock=True)


def find_customer(scope: TenantScope, customer_id: int, *, lock: bool = False) -> Customer:
    """The customer. Raises CustomerNotFound."""
    statement = select(Customer).where(Customer.id == customer_id, Customer.deleted_at.is_(None))
    customer = scope.session.scalar(statement.with_for_update() if lock else statement)
    if customer is None:
        raise CustomerNotFound(what="customer", ref=customer_id)
    return customer


def find_region(scope: TenantScope, region_id: int | None, *, actor: Actor) -> Region:
    """The region, or the actor's (else the tenant's) first one for None. Raises RegionNotFound."""
    statement = select(Region).where(Region.deleted_at.is_(None)).order_by(Region.id).limit(1)
    if region_id is not None:
        statement = statement.where(Region.id == region_id)
    if actor.region_ids is not None:
        statement = statement.where(Region.id.in_(sorted(actor.region_ids)))
    region = scope.session.scalar(statement)
    if region is None:
        raise RegionNotFound(field="region", what="region", ref="" if region_id is None else region_id)
    return region
