"""Proofs of a password that wait for the password to be looked up."""

from dataclasses import dataclass
from hashlib import sha256

from radius_cluster.wire.md5 import equal, md5
from radius_cluster.wire.mschap import (
    authenticator_response,
    challenge_hash,
    challenge_response,
    mppe_keys,
    nt_hash,
)


@dataclass(frozen=True, slots=True)
class CheckPap:
    """A password in clear (inside a tunnel)."""

    password: bytes

    def verify(self, password: str) -> bool:
        """Whether it is the subscriber's."""
        return equal(self.password, password.encode())


@dataclass(frozen=True, slots=True)
class CheckChap:
    """MD5 over identifier, password and challenge: CHAP and EAP-MD5 alike (RFC 1994, RFC 3748, 5.4)."""

    identifier: int
    challenge: bytes
    response: bytes

    def verify(self, password: str) -> bool:
        """Whether the response is right."""
        return equal(md5(bytes((self.identifier,)) + password.encode() + self.challenge).digest(), self.response)


@dataclass(frozen=True, slots=True)
class CheckMschap2:
    """An MS-CHAPv2 response. ``name`` is the one the peer hashed, which may carry a domain."""

    identifier: int
    challenge: bytes
    peer_challenge: bytes
    response: bytes
    name: bytes

    def verify(self, password: str) -> bool:
        """Whether the response is right."""
        hashed = challenge_hash(self.peer_challenge, self.challenge, self.name)
        return equal(challenge_response(hashed, nt_hash(password)), self.response)

    def proof(self, password: str) -> bytes:
        """The server's proof for the peer: ``S=`` and 40 digits."""
        return authenticator_response(nt_hash(password), self.response, self.peer_challenge, self.challenge, self.name)

    def keys(self, password: str) -> tuple[bytes, bytes]:
        """The server's (send, receive) keys."""
        return mppe_keys(nt_hash(password), self.response)


@dataclass(frozen=True, slots=True)
class CheckVerified:
    """The password was proved a moment ago; only the subscriber's present state is wanted."""

    send_key: bytes = b""
    receive_key: bytes = b""

    def verify(self, password: str) -> bool:
        """It was."""
        return True


@dataclass(frozen=True, slots=True)
class CheckResumed:
    """A resumed TLS session: the password proved then must still be the password now."""

    digest: bytes

    def verify(self, password: str) -> bool:
        """Whether the password is the same."""
        return equal(password_digest(password), self.digest)


Check = CheckPap | CheckChap | CheckMschap2 | CheckVerified | CheckResumed


def password_digest(password: str) -> bytes:
    """What a resumable session remembers of the password, in memory only."""
    return sha256(b"eap-resumption\0" + password.encode()).digest()
