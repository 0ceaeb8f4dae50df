"""Create a customer with an account, or an account of an existing customer: rows only, no money (SUB-2).

``billing.open_account`` calls this, books the first purchase and projects the account to the cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from infra.crypto import SUBSCRIBER_PASSWORD
from infra.tenant_scope import TenantScope
from tenants.catalog.find import find_plan
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError, InvalidInputs
from tenants.registry.keys import box_for
from tenants.registry.settings import read
from tenants.registry.tiers import require_room, tier_of
from tenants.subscribers.errors import AddressTaken, FieldRequired, UsernameTaken
from tenants.subscribers.fields import checked_fields, refresh_search, set_fields
from tenants.subscribers.find import find_customer, find_region
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.rules import LEARN, check_password, check_username


@dataclass(frozen=True, slots=True)
class CreateAccount:
    """``region_id`` None = the first region; ``fields`` are those of ``fields.py`` (name, phone, box, bind_mac …).

    ``plan_id`` is only stored: what it costs and how long it lasts is decided by who calls. ``customer_id`` None makes
    a new customer of the same name as the account unless ``fields`` names him.
    """

    username: str
    password: str
    plan_id: int | None = None
    region_id: int | None = None
    customer_id: int | None = None
    expires_at: datetime | None = None
    starts_at_first_login: bool = False
    install_fee: Decimal = Decimal(0)
    agent_id: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def create_account(scope: TenantScope, command: CreateAccount, *, actor: Actor, now: datetime) -> Account:
    """Store the account; it is flushed and has its id.

    Raises InvalidInputs or the one error, UsernameTaken, AddressTaken, PlanNotFound (also for another tenant's plan),
    RegionNotFound, CustomerNotFound, TierLimitReached.
    """
    actor.require("accounts.open")
    values = _checked(scope, command)
    region = find_region(scope, command.region_id, actor=actor)
    plan_id = None if command.plan_id is None else find_plan(scope, command.plan_id).id
    _require_room(scope)
    box = box_for(scope)
    if command.customer_id is None:
        customer = _new_customer(command, actor, now)
    else:
        customer = find_customer(scope, command.customer_id, lock=True)
    account = _new_account(command, actor, now)
    account.password_sealed = box.seal(command.password.encode(), SUBSCRIBER_PASSWORD)
    account.plan_id, account.region_id = plan_id, region.id
    account.bind_options = _learned_bindings(scope, account)
    set_fields(account, customer, values, box, now=now)
    refresh_search(account, customer)
    require_free_address(scope, account)
    try:
        with scope.session.begin_nested():  # the customer goes again with the name that was taken
            scope.session.add(customer)
            scope.session.flush()  # the customer's id
            account.customer_id = customer.id
            scope.session.add(account)
            scope.session.flush()  # the account's id, and the unique index's verdict on the name
    except IntegrityError as error:
        if "uq_accounts_username" in str(error.orig):
            raise UsernameTaken(field="username", username=command.username) from None
        raise
    return account


def _new_customer(command: CreateAccount, actor: Actor, now: datetime) -> Customer:
    return Customer(
        **dict.fromkeys(("name", "phone", "email", "address", "building", "room", "remark"), ""),
        attribute="ordinary",
        agent_id=command.agent_id,
        created_by=_operator_id(actor),
        created_at=now,
    )


def _new_account(command: CreateAccount, actor: Actor, now: datetime) -> Account:
    """What every new account begins with, and what the command says as it is."""
    return Account(
        **dict.fromkeys(("bind_mac", "bind_port", "access_type", "box", "port", "vlan", "remark"), ""),
        username=check_username(command.username),
        state="active",
        opened_at=now,
        expires_at=command.expires_at or now,
        starts_at_first_login=command.starts_at_first_login,
        install_fee=command.install_fee,
        agent_id=command.agent_id,
        created_by=_operator_id(actor),
        balance=Decimal(0),
        receivable=Decimal(0),
        never_expires=False,
        updated_at=now,
    )


def _operator_id(actor: Actor) -> int | None:
    return actor.id if actor.kind == "operator" else None


def _checked(scope: TenantScope, command: CreateAccount) -> dict[str, Any]:
    errors: list[BusinessError] = []
    values: dict[str, Any] = {}
    for check, text in ((check_username, command.username), (check_password, command.password)):
        try:
            check(text)
        except BusinessError as error:
            errors.append(error)
    try:
        values = checked_fields(command.fields)
    except InvalidInputs as several:
        errors += several.errors
    except BusinessError as error:
        errors.append(error)
    if command.customer_id is None:
        required = read(scope).required_fields
        errors += [FieldRequired(field=name) for name in required if not command.fields.get(name)]
    if errors:
        raise errors[0] if len(errors) == 1 else InvalidInputs(errors)
    return values


def _require_room(scope: TenantScope) -> None:
    limit = tier_of(scope).max_accounts
    if limit is None:
        return
    some = select(Account.id).where(Account.state != "closed", Account.deleted_at.is_(None)).limit(limit + 1)
    present = scope.session.scalar(select(func.count()).select_from(some.subquery())) or 0
    require_room(scope, "accounts", present)


def _learned_bindings(scope: TenantScope, account: Account) -> dict[str, Any]:
    """Mark what the tenant wants every new account to learn at its first login (SUB-8)."""
    settings = read(scope)
    if settings.bind_mac_at_first_login:
        account.bind_mac = LEARN
    if settings.bind_vlan_at_first_login:
        account.bind_port = LEARN
    learned = {"nas": settings.bind_nas_at_first_login, "nas_address": settings.bind_nas_address_at_first_login}
    return {"learn": [name for name, wanted in learned.items() if wanted]} if any(learned.values()) else {}


def require_free_address(scope: TenantScope, account: Account) -> None:
    """Raises AddressTaken."""
    if account.static_ip is None:
        return
    other = who_has_address(scope, account.static_ip, but=account.id or 0)
    if other is not None:
        raise AddressTaken(field="static_ip", address=str(account.static_ip), username=other)


def who_has_address(scope: TenantScope, address: Any, *, but: int) -> str | None:
    """The user name of the account, other than ``but``, whose fixed address it is."""
    return scope.session.scalar(
        select(Account.username).where(
            Account.static_ip == address,
            Account.state != "closed",
            Account.deleted_at.is_(None),
            Account.id != but,
        )
    )
