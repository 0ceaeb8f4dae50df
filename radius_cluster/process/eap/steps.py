"""What the EAP server wants done next."""

from dataclasses import dataclass, field

from radius_cluster.process.eap.checks import Check
from radius_cluster.process.eap.message import encode_failure
from radius_cluster.wire import attributes as encode
from radius_cluster.wire.codes import STATE, USER_NAME
from radius_cluster.wire.mschap import encode_mppe_keys
from radius_cluster.wire.packet import Packet

# Reasons to reject (they stand beside those of the access decision)
UNKNOWN_USER = "unknown_user"
WRONG_PASSWORD = "wrong_password"  # noqa: S105
NO_COMMON_METHOD = "eap_no_common_method"
TIMED_OUT = "eap_timed_out"
CONVERSATION_LOST = "eap_conversation_lost"  # its process died; the peer begins again
TLS_FAILED = "eap_tls_failed"
PROTOCOL_ERROR = "eap_protocol_error"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send an Access-Challenge with these."""

    eap: bytes
    state: bytes

    def attributes(self) -> bytes:
        """EAP-Message and State."""
        return encode.eap_messages(self.eap) + encode.octets(STATE, self.state)


@dataclass(frozen=True, slots=True)
class Ask:
    """Look ``user_name`` up, then call ``EapServer.answer`` with the password (None: no such subscriber)."""

    user_name: str
    identifier: int
    check: Check
    binding: bytes
    conversation: bytes = b""


@dataclass(frozen=True, slots=True)
class Accept:
    """The peer proved its password. The access decision may still refuse: then send ``refusal``."""

    user_name: str
    eap: bytes
    method: str  # for the log: "PEAP/MSCHAPv2" …
    send_key: bytes = b""
    receive_key: bytes = b""

    @property
    def refusal(self) -> bytes:
        """The EAP-Message attribute of an Access-Reject."""
        return encode.eap_messages(encode_failure(self.eap[1]))

    def attributes(self, request: Packet, secret: bytes, salts: bytes) -> bytes:
        """EAP-Success, MPPE keys (``salts``: 4 random octets), and the inner name that the NAS shall account."""
        encoded = encode.eap_messages(self.eap)
        if request.text(USER_NAME) != self.user_name:
            encoded += encode.text(USER_NAME, self.user_name)
        if self.send_key:
            encoded += encode_mppe_keys(self.send_key, self.receive_key, request.authenticator, secret, salts)
        return encoded


@dataclass(frozen=True, slots=True)
class Reject:
    """Send an Access-Reject."""

    reason: str
    eap: bytes
    user_name: str = ""
    detail: str = field(default="", compare=False)  # for the log

    def attributes(self) -> bytes:
        """EAP-Failure."""
        return encode.eap_messages(self.eap)


@dataclass(frozen=True, slots=True)
class Forward:
    """Another process has the conversation: hand it the whole packet."""

    owner: str


@dataclass(frozen=True, slots=True)
class Discard:
    """Do not answer; count it by ``reason``."""

    reason: str


Step = Challenge | Ask | Accept | Reject | Forward | Discard
