"""TLS of RadSec over memory: who the peer is, by certificate; who is not let in."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from OpenSSL import SSL
from OpenSSL.crypto import X509

from infra.certificates import Certificate, make_authority, make_client_certificate, make_server_certificate
from radius_cluster.radsec.tls import TlsError, TlsServer, TlsSession

NOW = datetime.now(UTC)
AUTHORITY = make_authority("Cloud", NOW)
SERVER = make_server_certificate(AUTHORITY, ["radsec.example"], NOW)


@pytest.fixture
def server() -> TlsServer:
    chain = SERVER.certificate_pem + AUTHORITY.certificate_pem
    return TlsServer(chain, SERVER.key_pem, AUTHORITY.certificate_pem, lambda _identity: None)


def client(certificate: Certificate | None, version: int = SSL.TLS1_3_VERSION) -> SSL.Connection:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(version)
    store = context.get_cert_store()
    assert store is not None
    store.add_cert(X509.from_cryptography(load_pem_x509_certificate(AUTHORITY.certificate_pem)))
    context.set_verify(SSL.VERIFY_PEER)
    if certificate is not None:
        context.use_certificate(load_pem_x509_certificate(certificate.certificate_pem))
        context.use_privatekey(load_pem_private_key(certificate.key_pem, None))  # type: ignore[arg-type]
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    return connection


def pump(session: TlsSession, peer: SSL.Connection, plain: bytes = b"") -> bytes:
    """Carry octets to and fro until both have nothing more to say; what the server read."""
    got = b""
    for _ in range(10):
        try:
            peer.do_handshake()
            if plain:
                peer.sendall(plain)
                plain = b""
        except SSL.WantReadError:
            pass
        try:
            got += session.feed(peer.bio_read(65_536))[0]
        except SSL.WantReadError:
            break
        answer = session.outgoing()
        if answer:
            peer.bio_write(answer)
    return got


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_a_certificate_is_known_by_its_fingerprint(server: TlsServer, version: int) -> None:
    router = make_client_certificate(AUTHORITY, "isp-core", NOW)
    session = server.session()
    assert pump(session, client(router, version), b"hello") == b"hello"
    assert session.established
    expected = load_pem_x509_certificate(router.certificate_pem).fingerprint(SHA256()).hex()
    assert session.identity() == expected
    assert ("TLSv1.2" if version == SSL.TLS1_2_VERSION else "TLSv1.3") in session.protocol()


def test_who_is_not_let_in(server: TlsServer) -> None:
    stranger = make_client_certificate(make_authority("Cloud", NOW), "isp-core", NOW)
    expired = make_client_certificate(AUTHORITY, "isp-core", NOW - timedelta(days=30), days=29)
    not_a_client = SERVER
    for certificate in (None, stranger, expired, not_a_client):
        session = server.session()
        with pytest.raises(TlsError):
            pump(session, client(certificate))
        assert not session.established
    old = server.session()
    with pytest.raises((TlsError, SSL.Error)):
        pump(old, client(make_client_certificate(AUTHORITY, "isp-core", NOW), SSL.TLS1_1_VERSION))


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(70_000), b"\x01" * 20])
def test_any_bytes_are_refused_without_a_crash(server: TlsServer, data: bytes) -> None:
    session = server.session()
    with pytest.raises(TlsError):
        session.feed(data * 2)
