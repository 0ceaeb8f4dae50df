"""An ISP's authority and its EAP server certificate (RAD-2): made at the first need, renewed in time, or uploaded."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from infra.certificates import Certificate, certificates_of, check_server_upload, expires_at, first_to_expire
from infra.crypto import CERTIFICATE_KEY
from infra.db import Database
from infra.tenant_scope import TenantScope, unscoped
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.network.errors import CertificateRefused
from tenants.network.models import TenantCertificate
from tenants.network.rules_certificates import (
    AUTHORITY_WARN_BEFORE,
    RENEW_BEFORE,
    RENEWAL_MISSED,
    UPLOAD_PROBLEMS,
    WARN_BEFORE,
    Pki,
    eap_server_name,
    make_pki,
    needs_renewal,
    renew_pki,
)
from tenants.registry.keys import box_for

OWN, UPLOADED = "own_authority", "uploaded"
_LARGEST_UPLOAD = 100_000


@dataclass(frozen=True, slots=True)
class UploadCertificate:
    """A chain (PEM, the server's certificate first) and its private key (PEM, without a password)."""

    chain_pem: bytes
    key_pem: bytes


def ensure_certificates(scope: TenantScope, base_domain: str, *, now: datetime) -> TenantCertificate:
    """The tenant's row; made now if there is none. The RADIUS cluster does the same at the first EAP login."""
    row = scope.registry.get(TenantCertificate, scope.tenant_id)
    if row is not None:
        return row
    made = make_pki(f"{scope.tenant.name} CA", [eap_server_name(scope.tenant.slug, base_domain)], now)
    box = box_for(scope)
    statement = insert(TenantCertificate).values(
        tenant_id=scope.tenant_id,
        authority_pem=made.authority.certificate_pem.decode(),
        authority_key_sealed=box.seal(made.authority.key_pem, CERTIFICATE_KEY),
        chain_pem=made.chain_pem.decode(),
        key_sealed=box.seal(made.key_pem, CERTIFICATE_KEY),
        expires_at=made.expires_at,
        updated_at=now,
    )
    scope.registry.execute(statement.on_conflict_do_nothing())  # another may have been quicker: its row counts
    return scope.registry.scalars(select(TenantCertificate).where(TenantCertificate.tenant_id == scope.tenant_id)).one()


@dataclass(frozen=True, slots=True)
class CertificateEnd:
    """What of it ends soon, or has ended: ``server`` (of the own authority, which renews it by itself 60 days before),
    ``uploaded`` (only its owner can replace it; the first of the chain to end counts) or ``authority``."""

    what: str
    expires_at: datetime


def certificate_ends(scope: TenantScope, *, now: datetime) -> list[CertificateEnd]:
    """What somebody has to see to; nothing is made for it."""
    row = scope.registry.get(TenantCertificate, scope.tenant_id)
    if row is None:
        return []
    if row.source == UPLOADED:
        end = first_to_expire(row.chain_pem.encode())
        return [CertificateEnd("uploaded", end)] if end - now < WARN_BEFORE else []
    authority_end = expires_at(row.authority_pem.encode())
    found = [CertificateEnd("authority", authority_end)] if authority_end - now < AUTHORITY_WARN_BEFORE else []
    if row.expires_at - now < RENEWAL_MISSED and row.expires_at < authority_end:
        found.append(CertificateEnd("server", row.expires_at))
    return found


def renew_server_certificate(scope: TenantScope, base_domain: str, *, actor: Actor, now: datetime) -> datetime:
    """A new server certificate from the tenant's own authority, also in place of an uploaded one; when it ends."""
    actor.require("settings.edit")
    row = _locked(scope, base_domain, now)
    return _renew(scope, row, base_domain, actor=actor, now=now)


def use_uploaded_certificate(
    scope: TenantScope, command: UploadCertificate, base_domain: str, *, actor: Actor, now: datetime
) -> datetime:
    """Show subscribers' devices a chain of the tenant's own; when it ends. Raises :class:`CertificateRefused`."""
    actor.require("settings.edit")
    if max(len(command.chain_pem), len(command.key_pem)) > _LARGEST_UPLOAD:
        raise CertificateRefused(field="chain", problem="the files are too large")
    problem = check_server_upload(command.chain_pem, command.key_pem, now)
    if problem:
        field = "private_key" if problem in ("unreadable_key", "key_mismatch") else "chain"
        raise CertificateRefused(field=field, problem=UPLOAD_PROBLEMS[problem])
    row = _locked(scope, base_domain, now)
    before = _facts(row)
    row.chain_pem = certificates_of(command.chain_pem).decode()
    row.key_sealed = box_for(scope).seal(command.key_pem, CERTIFICATE_KEY)
    row.source, row.expires_at = UPLOADED, expires_at(command.chain_pem)
    _changed(scope, row, "certificate.upload", before, actor, now)
    return row.expires_at


def renew_if_due(scope: TenantScope, base_domain: str, *, actor: Actor, now: datetime) -> str:
    """For the daily job: ``renewed``, ``uploaded`` (ends soon, but only its owner can replace it) or ``fresh``."""
    row = scope.registry.get(TenantCertificate, scope.tenant_id, with_for_update=True)
    if row is None or not needs_renewal(row.expires_at, now):
        return "fresh"
    if row.source == UPLOADED:
        return "uploaded"
    _renew(scope, row, base_domain, actor=actor, now=now)
    return "renewed"


def tenants_to_renew(database: Database, *, now: datetime) -> Iterator[int]:
    """Ids of the tenants whose server certificate ends soon."""
    with unscoped(database, reason="find certificates that end soon") as session:
        soon = TenantCertificate.expires_at < now + RENEW_BEFORE
        yield from session.scalars(
            select(TenantCertificate.tenant_id).where(soon).order_by(TenantCertificate.tenant_id)
        ).all()


def _renew(scope: TenantScope, row: TenantCertificate, base_domain: str, *, actor: Actor, now: datetime) -> datetime:
    before, box = _facts(row), box_for(scope)
    authority = Certificate(row.authority_pem.encode(), box.open(row.authority_key_sealed, CERTIFICATE_KEY))
    made: Pki = renew_pki(authority, [eap_server_name(scope.tenant.slug, base_domain)], now)
    row.chain_pem, row.key_sealed = made.chain_pem.decode(), box.seal(made.key_pem, CERTIFICATE_KEY)
    row.source, row.expires_at = OWN, made.expires_at
    _changed(scope, row, "certificate.renew", before, actor, now)
    return row.expires_at


def _locked(scope: TenantScope, base_domain: str, now: datetime) -> TenantCertificate:
    row = ensure_certificates(scope, base_domain, now=now)
    scope.registry.refresh(row, with_for_update=True)
    return row


def _facts(row: TenantCertificate) -> dict[str, str]:
    return {"source": row.source, "expires_at": row.expires_at.isoformat()}


def _changed(
    scope: TenantScope, row: TenantCertificate, action: str, before: dict[str, str], actor: Actor, now: datetime
) -> None:
    row.version += 1
    row.updated_at = now
    scope.registry.flush()  # the packet path is woken at commit
    record(
        scope,
        actor=actor,
        action=action,
        object_kind="certificate",
        object_id=scope.tenant_id,
        object_label="EAP",
        before=before,
        after=_facts(row),
        now=now,
    )
