"""A tenant's certificates and its routers' RadSec credentials: made, renewed, uploaded, withdrawn; sealed, walled."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates
from sqlalchemy import select

from infra import clock
from infra.certificates import make_authority, make_server_certificate
from infra.crypto import CERTIFICATE_KEY, RADSEC_PSK, DecryptionError
from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.audit.models import AuditEntry
from tenants.kernel.actor import SYSTEM, Actor
from tenants.kernel.errors import Forbidden
from tenants.network import certificates
from tenants.network.add_nas import AddNas, add_nas
from tenants.network.certificates import UploadCertificate, ensure_certificates
from tenants.network.errors import CertificateRefused, CredentialNotFound, TooManyCredentials
from tenants.network.models import RadsecCredential
from tenants.network.queries_radsec import credentials_of
from tenants.network.radsec_credentials import issue_certificate, issue_psk, withdraw_credential
from tenants.network.rules_certificates import MOST_CREDENTIALS
from tenants.registry.keys import box_for

NAMES = ["radsec.example"]
NOBODY = Actor("operator", 1, "clerk")


def router(scope: TenantScope, name: str = "core") -> int:
    return add_nas(scope, AddNas("mikrotik", name=name), actor=SYSTEM, now=clock.now()).nas_id


def test_a_tenant_gets_its_authority_and_server_certificate_once(scope: TenantScope) -> None:
    row = ensure_certificates(scope, "localhost", now=clock.now())
    server, authority = load_pem_x509_certificates(row.chain_pem.encode())
    server.verify_directly_issued_by(authority)
    assert f"radius.{scope.tenant.slug}.localhost" in server.subject.rfc4514_string()
    assert b"PRIVATE KEY" not in row.key_sealed
    assert box_for(scope).open(row.key_sealed, CERTIFICATE_KEY).startswith(b"-----BEGIN PRIVATE KEY")
    assert ensure_certificates(scope, "localhost", now=clock.now()).version == row.version


def test_renewal_keeps_the_authority(database: Database, scope: TenantScope) -> None:
    now = clock.now()
    row = ensure_certificates(scope, "localhost", now=now)
    before, authority, ends_at = row.chain_pem, row.authority_pem, row.expires_at
    assert certificates.renew_if_due(scope, "localhost", actor=SYSTEM, now=now) == "fresh"
    late = ends_at - timedelta(days=30)
    scope.commit()
    assert scope.tenant_id in list(certificates.tenants_to_renew(database, now=late))
    assert scope.tenant_id not in list(certificates.tenants_to_renew(database, now=now))
    assert certificates.renew_if_due(scope, "localhost", actor=SYSTEM, now=late) == "renewed"
    assert (row.authority_pem, row.chain_pem == before, row.version) == (authority, False, 2)
    assert row.expires_at > ends_at


def test_an_uploaded_chain_is_checked_used_and_can_be_given_up(scope: TenantScope) -> None:
    now = clock.now()
    authority = make_authority("Company CA", now)
    server = make_server_certificate(authority, ["wifi.example"], now, days=90)
    chain = server.certificate_pem + authority.certificate_pem
    cases = [
        ("chain", b"nothing", server.key_pem, "PEM"),
        ("private_key", chain, b"nothing", "cannot be read"),
        ("private_key", chain, authority.key_pem, "another certificate"),
        ("chain", chain + b"x" * 200_000, server.key_pem, "too large"),
    ]
    for field, pem, key, problem in cases:
        with pytest.raises(CertificateRefused, match=problem) as caught:
            certificates.use_uploaded_certificate(
                scope, UploadCertificate(pem, key), "localhost", actor=SYSTEM, now=now
            )
        assert caught.value.field == field
    with pytest.raises(CertificateRefused, match="expired"):
        certificates.use_uploaded_certificate(
            scope, UploadCertificate(chain, server.key_pem), "localhost", actor=SYSTEM, now=now + timedelta(days=91)
        )
    with pytest.raises(Forbidden):
        certificates.use_uploaded_certificate(
            scope, UploadCertificate(chain, server.key_pem), "localhost", actor=NOBODY, now=now
        )
    upload = UploadCertificate(server.key_pem + chain, server.key_pem)  # one file with everything, as many tools write
    ends_at = certificates.use_uploaded_certificate(scope, upload, "localhost", actor=SYSTEM, now=now)
    row = ensure_certificates(scope, "localhost", now=now)
    assert (row.source, row.expires_at, row.chain_pem) == ("uploaded", ends_at, chain.decode())
    assert box_for(scope).open(row.key_sealed, CERTIFICATE_KEY) == server.key_pem
    # Nobody but its owner can replace it: the job only says so.
    assert certificates.renew_if_due(scope, "localhost", actor=SYSTEM, now=ends_at) == "uploaded"
    certificates.renew_server_certificate(scope, "localhost", actor=SYSTEM, now=now)
    assert row.source == "own_authority"


def test_a_routers_certificate_is_shown_once_and_can_be_withdrawn(scope: TenantScope) -> None:
    now = clock.now()
    nas_id = router(scope)
    with pytest.raises(Forbidden):
        issue_certificate(scope, nas_id, NAMES, actor=NOBODY, now=now)
    issued = issue_certificate(scope, nas_id, NAMES, actor=SYSTEM, now=now)
    certificate = load_pem_x509_certificate(issued.certificate_pem.encode())
    certificate.verify_directly_issued_by(load_pem_x509_certificate(issued.authority_pem.encode()))
    assert certificate.fingerprint(SHA256()).hex() == issued.fingerprint
    assert issued.identifier in certificate.subject.rfc4514_string()
    [shown] = credentials_of(scope, nas_id, now=now)
    assert (shown.kind, shown.state, shown.identity) == ("certificate", "valid", issued.fingerprint)
    withdraw_credential(scope, issued.credential_id, actor=SYSTEM, now=now)
    assert [one.state for one in credentials_of(scope, nas_id, now=now)] == ["withdrawn"]
    with pytest.raises(CredentialNotFound):
        withdraw_credential(scope, issued.credential_id, actor=SYSTEM, now=now)
    actions = scope.session.scalars(select(AuditEntry.action).where(AuditEntry.object_kind == "nas"))
    assert {"radsec.issue_certificate", "radsec.withdraw"} <= set(actions)


def test_a_pre_shared_key_is_sealed_under_the_tenants_key(
    two_isps: tuple[TenantRef, TenantRef], database: Database
) -> None:
    charlie, alice = two_isps
    now = clock.now()
    with tenant_scope(database, charlie) as scope:
        nas_id = router(scope)
        issued = issue_psk(scope, nas_id, actor=SYSTEM, now=now)
        row = scope.registry.get_one(RadsecCredential, issued.credential_id)
        assert row.psk_sealed is not None
        sealed = row.psk_sealed
        assert box_for(scope).open(sealed, RADSEC_PSK).hex() == issued.key_hex
    with tenant_scope(database, alice) as scope:
        with pytest.raises(DecryptionError):
            box_for(scope).open(sealed, RADSEC_PSK)
        assert credentials_of(scope, nas_id, now=now) == []
        with pytest.raises(CredentialNotFound):
            withdraw_credential(scope, issued.credential_id, actor=SYSTEM, now=now)


def test_a_router_does_not_gather_credentials_without_end(scope: TenantScope) -> None:
    nas_id = router(scope)
    for _ in range(MOST_CREDENTIALS):
        issue_psk(scope, nas_id, actor=SYSTEM, now=clock.now())
    with pytest.raises(TooManyCredentials):
        issue_psk(scope, nas_id, actor=SYSTEM, now=clock.now())
