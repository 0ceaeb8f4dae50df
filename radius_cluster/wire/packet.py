"""Parse and verify requests, build responses (RAD-1, RAD-9; RFC 2865, 2866, 2869, 3579, 5997).

The hot path: one slotted object a packet, no copies but the values that somebody asks for. Foreign bytes never raise.
"""

from collections.abc import Mapping
from struct import Struct
from typing import Final

from radius_cluster.wire.codes import (
    ACCESS_ACCEPT,
    ACCESS_CHALLENGE,
    ACCESS_REJECT,
    ACCESS_REQUEST,
    ACCOUNTING_RESPONSE,
    COA_ACK,
    COA_NAK,
    CODE_NAMES,
    DISCONNECT_ACK,
    DISCONNECT_NAK,
    EAP_MESSAGE,
    PROXY_STATE,
    STATUS_SERVER,
    VENDOR_SPECIFIC,
)
from radius_cluster.wire.foreign_text import read_text
from radius_cluster.wire.md5 import equal, hmac_md5, md5
from radius_cluster.wire.shapes import find as find_shape

LARGEST: Final = 4096

# Why a packet was dropped (RAD-7 counts by these)
TRUNCATED: Final = "truncated"  # fewer bytes than the header, or than its length field says
BAD_LENGTH: Final = "bad_length"  # length field outside 20..4096
UNKNOWN_CODE: Final = "unknown_code"
BAD_ATTRIBUTE: Final = "bad_attribute"  # length below 2, or past the end of the packet
WRONG_SECRET: Final = "wrong_secret"  # noqa: S105  an authenticator does not verify
NO_MESSAGE_AUTHENTICATOR: Final = "no_message_authenticator"

_head: Final = Struct(">BBH").pack  # code, identifier, length
_ZEROS: Final = bytes(16)
_EMPTY_MESSAGE_AUTHENTICATOR: Final = b"\x50\x12" + _ZEROS
_KNOWN_CODES: Final = frozenset(CODE_NAMES)
_ACCESS_RESPONSES: Final = frozenset((ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE))
# Without this an Accounting-Request would pass as the answer to a request whose authenticator is zero.
_RESPONSES: Final = _ACCESS_RESPONSES | {ACCOUNTING_RESPONSE, DISCONNECT_ACK, DISCONNECT_NAK, COA_ACK, COA_NAK}


class Packet:
    """A packet whose lengths are right; nothing about it is verified yet.

    ``places`` says where in ``raw`` the first value of each type stands (packets of one shape share it); ``all`` and
    ``vendor`` walk the bytes again for the rest. ``message_authenticator_at`` is the offset of its 16 bytes, 0 without
    one.
    """

    __slots__ = (
        "_attributes",
        "_vendor",
        "message_authenticator_at",
        "places",
        "raw",
        "shaped",
    )

    def __init__(
        self, raw: bytes, places: Mapping[int, slice], message_authenticator_at: int, shaped: bool = False
    ) -> None:
        self.raw = raw
        self.places = places
        self.message_authenticator_at = message_authenticator_at
        self.shaped = shaped  # its shape was known
        self._attributes: dict[int, bytes] | None = None
        self._vendor: dict[tuple[int, int], bytes] | None = None

    @property
    def code(self) -> int:
        """What kind of packet it is (codes.py)."""
        return self.raw[0]

    @property
    def identifier(self) -> int:
        """The router's number of the request, 0 to 255."""
        return self.raw[1]

    @property
    def authenticator(self) -> bytes:
        """Its 16 octets."""
        return self.raw[4:20]

    @property
    def attributes(self) -> dict[int, bytes]:
        """The first value of each type; the hot path looks into ``places`` for the few that it needs."""
        if self._attributes is None:
            raw = self.raw
            self._attributes = {kind: raw[place] for kind, place in self.places.items()}
        return self._attributes

    def value(self, kind: int) -> bytes:
        """The first value of this type, b"" when absent."""
        place = self.places.get(kind)
        return b"" if place is None else self.raw[place]

    def all(self, kind: int) -> list[bytes]:
        """Every value of this attribute type, in order."""
        if kind not in self.places:
            return []
        raw, at, found = self.raw, 20, []
        while at < len(raw):
            size = raw[at + 1]
            if raw[at] == kind:
                found.append(raw[at + 2 : at + size])
            at += size
        return found

    def vendor(self, vendor: int, kind: int) -> bytes | None:
        """The first value of a vendor's attribute, or None.

        Vendor data with wrong lengths is passed over, as RFC 2865 lets it be anything.
        """
        known = self._vendor
        if known is None:
            known = self._vendor = {}
            if VENDOR_SPECIFIC in self.places:
                for owner, number, value in self.vendor_attributes():
                    known.setdefault((owner, number), value)
        return known.get((vendor, kind))

    def vendor_attributes(self) -> list[tuple[int, int, bytes]]:
        """(vendor, type, value) of every well-formed vendor attribute, in order."""
        found = []
        for data in self.all(VENDOR_SPECIFIC):
            owner, at, end = int.from_bytes(data[:4], "big"), 4, len(data)
            while at + 2 <= end:
                size = data[at + 1]
                if size < 2 or at + size > end:
                    break
                found.append((owner, data[at], data[at + 2 : at + size]))
                at += size
        return found

    def number(self, kind: int, default: int = 0) -> int:
        """An integer attribute (4 octets; any other size counts as absent)."""
        place = self.places.get(kind)
        if place is None:
            return default
        value = self.raw[place]
        return int.from_bytes(value, "big") if len(value) == 4 else default

    def text(self, kind: int) -> str:
        """A text attribute, "" when absent."""
        place = self.places.get(kind)
        if place is None:
            return ""
        value = self.raw[place]
        try:  # nearly always: a call less
            text = value.decode()
        except UnicodeDecodeError:
            return read_text(value)
        return text if "\0" not in text else read_text(value)

    def eap_message(self) -> bytes:
        """The EAP packet: all EAP-Message attributes in order (RFC 3579, 3.1); b"" without one."""
        return b"".join(self.all(EAP_MESSAGE)) if EAP_MESSAGE in self.places else b""


