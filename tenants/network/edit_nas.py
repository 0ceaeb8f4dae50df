"""Changes and deletes a router, renews and shows its secret, notes that its script was copied (NET-2, TEN-4)."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from infra.crypto import NAS_SECRET
from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.network import rules
from tenants.network.add_nas import AddNas, checked_columns, store
from tenants.network.find import find_nas
from tenants.registry.keys import box_for
from tenants.registry.models import Nas


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


def check_edit(scope: TenantScope, command: EditNas) -> None:
    """As :func:`edit_nas` does, without changing anything."""
    checked_columns(scope, _as_new(command), find_nas(scope, command.nas_id))


def edit_nas(scope: TenantScope, command: EditNas, *, actor: Actor, now: datetime) -> None:
    """Raises Forbidden, NasNotFound and the errors of ``network/errors.py``, each naming its form field; several at
    once as InvalidInputs."""
    actor.require("nas.edit")
    nas = find_nas(scope, command.nas_id, lock=True)
    before = _facts(nas)
    changes = checked_columns(scope, _as_new(command), nas)
    if changes["ddns_name"] != nas.ddns_name:  # what the other name meant says nothing about this one
        changes |= {"ddns_addresses": [], "ddns_resolved_at": None, "ddns_checked_at": None, "ddns_error": ""}
    store(scope, nas, **changes, updated_at=now)
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


def _as_new(command: EditNas) -> AddNas:
    return AddNas(**{name: value for name, value in asdict(command).items() if name != "nas_id"})


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
