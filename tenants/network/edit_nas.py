"""Changes and deletes a router, renews and shows its secret, notes that its script was copied (NET-2, TEN-4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.crypto import NAS_SECRET
from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.network import rules
from tenants.network.add_nas import require_free_address, require_free_identifier, require_free_name, store
from tenants.network.find import find_nas, find_region
from tenants.network.own_dialects import own_dialect
from tenants.registry.keys import box_for
from tenants.registry.models import Nas
from tenants.registry.rules import check_name
from tenants.registry.rules_stale import interim_of
from tenants.registry.settings import read


@dataclass(frozen=True, slots=True)
class EditNas:
    """The whole form. A router that is told another identifier or secret must be told on its own side, too."""

    nas_id: int
    name: str
    identifier: str
    vendor: str
    auth_mode: str = "identifier"
    address: str = ""
    ddns_name: str = ""
    coa_port: int = 3799
    message_authenticator: str = "required"
    region_id: int | None = None
    timezone: str = ""
    stale_minutes: int | None = None
    invert_directions: bool = False
    remark: str = ""


def edit_form(nas: Nas) -> EditNas:
    """The form as it stands: what is not changed in it stays."""
    return EditNas(nas.id, **_facts(nas))


def edit_nas(scope: TenantScope, command: EditNas, *, actor: Actor, now: datetime) -> None:
    """Raises Forbidden, NasNotFound and the errors of ``network/errors.py``; each names its form field."""
    actor.require("nas.edit")
    nas = find_nas(scope, command.nas_id, lock=True)
    before = _facts(nas)
    if command.identifier != nas.identifier:
        identifier = rules.check_identifier(command.identifier, scope.tenant.nas_prefix)
        require_free_identifier(scope, identifier)
    else:
        identifier = nas.identifier
    address = rules.check_address(command.address)
    ddns_name = rules.check_ddns_name(command.ddns_name)
    auth_mode = rules.check_auth_mode(command.auth_mode, address, ddns_name)
    if auth_mode == "address" and (auth_mode, str(address)) != (nas.auth_mode, str(nas.address)):
        require_free_address(scope, str(address))
    if command.region_id is not None:
        find_region(scope, command.region_id)
    name = check_name(command.name)
    if name != nas.name:
        require_free_name(scope, name)
    changes: dict[str, Any] = {
        "name": name,
        "vendor": rules.check_vendor(command.vendor, [command.vendor] if own_dialect(scope, command.vendor) else ()),
        "coa_port": rules.check_coa_port(command.coa_port),
        "message_authenticator": rules.check_message_authenticator(command.message_authenticator),
        "timezone": rules.check_timezone(command.timezone),
    }
    if command.stale_minutes != before["stale_minutes"]:
        settings = read(scope)
        interim = interim_of(str(nas.options.get("extra") or ""), settings.interim_seconds)
        changes["stale_seconds"] = rules.check_stale(command.stale_minutes, interim)
        if command.stale_minutes is None:
            rules.check_interim(interim, settings.interim_seconds * settings.stale_intervals, "stale_minutes")
    if ddns_name != nas.ddns_name:  # what the other name meant says nothing about this one
        changes |= {"ddns_addresses": [], "ddns_resolved_at": None, "ddns_checked_at": None, "ddns_error": ""}
    changes |= {"identifier": identifier, "auth_mode": auth_mode, "address": address, "ddns_name": ddns_name}
    changes |= {"region_id": command.region_id, "invert_directions": command.invert_directions}
    store(scope, nas, **changes, remark=command.remark.strip(), updated_at=now)
    _record(scope, "nas.edit", nas, actor, now, before=before, after=_facts(nas))


def delete_nas(scope: TenantScope, nas_id: int, *, actor: Actor, now: datetime) -> None:
    """Its packets are refused from now on; the identifier is free again; history keeps the row."""
    actor.require("nas.delete")
    nas = find_nas(scope, nas_id, lock=True)
    nas.deleted_at = nas.updated_at = now
    _record(scope, "nas.delete", nas, actor, now, before=_facts(nas))


def renew_secret(scope: TenantScope, nas_id: int, *, actor: Actor, now: datetime, secret: str = "") -> str:
    """A new secret (generated unless given); the onboarding starts again at "waiting for the first packet"."""
    actor.require("nas.secret")
    nas = find_nas(scope, nas_id, lock=True)
    secret = rules.check_secret(secret) if secret else rules.new_secret()
    nas.secret_sealed = box_for(scope).seal(secret.encode(), NAS_SECRET)
    nas.script_copied_at = nas.first_packet_at = nas.first_accept_at = nas.first_online_at = None
    nas.updated_at = now
    _record(scope, "nas.renew_secret", nas, actor, now)
    return secret


def reveal_secret(scope: TenantScope, nas_id: int, *, actor: Actor, now: datetime) -> str:
    """The shared secret in plain text. Free to who may add routers until the first packet; afterwards a right of its
    own, and noted in the operation log."""
    nas = find_nas(scope, nas_id)
    if nas.first_packet_at is not None or not actor.may("nas.add"):
        actor.require("nas.secret")
        _record(scope, "nas.reveal_secret", nas, actor, now)
    return box_for(scope).open(nas.secret_sealed, NAS_SECRET).decode()


def mark_script_copied(scope: TenantScope, nas_id: int, *, actor: Actor, now: datetime) -> None:
    """The second step of the onboarding; the first time counts."""
    actor.require("nas.view")
    nas = find_nas(scope, nas_id, lock=True)
    if nas.script_copied_at is None:
        nas.script_copied_at = now


def _facts(nas: Nas) -> dict[str, Any]:
    return {
        "name": nas.name,
        "identifier": nas.identifier,
        "vendor": nas.vendor,
        "auth_mode": nas.auth_mode,
        "address": "" if nas.address is None else str(nas.address),
        "ddns_name": nas.ddns_name,
        "coa_port": nas.coa_port,
        "message_authenticator": nas.message_authenticator,
        "region_id": nas.region_id,
        "timezone": nas.timezone,
        "stale_minutes": None if nas.stale_seconds is None else nas.stale_seconds // 60,
        "invert_directions": nas.invert_directions,
        "remark": nas.remark,
    }


def _record(
    scope: TenantScope,
    action: str,
    nas: Nas,
    actor: Actor,
    now: datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record(
        scope,
        actor=actor,
        action=action,
        object_kind="nas",
        object_id=nas.id,
        object_label=nas.identifier,
        before=before,
        after=after,
        now=now,
    )
