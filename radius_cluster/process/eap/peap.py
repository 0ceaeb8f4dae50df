"""PEAPv0 with EAP-MSCHAPv2 (draft-kamath-pppext-peapv0): inner EAP packets travel without their header.

The headers' absence is Microsoft's; only the Result TLV that ends the conversation has one.
"""

from typing import Final

from radius_cluster.process.eap import mschapv2
from radius_cluster.process.eap.checks import CheckMschap2
from radius_cluster.process.eap.inner import Failed, Finished, InnerStep, Send, Verify
from radius_cluster.process.eap.message import (
    IDENTITY,
    MSCHAPV2,
    NAK,
    RESPONSE,
    TLV,
    encode_message,
    encode_request,
    parse_eap,
    read_name,
)

_RESULT_SUCCESS: Final = b"\x80\x03\x00\x02\x00\x01"  # mandatory TLV 3 (Result), 2 octets, 1 = success
_WANT_IDENTITY, _WANT_RESPONSE, _WANT_CONFIRMATION, _WANT_RESULT = range(4)


class PeapInner:
    """Identity, MSCHAPv2, Result."""

    __slots__ = ("_challenge", "_check", "_identifier", "_stage", "method", "user_name")

    def __init__(self, challenge: bytes) -> None:
        self.method = "PEAP"
        self.user_name = ""
        self._challenge = challenge
        self._identifier = 0
        self._stage = _WANT_IDENTITY
        self._check: CheckMschap2 | None = None

    def begin(self, resumed_user: str) -> InnerStep:
        """Ask who the peer is, or, in a resumed session, go straight to the result."""
        if resumed_user:
            self.method = "PEAP/resumed"
            self.user_name = resumed_user
            return self._send_result()
        return Send(bytes((IDENTITY,)))

    def receive(self, plain: bytes) -> InnerStep:
        """An inner response, with or without its header."""
        message = parse_eap(plain)
        if message is None or message.code != RESPONSE or len(plain) != plain[2] << 8 | plain[3]:
            message = parse_eap(encode_message(RESPONSE, self._identifier, plain[0], plain[1:])) if plain else None
        if message is None:
            return Failed("empty inner packet")
        if self._stage == _WANT_IDENTITY and message.kind == IDENTITY:
            self.user_name = read_name(message.data)
            if not self.user_name:
                return Failed("no inner user name")
            self._stage = _WANT_RESPONSE
            self._identifier += 1
            return Send(bytes((MSCHAPV2,)) + mschapv2.encode_challenge(self._identifier, self._challenge))
        if self._stage == _WANT_RESPONSE and message.kind == MSCHAPV2:
            self._check = mschapv2.parse_response(message.data, self._challenge)
            return Verify(self.user_name, self._check) if self._check else Failed("bad inner MSCHAPv2 response")
        if self._stage == _WANT_CONFIRMATION and message.kind == MSCHAPV2:
            if not mschapv2.is_success_confirmation(message.data):
                return Failed("the peer did not believe the server's proof")
            return self._send_result()
        if self._stage == _WANT_RESULT and message.kind == TLV:
            return (
                Finished(self.user_name) if _RESULT_SUCCESS in message.data else Failed("the peer's result is failure")
            )
        return Failed("the peer wants another inner method" if message.kind == NAK else "unexpected inner packet")

    def verified(self, password: str) -> InnerStep:
        """Prove to the peer that the server knows the password too."""
        if self._check is None:
            return Failed("nothing to verify")
        self.method = "PEAP/MSCHAPv2"
        self._stage = _WANT_CONFIRMATION
        self._identifier += 1
        return Send(bytes((MSCHAPV2,)) + mschapv2.encode_success(self._check.identifier, self._check.proof(password)))

    def _send_result(self) -> InnerStep:
        self._stage = _WANT_RESULT
        self._identifier += 1
        return Send(encode_request(self._identifier, TLV, _RESULT_SUCCESS))
