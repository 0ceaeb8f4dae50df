"""Lets a router in through RadSec: issues its certificate or pre-shared key, and withdraws them (RFC 6614)."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import func, select

from infra.crypto import RADSEC_PSK
from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.network.cluster_certificate import cluster_authority
from tenants.network.errors import CredentialNotFound, TooManyCredentials
from tenants.network.find import find_nas
from tenants.network.models import RadsecCredential
from tenants.network.rules_certificates import MOST_CREDENTIALS, PSK_OCTETS, make_router_certificate
from tenants.registry.keys import box_for
from tenants.registry.models import Nas


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """Shown once: the private key is stored nowhere."""

    credential_id: int
    identifier: str
    fingerprint: str
    certificate_pem: str
    key_pem: str
    authority_pem: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class IssuedPsk:
    """Shown once here; the key is kept sealed, because the server needs it."""

    credential_id: int
    identity: str
    key_hex: str


def issue_certificate(
    scope: TenantScope, nas_id: int, server_names: list[str], *, actor: Actor, now: datetime
) -> IssuedCertificate:
    """A client certificate for a router. Those it has stay valid until they are withdrawn, so that it can change over.

    ``server_names``: what routers connect to (used only when the installation's authority is made now).
    """
    actor.require("nas.secret")
    nas = _router(scope, nas_id, now)
    authority = cluster_authority(scope.database, server_names, now=now)
    made = make_router_certificate(authority, nas.identifier, now)
    parsed = load_pem_x509_certificate(made.certificate_pem)
    fingerprint = parsed.fingerprint(SHA256()).hex()
    row = RadsecCredential(
        tenant_id=scope.tenant_id,
        nas_id=nas.id,
        kind="certificate",
        identity=fingerprint,
        serial=f"{parsed.serial_number:x}",
        created_at=now,
        created_by=actor.name,
        expires_at=parsed.not_valid_after_utc,
    )
    _add(scope, nas, row, "radsec.issue_certificate", actor, now)
    return IssuedCertificate(
        row.id,
        nas.identifier,
        fingerprint,
        made.certificate_pem.decode(),
        made.key_pem.decode(),
        authority.certificate_pem.decode(),
        parsed.not_valid_after_utc,
    )


def issue_psk(scope: TenantScope, nas_id: int, *, actor: Actor, now: datetime) -> IssuedPsk:
    """A pre-shared key for a router that cannot keep certificates: 32 random octets under an identity of its own."""
    actor.require("nas.secret")
    nas = _router(scope, nas_id, now)
    key = secrets.token_bytes(PSK_OCTETS)
    row = RadsecCredential(
        tenant_id=scope.tenant_id,
        nas_id=nas.id,
        kind="psk",
        identity=f"{nas.identifier}.{secrets.token_hex(4)}",
        psk_sealed=box_for(scope).seal(key, RADSEC_PSK),
        created_at=now,
        created_by=actor.name,
    )
    _add(scope, nas, row, "radsec.issue_psk", actor, now)
    return IssuedPsk(row.id, row.identity, key.hex())


def withdraw_credential(
    scope: TenantScope, credential_id: int, *, nas_id: int | None = None, actor: Actor, now: datetime
) -> None:
    """Not valid from now on; open connections that used it are closed. Raises :class:`CredentialNotFound`, also for one
    of another router than ``nas_id``."""
    actor.require("nas.edit")
    row = scope.registry.scalars(
        select(RadsecCredential)
        .where(
            RadsecCredential.tenant_id == scope.tenant_id,
            RadsecCredential.id == credential_id,
            RadsecCredential.revoked_at.is_(None),
            *([] if nas_id is None else [RadsecCredential.nas_id == nas_id]),
        )
        .with_for_update()
    ).first()
    if row is None:
        raise CredentialNotFound(what="certificate", ref=credential_id)
    nas = find_nas(scope, row.nas_id)
    row.revoked_at, row.revoked_by = now, actor.name
    scope.registry.flush()  # the cluster is woken at commit
    _record(scope, nas, row, "radsec.withdraw", actor, now)


def _router(scope: TenantScope, nas_id: int, now: datetime) -> Nas:
    nas = find_nas(scope, nas_id, lock=True)
    valid = select(func.count()).where(
        RadsecCredential.nas_id == nas.id,
        RadsecCredential.revoked_at.is_(None),
        RadsecCredential.expires_at.is_(None) | (RadsecCredential.expires_at > now),
    )
    if (scope.registry.scalar(valid) or 0) >= MOST_CREDENTIALS:
        raise TooManyCredentials(most=MOST_CREDENTIALS)
    return nas


def _add(scope: TenantScope, nas: Nas, row: RadsecCredential, action: str, actor: Actor, now: datetime) -> None:
    scope.registry.add(row)
    scope.registry.flush()  # gives the id
    _record(scope, nas, row, action, actor, now)


def _record(scope: TenantScope, nas: Nas, row: RadsecCredential, action: str, actor: Actor, now: datetime) -> None:
    record(
        scope,
        actor=actor,
        action=action,
        object_kind="nas",
        object_id=nas.id,
        object_label=nas.identifier,
        after={"kind": row.kind, "identity": row.identity, "serial": row.serial},
        now=now,
    )
