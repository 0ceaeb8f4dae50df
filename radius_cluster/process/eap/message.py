"""EAP packets (RFC 3748, 4)."""

from typing import Final

from radius_cluster.wire.foreign_text import read_text

REQUEST: Final = 1
RESPONSE: Final = 2
SUCCESS: Final = 3
FAILURE: Final = 4

IDENTITY: Final = 1
NOTIFICATION: Final = 2
NAK: Final = 3
MD5_CHALLENGE: Final = 4
TTLS: Final = 21
PEAP: Final = 25
MSCHAPV2: Final = 26
TLV: Final = 33

METHOD_NAMES: Final = {MD5_CHALLENGE: "EAP-MD5", TTLS: "EAP-TTLS", PEAP: "PEAP", MSCHAPV2: "EAP-MSCHAPv2"}


LONGEST_NAME: Final = 120  # octets; so the State stays below 253. Subscribers' names have at most 63 characters.


class EapMessage:
    """A request or response: ``kind`` is the type octet, ``data`` what follows it."""

    __slots__ = ("code", "data", "identifier", "kind")

    def __init__(self, code: int, identifier: int, kind: int, data: bytes) -> None:
        self.code = code
        self.identifier = identifier
        self.kind = kind
        self.data = data


def parse_eap(raw: bytes) -> EapMessage | None:
    """A request or response, or None for anything else. Never raises."""
    if len(raw) < 5 or raw[0] not in (REQUEST, RESPONSE):
        return None
    length = raw[2] << 8 | raw[3]
    if not 5 <= length <= len(raw):
        return None
    return EapMessage(raw[0], raw[1], raw[4], raw[5:length])


def encode_message(code: int, identifier: int, kind: int, data: bytes) -> bytes:
    """A request or response."""
    return bytes((code, identifier)) + (5 + len(data)).to_bytes(2, "big") + bytes((kind,)) + data


def encode_request(identifier: int, kind: int, data: bytes = b"") -> bytes:
    """A request."""
    return encode_message(REQUEST, identifier, kind, data)


def encode_success(identifier: int) -> bytes:
    """EAP-Success; the identifier is that of the response it ends (RFC 3748, 4.2)."""
    return bytes((SUCCESS, identifier, 0, 4))


def encode_failure(identifier: int) -> bytes:
    """EAP-Failure."""
    return bytes((FAILURE, identifier, 0, 4))


def read_name(data: bytes) -> str:
    """An identity as text that can be looked up and stored; "" when it is none that a subscriber could have."""
    name = read_text(data)
    return name if len(name.encode()) <= LONGEST_NAME else ""
