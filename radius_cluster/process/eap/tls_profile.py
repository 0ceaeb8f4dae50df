"""The TLS side of a tenant: its certificate, and the sessions that may be resumed."""

from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL

_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:AESGCM"
_MOST_RESUMABLE: Final = 20_000


class TlsProfile:
    """Build once for a tenant's certificate and keep; not shared between processes.

    Sessions are resumed by their id within ``resume_seconds``, in the process that began them; in another the handshake
    is simply a full one. TLS 1.2 only: what PEAP and TTLS derive from 1.3 differs and few supplicants do it.
    """

    __slots__ = ("_resumable", "context", "resume_seconds")

    def __init__(self, chain_pem: bytes, key_pem: bytes, *, session_context: bytes, resume_seconds: int = 3600) -> None:
        """``chain_pem``: the server certificate first. ``session_context`` (≤ 32 octets) keeps tenants' sessions apart.

        Raises ValueError when the PEM cannot be read or the key is another certificate's.
        """
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        context.set_cipher_list(_CIPHERS)
        certificates = load_pem_x509_certificates(chain_pem)
        key = load_pem_private_key(key_pem, None)
        if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey):
            raise ValueError("the key is of a kind that TLS 1.2 does not use")
        try:
            context.use_certificate(certificates[0])
            for certificate in certificates[1:]:
                context.add_extra_chain_cert(certificate)
            context.use_privatekey(key)
            context.check_privatekey()
        except SSL.Error as error:
            raise ValueError(f"the certificate and key cannot be used: {error}") from error
        # Tickets would be decrypted without asking whether the conversation they come from ended well.
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION)
        context.set_session_cache_mode(SSL.SESS_CACHE_SERVER if resume_seconds else SSL.SESS_CACHE_OFF)
        context.set_session_id(session_context)
        context.set_timeout(max(1, resume_seconds))
        self.context = context
        self.resume_seconds = resume_seconds
        self._resumable: dict[bytes, tuple[str, bytes, int]] = {}

    def remember(self, session_key: bytes, user_name: str, password_digest: bytes, now_seconds: int) -> None:
        """A conversation ended well: its session may be resumed."""
        if not self.resume_seconds or not session_key:
            return
        if len(self._resumable) >= _MOST_RESUMABLE:
            self._forget_old(now_seconds)
        key = sha256(session_key).digest()
        self._resumable[key] = (user_name, password_digest, now_seconds + self.resume_seconds)

    def resumed(self, session_key: bytes, now_seconds: int) -> tuple[str, bytes] | None:
        """(user name, digest of the password then) when the session continues one that ended well."""
        found = self._resumable.get(sha256(session_key).digest())
        return (found[0], found[1]) if found is not None and found[2] > now_seconds else None

    def _forget_old(self, now_seconds: int) -> None:
        for key in [key for key, (_, _, until) in self._resumable.items() if until <= now_seconds]:
            del self._resumable[key]
        while len(self._resumable) >= _MOST_RESUMABLE:
            del self._resumable[next(iter(self._resumable))]  # the oldest