def parse(data: bytes) -> Packet | str:
    """A datagram as a Packet, or the reason why it is none. Bytes after the packet's length are padding (RFC 2865, 3).

    Never raises.
    """
    shape = find_shape(data)
    if shape is not None:  # nearly always
        return Packet(data, shape.places, shape.message_authenticator_at, True)
    if len(data) < 20:
        return TRUNCATED
    length = data[2] << 8 | data[3]
    if length != len(data):
        if length > len(data):
            return TRUNCATED if length <= 4096 else BAD_LENGTH
        if length < 20 or len(data) > 4096:  # padding is for short packets: beyond 4096 nothing is RADIUS
            return BAD_LENGTH
        return parse(data[:length])
    if length > 4096:
        return BAD_LENGTH
    if data[0] not in _KNOWN_CODES:
        return UNKNOWN_CODE
    places: dict[int, slice] = {}
    at = 20
    last = length - 1
    while at < last:  # what can be checked once behind it is not checked in it
        kind = data[at]
        size = data[at + 1]
        if size < 2:
            return BAD_ATTRIBUTE
        end = at + size
        if kind not in places:
            places[kind] = slice(at + 2, end)
        elif kind == 80:  # two of them: which one is meant?
            return BAD_ATTRIBUTE
        at = end
    if at != length:  # the last one went past the end, or an octet is left over
        return BAD_ATTRIBUTE
    message_authenticator_at = 0
    if 80 in places:
        message_authenticator_at = places[80].start
        if places[80].stop - message_authenticator_at != 16:
            return BAD_ATTRIBUTE
    return Packet(data, places, message_authenticator_at)


def verify_message_authenticator(packet: Packet, secret: bytes) -> bool:
    """Whether a request's Message-Authenticator is there and right (RFC 3579, 3.2).

    It is the HMAC-MD5 of the packet with the attribute zeroed, and, in requests whose authenticator is itself a sum
    over the packet (Accounting, CoA, Disconnect), with that zeroed too (RFC 5176, 3.6). Status-Server counts as
    Access-Request (RFC 5997, 3).
    """
    at = packet.message_authenticator_at
    if not at:
        return False
    raw = packet.raw
    code = packet.code
    if code in (ACCESS_REQUEST, STATUS_SERVER):
        message = raw[:at] + _ZEROS + raw[at + 16 :]
    else:
        message = raw[:4] + _ZEROS + raw[20:at] + _ZEROS + raw[at + 16 :]
    return equal(hmac_md5(secret, message), raw[at : at + 16])


def verify_request_authenticator(packet: Packet, secret: bytes) -> bool:
    """Whether the authenticator of an Accounting-, CoA- or Disconnect-Request is right (RFC 2866, 3)."""
    raw = packet.raw
    return equal(md5(raw[:4] + _ZEROS + raw[20:] + secret).digest(), raw[4:20])


