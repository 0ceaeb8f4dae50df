"""Adds a router (NET-2): identifier and secret are made here unless given."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.exc import IntegrityError

from infra.crypto import NAS_SECRET
from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.network import rules
from tenants.network.errors import AddressTaken, IdentifierTaken, NasNameTaken
from tenants.network.find import find_region
from tenants.network.own_dialects import own_dialect
from tenants.network.vendors import VENDORS
from tenants.registry.keys import box_for
from tenants.registry.models import Nas
from tenants.registry.rules import check_name
from tenants.registry.settings import read
from tenants.registry.tiers import require_room


@dataclass(frozen=True, slots=True)
class AddNas:
    """What the form asks; "" and None are filled in: identifier from the name, a strong secret, the make's CoA port."""

    vendor: str
    name: str = ""
    identifier: str = ""
    secret: str = ""
    auth_mode: str = "identifier"
    address: str = ""
    ddns_name: str = ""
    coa_port: int | None = None
    message_authenticator: str = "required"
    region_id: int | None = None
    timezone: str = ""
    stale_minutes: int | None = None  # how long its sessions may be silent
    invert_directions: bool = False
    remark: str = ""


@dataclass(frozen=True, slots=True)
class AddedNas:
    """``secret`` is shown once here; later it needs the right ``nas.secret``."""

    nas_id: int
    identifier: str
    secret: str


def add_nas(scope: TenantScope, command: AddNas, *, actor: Actor, now: datetime) -> AddedNas:
    """Raises Forbidden, TierLimitReached and the errors of ``network/errors.py``; each names its form field."""
    actor.require("nas.add")
    own = own_dialect(scope, command.vendor)
    vendor = rules.check_vendor(command.vendor, () if own is None else (command.vendor,))
    usual_port = VENDORS[vendor].coa_port if own is None else own.coa_port
    identifier = _identifier(scope, command)
    name = check_name(command.name or identifier)
    require_free_name(scope, name)
    secret = rules.check_secret(command.secret) if command.secret else rules.new_secret()
    address = rules.check_address(command.address)
    ddns_name = rules.check_ddns_name(command.ddns_name)
    auth_mode = rules.check_auth_mode(command.auth_mode, address, ddns_name)
    if auth_mode == "address":
        require_free_address(scope, str(address))
    if command.region_id is not None:
        find_region(scope, command.region_id)
    present = select(func.count()).where(Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None))
    require_room(scope, "nas", scope.registry.scalar(present) or 0)
    nas = Nas(
        tenant_id=scope.tenant_id,
        identifier=identifier,
        name=name,
        vendor=vendor,
        secret_sealed=box_for(scope).seal(secret.encode(), NAS_SECRET),
        auth_mode=auth_mode,
        address=address,
        ddns_name=ddns_name,
        coa_port=rules.check_coa_port(usual_port if command.coa_port is None else command.coa_port),
        message_authenticator=rules.check_message_authenticator(command.message_authenticator),
        invert_directions=command.invert_directions,
        region_id=command.region_id,
        timezone=rules.check_timezone(command.timezone),
        stale_seconds=rules.check_stale(command.stale_minutes, read(scope).interim_seconds),
        remark=command.remark.strip(),
        created_at=now,
        updated_at=now,
    )
    store(scope, nas)
    record(
        scope,
        actor=actor,
        action="nas.add",
        object_kind="nas",
        object_id=nas.id,
        object_label=nas.identifier,
        after={"vendor": vendor, "auth_mode": auth_mode, "address": str(address or ""), "region_id": nas.region_id},
        now=now,
    )
    return AddedNas(nas.id, identifier, secret)


def require_free_identifier(scope: TenantScope, identifier: str) -> None:
    """Raises :class:`IdentifierTaken`, whoever in the cloud has it or its prefix."""
    if not _is_free(scope, identifier):
        raise IdentifierTaken(field="identifier", identifier=identifier)


def require_free_name(scope: TenantScope, name: str) -> None:
    """Raises :class:`NasNameTaken`."""
    same = select(Nas.id).where(Nas.tenant_id == scope.tenant_id, Nas.name == name, Nas.deleted_at.is_(None)).limit(1)
    if scope.registry.scalar(same) is not None:
        raise NasNameTaken(field="name", name=name)


def require_free_address(scope: TenantScope, address: str) -> None:
    """Raises :class:`AddressTaken`."""
    if scope.registry.scalar(select(func.registry.nas_address_taken(cast(address, INET)))):
        raise AddressTaken(field="address", address=address)


def store(scope: TenantScope, nas: Nas, **changes: Any) -> None:
    """Write a new row, or these changes of one; the database decides when two ask for the same at once.

    Raises IdentifierTaken, NasNameTaken, AddressTaken. The changes are made inside the savepoint: one that is refused
    leaves a transaction that the form can be shown again in.
    """
    wanted = {"identifier": nas.identifier, "name": nas.name, "address": nas.address} | changes
    try:
        with scope.registry.begin_nested():
            for column, value in changes.items():
                setattr(nas, column, value)
            scope.registry.add(nas)
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "")
        if constraint == "uq_nas_identifier":
            raise IdentifierTaken(field="identifier", identifier=wanted["identifier"]) from None
        if constraint == "uq_nas_name":
            raise NasNameTaken(field="name", name=wanted["name"]) from None
        if constraint == "ix_nas_address_fixed":
            raise AddressTaken(field="address", address=str(wanted["address"])) from None
        raise


def _identifier(scope: TenantScope, command: AddNas) -> str:
    prefix = scope.tenant.nas_prefix
    if command.identifier:
        identifier = rules.check_identifier(command.identifier, prefix)
        require_free_identifier(scope, identifier)
        return identifier
    name = check_name(command.name or "nas")
    for number in range(1, 1000):
        proposal = rules.identifier_from_name(prefix, name, number)
        if _is_free(scope, proposal):
            return proposal
    raise IdentifierTaken(field="identifier", identifier=rules.identifier_from_name(prefix, name))


def _is_free(scope: TenantScope, identifier: str) -> bool:
    taken = func.registry.identifier_taken(identifier)
    foreign = func.registry.prefix_of_another(identifier, scope.tenant_id)
    return not scope.registry.scalar(select(taken.op("OR")(foreign)))
