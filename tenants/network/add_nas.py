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
from tenants.kernel.errors import Findings
from tenants.network import rules
from tenants.network.errors import AddressTaken, IdentifierTaken, NasNameTaken
from tenants.network.find import find_region
from tenants.network.own_dialects import own_dialect
from tenants.network.vendors import VENDORS
from tenants.registry.keys import box_for
from tenants.registry.models import Nas
from tenants.registry.report_times import report_times
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
    """Raises Forbidden, TierLimitReached and the errors of ``network/errors.py``, each naming its form field; several
    at once as InvalidInputs."""
    actor.require("nas.add")
    columns = checked_columns(scope, command)
    secret = command.secret or rules.new_secret()
    present = select(func.count()).where(Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None))
    require_room(scope, "nas", scope.registry.scalar(present) or 0)
    nas = Nas(
        **columns,
        tenant_id=scope.tenant_id,
        secret_sealed=box_for(scope).seal(secret.encode(), NAS_SECRET),
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
        after={
            "vendor": nas.vendor,
            "auth_mode": nas.auth_mode,
            "address": str(nas.address or ""),
            "region_id": nas.region_id,
        },
        now=now,
    )
    return AddedNas(nas.id, nas.identifier, secret)


def checked_columns(scope: TenantScope, wanted: AddNas, nas: Nas | None = None) -> dict[str, Any]:
    """What a form asks, of a new router or of one that is there (what stays in it is not checked anew), as columns.

    Raises InvalidInputs with everything that is wrong with it, or the one error.
    """
    found = Findings()
    own = own_dialect(scope, wanted.vendor)
    name = found.of(_checked_name, scope, wanted, nas)
    vendor = found.of(rules.check_vendor, wanted.vendor, () if own is None else (wanted.vendor,))
    usual_port = own.coa_port if own is not None else VENDORS[vendor].coa_port if vendor else rules.STANDARD_COA_PORT
    identifier = found.of(_checked_identifier, scope, wanted, nas)
    if wanted.secret:
        found.of(rules.check_secret, wanted.secret)
    address = found.of(rules.check_address, wanted.address)
    ddns_name = found.of(rules.check_ddns_name, wanted.ddns_name)
    auth_mode = found.of(rules.check_auth_mode, wanted.auth_mode, address, ddns_name or "")
    known_by = (nas.auth_mode, str(nas.address)) if nas is not None else None
    if auth_mode == "address" and known_by != (auth_mode, str(address)):
        found.of(require_free_address, scope, str(address))
    if wanted.region_id is not None:
        found.of(find_region, scope, wanted.region_id)
    port = found.of(rules.check_coa_port, usual_port if wanted.coa_port is None else wanted.coa_port)
    message_authenticator = found.of(rules.check_message_authenticator, wanted.message_authenticator)
    timezone = found.of(rules.check_timezone, wanted.timezone)
    stale_seconds = found.of(_checked_stale, scope, wanted, nas)
    found.raise_any()
    return {
        "name": name or identifier,
        "vendor": vendor,
        "identifier": identifier,
        "address": address,
        "ddns_name": ddns_name,
        "auth_mode": auth_mode,
        "region_id": wanted.region_id,
        "coa_port": port,
        "message_authenticator": message_authenticator,
        "timezone": timezone,
        "stale_seconds": stale_seconds,
        "invert_directions": wanted.invert_directions,
        "remark": wanted.remark.strip(),
    }


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


def _checked_name(scope: TenantScope, wanted: AddNas, nas: Nas | None) -> str:
    """ "" for a new one that is to be named as its identifier."""
    if nas is None and not wanted.name:
        return ""
    name = check_name(wanted.name)
    if nas is None or name != nas.name:
        require_free_name(scope, name)
    return name


def _checked_identifier(scope: TenantScope, wanted: AddNas, nas: Nas | None) -> str:
    if nas is not None and wanted.identifier == nas.identifier:
        return nas.identifier
    prefix = scope.tenant.nas_prefix
    if wanted.identifier or nas is not None:
        identifier = rules.check_identifier(wanted.identifier, prefix)
        require_free_identifier(scope, identifier)
        return identifier
    for number in range(1, 1000):
        proposal = rules.identifier_from_name(prefix, wanted.name.strip() or "nas", number)
        if _is_free(scope, proposal):
            return proposal
    raise IdentifierTaken(field="identifier", identifier=rules.identifier_from_name(prefix, wanted.name))


def _checked_stale(scope: TenantScope, wanted: AddNas, nas: Nas | None) -> int | None:
    if nas is not None:
        as_before = wanted.stale_minutes == (None if nas.stale_seconds is None else nas.stale_seconds // 60)
        if as_before and wanted.vendor == nas.vendor:
            return nas.stale_seconds
    settings = read(scope)
    extra = "" if nas is None else str(nas.options.get("extra") or "")
    longest = report_times(scope, settings.interim_seconds).longest(extra, wanted.vendor)
    if wanted.stale_minutes is None:
        rules.check_interim(longest, settings.interim_seconds * settings.stale_intervals, "stale_minutes")
    return rules.check_stale(wanted.stale_minutes, longest)


def _is_free(scope: TenantScope, identifier: str) -> bool:
    taken = func.registry.identifier_taken(identifier)
    foreign = func.registry.prefix_of_another(identifier, scope.tenant_id)
    return not scope.registry.scalar(select(taken.op("OR")(foreign)))
