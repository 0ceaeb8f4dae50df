"""Certificates: what we issue is what supplicants and routers accept, and uploads are told what is wrong with them."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from infra.certificates import (
    Certificate,
    check_server_upload,
    expires_at,
    make_authority,
    make_client_certificate,
    make_server_certificate,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AUTHORITY = make_authority("Qingteng CA", NOW)
SERVER = make_server_certificate(AUTHORITY, ["radius.qingteng.example", "192.0.2.1"], NOW)


def read(certificate: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.certificate_pem)


def test_server_certificate() -> None:
    certificate = read(SERVER)
    certificate.verify_directly_issued_by(read(AUTHORITY))
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["radius.qingteng.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert expires_at(SERVER.certificate_pem) == NOW + timedelta(days=825)


def test_authority_and_client() -> None:
    assert read(AUTHORITY).extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    client = make_client_certificate(AUTHORITY, "qingteng-bras1", NOW)
    read(client).verify_directly_issued_by(read(AUTHORITY))
    usage = read(client).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert read(client).subject.rfc4514_string() == "CN=qingteng-bras1"


def test_nothing_outlives_its_authority() -> None:
    short = make_authority("Short CA", NOW, years=1)
    assert expires_at(make_server_certificate(short, ["a.example"], NOW).certificate_pem) == NOW + timedelta(days=365)


def test_uploads() -> None:
    chain = SERVER.certificate_pem + AUTHORITY.certificate_pem
    assert check_server_upload(chain, SERVER.key_pem, NOW) == ""
    assert check_server_upload(SERVER.certificate_pem, SERVER.key_pem, NOW) == ""
    assert check_server_upload(b"nonsense", SERVER.key_pem, NOW) == "unreadable_certificate"
    assert check_server_upload(chain, b"nonsense", NOW) == "unreadable_key"
    assert check_server_upload(chain, AUTHORITY.key_pem, NOW) == "key_mismatch"
    assert check_server_upload(chain, SERVER.key_pem, NOW + timedelta(days=826)) == "expired"
    assert check_server_upload(chain, SERVER.key_pem, NOW - timedelta(days=2)) == "not_yet_valid"
    client = make_client_certificate(AUTHORITY, "nas", NOW)
    assert check_server_upload(client.certificate_pem, client.key_pem, NOW) == "not_for_servers"
    assert check_server_upload(AUTHORITY.certificate_pem, AUTHORITY.key_pem, NOW) == "not_for_servers"
    stranger = make_authority("Another CA", NOW)
    assert check_server_upload(SERVER.certificate_pem + stranger.certificate_pem, SERVER.key_pem, NOW) == "chain_order"


def test_an_encrypted_key_is_unreadable() -> None:
    key = load_pem_private_key(SERVER.key_pem, None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    assert check_server_upload(SERVER.certificate_pem, locked, NOW) == "unreadable_key"


def test_only_an_authority_of_ours_issues() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="authority's key"):
        make_server_certificate(Certificate(AUTHORITY.certificate_pem, pem), ["a.example"], NOW)
