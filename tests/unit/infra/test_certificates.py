"""Certificates: what we issue is what supplicants and routers accept, and uploads are told what is wrong with them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.certificates import (
    Certificate,
    _problem_of_chain,
    certificates_of,
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
    assert check_server_upload(SERVER.certificate_pem, SERVER.key_pem, NOW) == "issuer_missing"
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


def made(name: str, key: Any, issuer: str = "", signer: Any = None, *, ca: bool = False, **more: Any) -> bytes:
    """Made by another company's tool."""
    builder = x509.CertificateBuilder(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)]),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        key.public_key(),
        x509.random_serial_number(),
        more.get("begins", NOW - timedelta(days=9)),
        more.get("ends", NOW + timedelta(days=9)),
    )
    if "constraints" not in more:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer or key, SHA256()).public_bytes(Encoding.PEM)


def test_chains_that_devices_or_openssl_would_refuse() -> None:
    """They had been taken: with them no device logs in by PEAP or TTLS any more."""
    root, middle, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)

    def problem(*chain: bytes, key: Any = server) -> str:
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return check_server_upload(b"".join(chain), pem, NOW)

    above = made("Middle", middle, "Root", root, ca=True)
    leaf = made("wifi.example", server, "Middle", middle)
    assert problem(leaf, above) == problem(leaf, above, made("Root", root, ca=True)) == ""
    assert problem(made("wifi.example", server)) == ""  # signed by itself
    assert problem(leaf) == "issuer_missing"
    assert problem(made("wifi.example", short, "Middle", middle), above, key=short) == "weak_key"
    assert problem(made("wifi.example", server, "Middle", short), made("Middle", short, ca=True)) == "weak_key"
    odd = ec.generate_private_key(ec.SECP256K1())
    assert problem(made("wifi.example", odd, "Middle", middle), above, key=odd) == "weak_key"
    old = made("Middle", middle, "Root", root, ca=True, ends=NOW - timedelta(days=1))
    new = made("Middle", middle, "Root", root, ca=True, begins=NOW + timedelta(days=1))
    assert problem(leaf, old) == problem(leaf, new) == "chain_expired"
    assert problem(leaf, made("Middle", middle, "Root", root)) == "chain_not_authority"
    assert problem(leaf, made("Middle", middle, "Root", root, ca=True, constraints=None)) == "chain_not_authority"


# Of openssl: ours signs nothing with SHA-1.
SIGNED_WITH_SHA1 = b"""
-----BEGIN CERTIFICATE-----
MIIBiDCCATCgAwIBAgIUMkC1vo+e+D+F1CdEplmOQdll+eIwCQYHKoZIzj0EATAO
MQwwCgYDVQQDDANPbGQwIBcNMjYxMTIzMTkzMjU0WhgPMjEyNjEwMzAxOTMyNTRa
MBcxFTATBgNVBAMMDHdpZmkuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABBKJONalY0BgZfQ1lbifGRHr1IL6y/5bdq3GwYLToABnPSaekvGxpG1XfoCx
3wjrDTFFNu6AAjIGJFsVkdK4ZNyjYjBgMBMGA1UdJQQMMAoGCCsGAQUFBwMBMAkG
A1UdEwQCMAAwHQYDVR0OBBYEFL+YdJ7Zt59YIRrIMegCkGtYXBEUMB8GA1UdIwQY
MBaAFGTLc/wwh3piQVYUsa4N/60K1bN5MAkGByqGSM49BAEDRwAwRAIgBBcpk40y
rvnrj6iPY/fg5n5aUh5n5B1mJ0YMnd2DTx4CIG6nBaPfck1yLzY0z0d7m5ba8dH5
/7I2Cm4XOtW22B1V
-----END CERTIFICATE-----
"""


def test_signatures_that_devices_refuse() -> None:
    leaf = x509.load_pem_x509_certificate(SIGNED_WITH_SHA1)
    assert _problem_of_chain([leaf], leaf.not_valid_before_utc) == "weak_signature"


def test_a_private_key_beside_the_chain_is_left_out() -> None:
    chain = SERVER.certificate_pem + AUTHORITY.certificate_pem
    assert (
        certificates_of(SERVER.key_pem + SERVER.certificate_pem + b"\n# a note\n" + AUTHORITY.certificate_pem) == chain
    )


def test_an_encrypted_key_is_unreadable() -> None:
    key = load_pem_private_key(SERVER.key_pem, None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    assert check_server_upload(SERVER.certificate_pem, locked, NOW) == "unreadable_key"


def test_only_an_authority_of_ours_issues() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="authority's key"):
        make_server_certificate(Certificate(AUTHORITY.certificate_pem, pem), ["a.example"], NOW)
