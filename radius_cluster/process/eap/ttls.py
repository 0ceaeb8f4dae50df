"""EAP-TTLSv0 with PAP, CHAP or MS-CHAPv2 (RFC 5281): the peer sends AVPs through the tunnel."""

from collections.abc import Callable
from typing import Final

from radius_cluster.process.eap.checks import Check, CheckChap, CheckMschap2, CheckPap
from radius_cluster.process.eap.inner import Failed, Finished, InnerStep, Send, Verify
from radius_cluster.process.eap.message import read_name
from radius_cluster.wire.codes import (
    CHAP_CHALLENGE,
    CHAP_PASSWORD,
    MS_CHAP2_RESPONSE,
    MS_CHAP2_SUCCESS,
    MS_CHAP_CHALLENGE,
    USER_NAME,
    USER_PASSWORD,
    VENDOR_MICROSOFT,
)

_VENDOR_FLAG: Final = 0x80
_MANDATORY_FLAG: Final = 0x40


class TtlsInner:
    """One message of AVPs from the peer; for MS-CHAPv2 the server's proof and the peer's acknowledgement follow.

    ``implicit_challenge`` gives octets that both ends derive from the TLS session (RFC 5281, 11.1): a challenge that
    the peer could choose would let an attacker replay a response.
    """

    __slots__ = ("_check", "_confirmed", "_implicit_challenge", "method", "user_name")

    def __init__(self, implicit_challenge: Callable[[int], bytes]) -> None:
        self.method = "TTLS"
        self.user_name = ""
        self._implicit_challenge = implicit_challenge
        self._check: Check | None = None
        self._confirmed = False

    def begin(self, resumed_user: str) -> InnerStep:
        """The peer speaks first; a resumed session needs no more."""
        if resumed_user:
            self.method = "TTLS/resumed"
            self.user_name = resumed_user
            return Finished(resumed_user)
        return Send(b"")

    def receive(self, plain: bytes) -> InnerStep:
        """The peer's AVPs, or its acknowledgement of the proof."""
        if self._confirmed:
            return Finished(self.user_name)
        if not plain:
            return Send(b"")  # the peer acknowledges the handshake before it begins
        avps = parse_avps(plain)
        if avps is None:
            return Failed("bad AVPs")
        self.user_name = read_name(avps.get((0, USER_NAME), b""))
        if not self.user_name:
            return Failed("no inner user name")
        self._check = self._read_check(avps)
        return Verify(self.user_name, self._check) if self._check else Failed("no inner method that is served")

    def verified(self, password: str) -> InnerStep:
        """PAP and CHAP are done; MS-CHAPv2 owes the peer a proof."""
        if not isinstance(self._check, CheckMschap2):
            return Finished(self.user_name)
        self._confirmed = True
        value = bytes((self._check.identifier,)) + self._check.proof(password)
        return Send(encode_avp(VENDOR_MICROSOFT, MS_CHAP2_SUCCESS, value))

    def _read_check(self, avps: dict[tuple[int, int], bytes]) -> Check | None:
        password = avps.get((0, USER_PASSWORD))
        if password is not None:
            self.method = "TTLS/PAP"
            return CheckPap(password.rstrip(b"\0"))
        chap = avps.get((0, CHAP_PASSWORD))
        if chap is not None and len(chap) == 17:
            self.method = "TTLS/CHAP"
            implicit = self._implicit_challenge(17)
            if avps.get((0, CHAP_CHALLENGE)) != implicit[:16] or chap[0] != implicit[16]:
                return None
            return CheckChap(chap[0], implicit[:16], chap[1:])
        mschap2 = avps.get((VENDOR_MICROSOFT, MS_CHAP2_RESPONSE))
        if mschap2 is not None and len(mschap2) == 50:
            self.method = "TTLS/MSCHAPv2"
            implicit = self._implicit_challenge(17)
            if avps.get((VENDOR_MICROSOFT, MS_CHAP_CHALLENGE)) != implicit[:16] or mschap2[0] != implicit[16]:
                return None
            return CheckMschap2(mschap2[0], implicit[:16], mschap2[2:18], mschap2[26:50], avps[(0, USER_NAME)])
        return None


def parse_avps(data: bytes) -> dict[tuple[int, int], bytes] | None:
    """(vendor, code) → value of the first of each AVP; None when the lengths are wrong."""
    avps: dict[tuple[int, int], bytes] = {}
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            return None
        code = int.from_bytes(data[at : at + 4], "big")
        length = int.from_bytes(data[at + 5 : at + 8], "big")
        header = 12 if data[at + 4] & _VENDOR_FLAG else 8
        if length < header or at + length > len(data):
            return None
        vendor = int.from_bytes(data[at + 8 : at + 12], "big") if header == 12 else 0
        avps.setdefault((vendor, code), data[at + header : at + length])
        at += (length + 3) & ~3
    return avps


def encode_avp(vendor: int, code: int, value: bytes) -> bytes:
    """A mandatory AVP, padded to four octets."""
    flags = _MANDATORY_FLAG | (_VENDOR_FLAG if vendor else 0)
    length = (12 if vendor else 8) + len(value)
    head = code.to_bytes(4, "big") + bytes((flags,)) + length.to_bytes(3, "big")
    body = (vendor.to_bytes(4, "big") if vendor else b"") + value
    return head + body + bytes(-length % 4)
