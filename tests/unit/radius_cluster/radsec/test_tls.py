"""TLS of RadSec over memory: who the peer is, by certificate; who is not let in."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

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


TLS_1_2_AND_1_3 = pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
KEY = bytes(range(32))
_CLIENT_CALLBACK = "unsigned int(SSL *, const char *, char *, unsigned int, unsigned char *, unsigned int)"


def client_with_key(identity: bytes, key: bytes, version: int) -> SSL.Connection:
    """A router that knows a pre-shared key. pyOpenSSL has a way to them only below its surface."""
    lib: Any = SSL._lib  # type: ignore[attr-defined]
    ffi: Any = SSL._ffi  # type: ignore[attr-defined]
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(version)
    context.set_cipher_list(b"PSK")

    def tell(_ssl: Any, _hint: Any, name: Any, _room: int, buffer: Any, _most: int) -> int:
        ffi.memmove(name, identity + b"\0", len(identity) + 1)
        ffi.memmove(buffer, key, len(key))
        return len(key)

    callback = ffi.callback(_CLIENT_CALLBACK, tell, error=0)
    lib.SSL_CTX_set_psk_client_callback(context._context, callback)
    connection = SSL.Connection(context, None)
    connection.set_app_data(callback)  # lives as long
    connection.set_connect_state()
    return connection


def server_with_keys(keys: dict[bytes, bytes]) -> TlsServer:
    return TlsServer(SERVER.certificate_pem, SERVER.key_pem, AUTHORITY.certificate_pem, keys.get)


@TLS_1_2_AND_1_3
def test_a_pre_shared_key_names_who_has_it_also_where_several_shake_hands_at_once(version: int) -> None:
    server = server_with_keys({b"one": KEY, b"two": KEY[::-1]})
    peers = [client_with_key(b"one", KEY, version), client_with_key(b"two", KEY[::-1], version)]
    sessions = [server.session() for _ in peers]
    for _ in range(4):
        for session, peer in zip(sessions, peers, strict=True):
            with suppress(SSL.WantReadError):
                peer.do_handshake()
            with suppress(SSL.WantReadError):
                session.feed(peer.bio_read(65_536))
            if data := session.outgoing():
                peer.bio_write(data)
    assert [session.identity() for session in sessions] == ["one", "two"]
    assert all(session.established for session in sessions)
    assert pump(sessions[0], peers[0], b"hello") == b"hello"
    assert "ECDHE-PSK" in sessions[0].protocol() or version == SSL.TLS1_3_VERSION  # with forward secrecy


@TLS_1_2_AND_1_3
def test_a_wrong_key_is_told_from_one_that_nobody_has(version: int) -> None:
    server = server_with_keys({b"one": KEY, b"long": KEY * 40})
    for identity, key, known, unknown in (
        (b"one", KEY[::-1], b"one", b""),
        (b"two", KEY, b"", b"two"),
        (b"long", KEY, b"", b"long"),  # more than TLS takes
    ):
        session = server.session()
        with pytest.raises((TlsError, SSL.Error)):
            pump(session, client_with_key(identity, key, version))
        assert not session.established
        assert (session.key_identity, session.unknown_key) == (known, unknown)


def test_with_a_certificate_the_key_that_was_offered_counts_for_nothing() -> None:
    server = server_with_keys({b"another's": KEY})
    router = make_client_certificate(AUTHORITY, "isp-core", NOW)
    session = server.session()
    assert pump(session, client(router), b"hello") == b"hello"
    session.key_identity = b"another's"
    assert session.identity() == load_pem_x509_certificate(router.certificate_pem).fingerprint(SHA256()).hex()


def test_nothing_is_resumed_and_nothing_negotiated_anew(server: TlsServer) -> None:
    lib: Any = SSL._lib  # type: ignore[attr-defined]
    router = make_client_certificate(AUTHORITY, "isp-core", NOW)
    for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
        first = client(router, version)
        again = SSL.Connection(first.get_context(), None)
        again.set_connect_state()
        pump(server.session(), first, b"hello")
        kept = first.get_session()
        assert kept is not None
        again.set_session(kept)
        session = server.session()
        assert pump(session, again, b"hello") == b"hello"
        assert not lib.SSL_session_reused(again._ssl)
    peer, session = client(router, SSL.TLS1_2_VERSION), server.session()
    pump(session, peer)
    assert peer.renegotiate()
    with pytest.raises((SSL.Error, TlsError)):
        pump(session, peer)
    assert session._connection.total_renegotiations() == 0


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(70_000), b"\x01" * 20])
def test_any_bytes_are_refused_without_a_crash(server: TlsServer, data: bytes) -> None:
    session = server.session()
    with pytest.raises(TlsError):
        session.feed(data * 2)
