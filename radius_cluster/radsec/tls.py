"""The TLS side of RadSec (RFC 6614, 2.3): server certificate, and who the peer is by its certificate or pre-shared key.

Python 3.11's ssl has no pre-shared keys, and pyOpenSSL only the bindings that it is made of; where a future version
should lack them, certificates go on and keys do not.
"""

from collections.abc import Callable
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL
from OpenSSL.crypto import X509

LOG = structlog.get_logger(__name__)

# Keys first: only peers that mean to use one offer them. All but the last kind have forward secrecy.
_CIPHERS: Final = b"kECDHEPSK+CHACHA20:kECDHEPSK+AES:kDHEPSK+AESGCM:ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:kPSK+AESGCM"
# A pre-shared key belongs to SHA-256 (RFC 8446, 4.2.11), so suites with it come first.
_SUITES: Final = b"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"
_CHUNK: Final = 65_536
_CALLBACK: Final = "unsigned int(SSL *, const char *, unsigned char *, unsigned int)"

FindKey = Callable[[bytes], bytes | None]  # identity → key


class TlsError(Exception):
    """The session failed; the text is for the log."""


class TlsServer:
    """Makes sessions. Build anew when the server's certificate changes."""

    def __init__(self, chain_pem: bytes, key_pem: bytes, authority_pem: bytes, find_key: FindKey) -> None:
        """Raises ValueError when the PEM cannot be used."""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_cipher_list(_CIPHERS)
        context.set_tls13_ciphersuites(_SUITES)
        # Nothing is resumed: whoever connects shows that he still may.
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE)
        context.set_options(SSL.OP_NO_RENEGOTIATION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_session_id(b"radsec")
        certificates = load_pem_x509_certificates(chain_pem)
        key = load_pem_private_key(key_pem, None)
        if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
            raise ValueError("the key is of a kind that is not used here")
        context.use_certificate(certificates[0])
        for certificate in certificates[1:]:
            context.add_extra_chain_cert(certificate)
        context.use_privatekey(key)
        context.check_privatekey()
        store = context.get_cert_store()
        assert store is not None
        for authority in load_pem_x509_certificates(authority_pem):
            store.add_cert(X509.from_cryptography(authority))
            context.add_client_ca(authority)
        # A peer without a certificate is let in only by a key (with one, TLS asks for no certificate).
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
        self.context = context
        self.chain_pem = chain_pem
        self._find_key = find_key
        self._current: TlsSession | None = None
        self._callback = self._set_key_callback()

    def session(self) -> "TlsSession":
        """A new session."""
        return TlsSession(self)

    def handshake(self, session: "TlsSession", connection: SSL.Connection) -> None:
        """One step, with the session known to the callback."""
        self._current = session
        try:
            connection.do_handshake()
        finally:
            self._current = None

    def _set_key_callback(self) -> Any:
        lib: Any = getattr(SSL, "_lib", None)
        ffi: Any = getattr(SSL, "_ffi", None)
        if lib is None or ffi is None or not hasattr(lib, "SSL_CTX_set_psk_server_callback"):
            LOG.warning("radsec_without_keys", hint="this version of pyOpenSSL has no bindings for pre-shared keys")
            return None

        def on_key(_ssl: Any, identity: Any, buffer: Any, room: int) -> int:
            session = self._current
            if session is None or identity == ffi.NULL:
                return 0
            name = ffi.string(identity)
            key = self._find_key(name)
            if key is None or len(key) > room:
                session.unknown_key = name
                return 0
            session.key_identity = name
            ffi.memmove(buffer, key, len(key))
            return len(key)

        callback = ffi.callback(_CALLBACK, on_key, error=0)
        lib.SSL_CTX_set_psk_server_callback(self.context._context, callback)
        return callback  # must live as long as the context


class TlsSession:
    """One connection's TLS, over memory."""

    __slots__ = ("_connection", "_server", "established", "key_identity", "unknown_key")

    def __init__(self, server: TlsServer) -> None:
        self._server = server
        self._connection = SSL.Connection(server.context, None)
        self._connection.set_accept_state()
        self.established = False
        self.key_identity = b""  # offered, and known; proven only when there is no certificate
        self.unknown_key = b""

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """(plain octets that came, whether the peer ended the session). Raises :class:`TlsError`."""
        connection = self._connection
        plain = []
        try:
            connection.bio_write(data)
            if not self.established:
                self._server.handshake(self, connection)
                self.established = True
            while True:
                plain.append(connection.recv(_CHUNK))
        except SSL.WantReadError:
            return b"".join(plain), False
        except SSL.ZeroReturnError:
            return b"".join(plain), True
        except SSL.Error as error:
            raise TlsError(_shown(error)) from error

    def encrypt(self, plain: bytes) -> None:
        """Add to what :meth:`outgoing` gives. Raises :class:`TlsError`."""
        try:
            self._connection.sendall(plain)
        except SSL.Error as error:
            raise TlsError(_shown(error)) from error

    def outgoing(self) -> bytes:
        """What is to be sent now."""
        pieces = []
        try:
            while True:
                pieces.append(self._connection.bio_read(_CHUNK))
        except SSL.WantReadError:
            return b"".join(pieces)

    def end(self) -> None:
        """Say that nothing more comes."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            return

    def identity(self) -> str:
        """By what the peer is found once the handshake is over: a certificate's SHA-256 fingerprint, a key's identity.

        With a certificate a key that was offered too proves nothing: TLS may have passed it over.
        """
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is not None:
            return certificate.fingerprint(SHA256()).hex()
        return self.key_identity.decode("utf-8", "replace")

    def protocol(self) -> str:
        """Version and cipher, for the log."""
        return f"{self._connection.get_protocol_version_name()} {self._connection.get_cipher_name()}"


def _shown(error: SSL.Error) -> str:
    """The last reason that OpenSSL gives."""
    reasons = error.args[0] if error.args else []
    return str(reasons[0][2]) if reasons and isinstance(reasons, list) else "unexpected end"
