"""A tenant's certificates and its routers' RadSec credentials: made, renewed, uploaded, withdrawn; sealed, walled."""

from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates
from sqlalchemy import ColumnElement, select, update

from infra import clock
from infra.certificates import expires_at, make_authority, make_server_certificate
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
from tenants.network.queries_radsec import credentials_of, radsec_endings
from tenants.network.radsec_credentials import issue_certificate, issue_psk, withdraw_credential
from tenants.network.rules_certificates import MOST_CREDENTIALS, Ending
from tenants.registry.keys import box_for

NAMES = ["radsec.example"]
NOBODY = Actor("operator", 1, "clerk")


def router(scope: TenantScope, name: str = "core") -> int:
    return add_nas(scope, AddNas("mikrotik", name=name), actor=SYSTEM, now=clock.now()).nas_id


def alter(database: Database, nas_id: int, *where: ColumnElement[bool], **values: datetime) -> None:
    """As the RADIUS cluster notes, or time does, what of the router's credentials only they may."""
    with database.owner_connection() as connection:
        connection.execute(update(RadsecCredential).where(RadsecCredential.nas_id == nas_id, *where).values(**values))


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


def test_expired_credentials_take_no_room(database: Database, scope: TenantScope) -> None:
    now = clock.now()
    nas_id = router(scope)
    for _ in range(MOST_CREDENTIALS):
        issue_certificate(scope, nas_id, NAMES, actor=SYSTEM, now=now)
    scope.commit()
    alter(database, nas_id, expires_at=now - timedelta(seconds=1))
    issue_certificate(scope, nas_id, NAMES, actor=SYSTEM, now=now)
    assert [one.state for one in credentials_of(scope, nas_id, now=now)].count("expired") == MOST_CREDENTIALS


def test_a_credential_is_withdrawn_from_its_own_router_only(scope: TenantScope) -> None:
    now = clock.now()
    issued = issue_psk(scope, router(scope), actor=SYSTEM, now=now)
    with pytest.raises(CredentialNotFound):
        withdraw_credential(scope, issued.credential_id, nas_id=router(scope, "other"), actor=SYSTEM, now=now)


def test_routers_are_told_of_whose_certificate_ends_soon(
    two_isps: tuple[TenantRef, TenantRef], database: Database
) -> None:
    charlie, alice = two_isps
    now = clock.now()
    with tenant_scope(database, charlie) as scope:
        nas_id, other = router(scope), router(scope, "other")
        heard = {nas_id: now, other: now}
        first = issue_certificate(scope, nas_id, NAMES, actor=SYSTEM, now=now)
        issue_certificate(scope, other, NAMES, actor=SYSTEM, now=now)
        soon = first.expires_at - timedelta(days=30)
        assert radsec_endings(scope, heard, now=soon) == {}  # shown by nobody, it is missed by nobody
        scope.commit()
        alter(database, nas_id, last_used_at=now)
        assert radsec_endings(scope, heard, now=soon) == {nas_id: Ending(first.expires_at, None)}
        assert credentials_of(scope, nas_id, now=soon)[0].state == "ending"
        assert radsec_endings(scope, heard, now=first.expires_at - timedelta(days=90)) == {}
        second = issue_certificate(scope, nas_id, NAMES, actor=SYSTEM, now=soon)
        assert radsec_endings(scope, heard, now=soon)[nas_id].next_at == soon
        scope.commit()
        alter(database, nas_id, RadsecCredential.id == second.credential_id, last_used_at=soon)
        assert radsec_endings(scope, heard, now=soon) == {}
    with tenant_scope(database, alice) as scope:
        assert radsec_endings(scope, heard, now=soon) == {}


def test_what_ends_of_the_certificates_for_devices(scope: TenantScope) -> None:
    now = clock.now()
    assert certificates.certificate_ends(scope, now=now) == []  # none yet
    row = ensure_certificates(scope, "localhost", now=now)
    year = timedelta(days=365)

    def ends(at: datetime) -> list[str]:
        return [one.what for one in certificates.certificate_ends(scope, now=at)]

    assert ends(row.expires_at - timedelta(days=59)) == []  # the daily job sees to it
    assert ends(row.expires_at - timedelta(days=40)) == ["server"]  # or does not
    authority_end = expires_at(row.authority_pem.encode())
    renew = authority_end - timedelta(days=100)
    certificates.renew_server_certificate(scope, "localhost", actor=SYSTEM, now=renew)
    assert row.expires_at == authority_end  # no longer than who signed it
    assert ends(authority_end - year - timedelta(days=1)) == []
    assert ends(authority_end - timedelta(days=20)) == ["authority"]
    authority = make_authority("Company CA", now, years=1)
    server = make_server_certificate(authority, ["wifi.example"], now, days=300)
    short = make_server_certificate(authority, ["between"], now, days=90)  # as an authority in between that ends sooner
    chain = server.certificate_pem + authority.certificate_pem
    command = UploadCertificate(chain, server.key_pem)
    certificates.use_uploaded_certificate(scope, command, "localhost", actor=SYSTEM, now=now)
    assert (ends(now), ends(now + timedelta(days=250))) == ([], ["uploaded"])
    row.chain_pem = (chain + short.certificate_pem).decode()
    assert ends(now + timedelta(days=40)) == ["uploaded"]