def verify_request(packet: Packet, secret: bytes, message_authenticator_required: bool = True) -> str:
    """ "" when the request is the NAS's own, else the reason to drop it (RAD-9).

    Access-Request: the Message-Authenticator must be right when present; it must be present when the NAS requires it,
    and whatever the NAS's setting with EAP (RFC 3579, 3.1) and with Proxy-State (CVE-2024-3596). Status-Server always
    needs it (RFC 5997, 3).
    Accounting-Request (CoA, Disconnect): the request authenticator, and the Message-Authenticator if there is one.
    """
    raw = packet.raw
    code, at = raw[0], packet.message_authenticator_at
    if code == ACCESS_REQUEST and at:  # a login: as below, without the calls
        return "" if equal(hmac_md5(secret, raw[:at] + _ZEROS + raw[at + 16 :]), raw[at : at + 16]) else WRONG_SECRET
    if code not in (ACCESS_REQUEST, STATUS_SERVER):
        if not verify_request_authenticator(packet, secret):
            return WRONG_SECRET
        if packet.message_authenticator_at and not verify_message_authenticator(packet, secret):
            return WRONG_SECRET
        return ""
    if packet.message_authenticator_at:
        return "" if verify_message_authenticator(packet, secret) else WRONG_SECRET
    if message_authenticator_required or code == STATUS_SERVER:
        return NO_MESSAGE_AUTHENTICATOR
    places = packet.places
    return NO_MESSAGE_AUTHENTICATOR if EAP_MESSAGE in places or PROXY_STATE in places else ""


def proxy_states(packet: Packet) -> bytes:
    """The request's Proxy-State attributes as they came, for the response (RFC 2865, 5.33)."""
    if PROXY_STATE not in packet.places:
        return b""
    return b"".join([bytes((PROXY_STATE, len(value) + 2)) + value for value in packet.all(PROXY_STATE)])


def first_that_fit(attributes: bytes, room: int) -> bytes:
    """As many whole attributes, from the first one on, as ``room`` octets take."""
    if len(attributes) <= room:
        return attributes
    at = 0
    while at + (length := max(2, attributes[at + 1])) <= room:
        at += length
    return attributes[:at]


def encode_access_response(code: int, request: Packet, secret: bytes, attributes: bytes = b"") -> bytes:
    """Access-Accept, -Reject or -Challenge: Message-Authenticator first (CVE-2024-3596), ``attributes``, Proxy-States.

    Of more attributes than 4096 octets take, the last ones are left out: an ISP's extra attributes, or a router's
    Proxy-States, must not cost a login its answer.
    """
    if PROXY_STATE in request.places:
        states = proxy_states(request)
        attributes = first_that_fit(attributes, LARGEST - 38 - len(states)) + states
    length = 38 + len(attributes)
    if length > LARGEST:
        attributes = first_that_fit(attributes, LARGEST - 38)
        length = 38 + len(attributes)
    raw = request.raw
    head = _head(code, raw[1], length)
    start = head + raw[4:20]
    body = b"\x50\x12" + hmac_md5(secret, start + _EMPTY_MESSAGE_AUTHENTICATOR + attributes) + attributes
    return head + md5(start + body + secret).digest() + body


def encode_accounting_response(request: Packet, secret: bytes, attributes: bytes = b"") -> bytes:
    """Accounting-Response (RFC 2866, 4.2) with the request's Proxy-States."""
    if PROXY_STATE in request.places:
        attributes += proxy_states(request)
    length = 20 + len(attributes)
    if length > LARGEST:
        raise ValueError(f"a RADIUS packet of {length} octets is too long")
    raw = request.raw
    head = _head(ACCOUNTING_RESPONSE, raw[1], length)
    return head + md5(head + raw[4:20] + attributes + secret).digest() + attributes


def encode_status_response(request: Packet, secret: bytes, *, accounting: bool) -> bytes:
    """The answer to Status-Server: an Accept on the authentication port, else Accounting-Response (RFC 5997, 3)."""
    if accounting:
        return encode_accounting_response(request, secret)
    return encode_access_response(ACCESS_ACCEPT, request, secret)


def verify_response(data: bytes, request_authenticator: bytes, secret: bytes) -> Packet | str:
    """A response to a request of ours, parsed and verified, or the reason to drop it; match the identifier first.

    The Message-Authenticator is checked when present; whether it may be absent is the caller's decision.
    """
    packet = parse(data)
    if isinstance(packet, str):
        return packet
    if packet.code not in _RESPONSES:
        return UNKNOWN_CODE
    raw = packet.raw
    if not equal(md5(raw[:4] + request_authenticator + raw[20:] + secret).digest(), packet.authenticator):
        return WRONG_SECRET
    at = packet.message_authenticator_at
    if at:
        message = raw[:4] + request_authenticator + raw[20:at] + _ZEROS + raw[at + 16 :]
        if not equal(hmac_md5(secret, message), raw[at : at + 16]):
            return WRONG_SECRET
    return packet
