"""Secrets at rest, tenant data keys, password hashing."""

import hashlib
import os
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_OCTETS = 12
_HASHER = PasswordHasher()


class DecryptionError(Exception):
    """The sealed value was made with another key, for another purpose, or was altered."""


class SecretBox:
    """Authenticated encryption (AES-256-GCM) of small values under one 32-octet key.

    ``purpose`` is bound as associated data, so that a sealed router secret cannot be passed off as a password.
    """

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, plain: bytes, purpose: bytes) -> bytes:
        """nonce ‖ ciphertext ‖ tag."""
        nonce = os.urandom(_NONCE_OCTETS)
        return nonce + self._aead.encrypt(nonce, plain, purpose)

    def open(self, sealed: bytes, purpose: bytes) -> bytes:
        """The plain value. Raises :class:`DecryptionError`."""
        try:
            return self._aead.decrypt(sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], purpose)
        except (InvalidTag, ValueError) as error:
            raise DecryptionError("a stored secret cannot be read; was BROADLOOM_SECRET_KEY changed?") from error


# Purposes: what a sealed value is; never reuse one for something else.
SUBSCRIBER_PASSWORD = b"subscriber-password"
NAS_SECRET = b"nas-secret"
DATA_KEY = b"tenant-data-key"
PERSONAL_DATA = b"personal-data"
CERTIFICATE_KEY = b"certificate-key"  # of a tenant, under its data key
CLUSTER_CERTIFICATE_KEY = b"cluster-certificate-key"  # of the installation, under the master key
RADSEC_PSK = b"radsec-psk"


def derive_key(secret_key: str, label: str) -> bytes:
    """A 32-octet key for one use, from the installation's secret (HKDF-SHA256)."""
    return HKDF(algorithm=SHA256(), length=32, salt=b"broadloom", info=label.encode()).derive(secret_key.encode())


def master_box(secret_key: str) -> SecretBox:
    """The box that wraps tenants' data keys; deleting a wrapped key shreds the tenant's secrets (TEN-5)."""
    return SecretBox(derive_key(secret_key, "master"))


def new_data_key() -> bytes:
    """A fresh tenant data key."""
    return secrets.token_bytes(32)


def hash_password(password: str) -> str:
    """argon2id."""
    return _HASHER.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Whether the password matches; a malformed hash never matches."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def token_digest(token: str) -> bytes:
    """What is stored of a random one-time token (the token itself is only ever mailed)."""
    return hashlib.sha256(token.encode()).digest()
