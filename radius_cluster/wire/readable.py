"""What a packet says, attribute by attribute, for people (RAD-7): names and values by the dictionaries.

Whatever could open an account, a tunnel or a line is never part of it: passwords and the proofs of them, keys, the
inside of EAP, signatures, and what the dictionaries call encrypted. Of those only their length is told.
"""

import re
from typing import Final, NamedTuple

from infra.radius_text.dictionary import Definition, shipped
from infra.radius_text.reading import read_value
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet

_MICROSOFT: Final = codes.VENDOR_MICROSOFT
_ANY_LENGTH: Final = range(256)
# (vendor, number) → the lengths that are right
_HIDDEN: Final = {
    (0, codes.USER_PASSWORD): range(16, 129, 16),
    (0, codes.CHAP_PASSWORD): (17,),
    (0, codes.STATE): _ANY_LENGTH,  # a conversation's: whoever has it could go on with it
    (0, 70): (16,),  # ARAP-Password
    (0, 84): (8,),  # ARAP-Challenge-Response
    (0, codes.EAP_MESSAGE): _ANY_LENGTH,
    (0, codes.MESSAGE_AUTHENTICATOR): (16,),
    (0, codes.EAP_KEY_NAME): _ANY_LENGTH,
    (_MICROSOFT, codes.MS_CHAP_RESPONSE): (50,),
    (_MICROSOFT, 3): (70,),  # MS-CHAP-CPW-1
    (_MICROSOFT, 4): (84,),  # MS-CHAP-CPW-2
    (_MICROSOFT, 5): _ANY_LENGTH,  # MS-CHAP-LM-Enc-PW
    (_MICROSOFT, 6): _ANY_LENGTH,  # MS-CHAP-NT-Enc-PW
    (_MICROSOFT, codes.MS_CHAP_MPPE_KEYS): (24, 32),
    (_MICROSOFT, codes.MS_MPPE_SEND_KEY): (34, 50),
    (_MICROSOFT, codes.MS_MPPE_RECV_KEY): (34, 50),
    (_MICROSOFT, codes.MS_CHAP2_RESPONSE): (50,),
    (_MICROSOFT, codes.MS_CHAP2_SUCCESS): (43,),
    (_MICROSOFT, 27): (68,),  # MS-CHAP2-CPW
}
_SECRET_NAME: Final = re.compile("password|passphrase|passwd|secret|psk|key", re.IGNORECASE)
_PAIRS: Final = "avpair"  # texts of the form name=value
_EAP_CODES: Final = {1: "Request", 2: "Response", 3: "Success", 4: "Failure"}
_EAP_NAK: Final = 3
_EAP_TYPES: Final = {
    1: "Identity", 2: "Notification", _EAP_NAK: "Nak", 4: "MD5", 6: "GTC", 13: "TLS", 18: "SIM", 21: "TTLS", 23: "AKA",
    25: "PEAP", 26: "MSCHAPv2", 33: "TLV", 43: "FAST", 50: "AKA'", 52: "PWD", 55: "TEAP",
}  # fmt: skip


class Shown(NamedTuple):
    """One attribute. ``hidden``: how many octets of it are not shown; ``fits``: whether that is a right length."""

    name: str
    tag: int
    text: str
    hidden: int = 0
    fits: bool = True


def shown_attributes(packet: Packet) -> list[Shown]:
    """All that a packet says, in its order; the parts of an EAP message are one line."""
    raw, at, found = packet.raw, 20, list[Shown]()
    eap_seen = False
    while at < len(raw):
        kind, value = raw[at], raw[at + 2 : at + raw[at + 1]]
        at += raw[at + 1]
        if kind == codes.VENDOR_SPECIFIC:
            found += _vendors(value)
        elif kind != codes.EAP_MESSAGE:
            found.append(_one(0, kind, value))
        elif not eap_seen:
            eap_seen = True
            message = packet.eap_message()
            found.append(Shown("EAP-Message", 0, eap_summary(message), len(message)))
    return found


def eap_summary(message: bytes) -> str:
    """An EAP packet as code, number and method: ``Response 3 PEAP``; what is in it stays hidden."""
    if len(message) < 4:
        return "" if not message else "incomplete"
    code = _EAP_CODES.get(message[0], f"code {message[0]}")
    if len(message) == 4:
        return f"{code} {message[1]}"
    method = _EAP_TYPES.get(message[4], f"method {message[4]}")
    if message[4] == _EAP_NAK and len(message) > 5:  # what it wants instead
        method += " → " + ", ".join(_EAP_TYPES.get(kind, f"method {kind}") for kind in message[5:9])
    return f"{code} {message[1]} {method}"


def plain_text(text: str) -> str:
    """Without characters that would move a cursor, change colours or turn the direction of writing."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _vendors(data: bytes) -> list[Shown]:
    vendor, at, found = int.from_bytes(data[:4], "big"), 4, list[Shown]()
    while at + 2 <= len(data) and 2 <= data[at + 1] <= len(data) - at:
        found.append(_one(vendor, data[at], data[at + 2 : at + data[at + 1]]))
        at += data[at + 1]
    at = min(at, len(data)) if len(data) >= 4 else 0
    if at < len(data) or not found:  # of no form that we know: it could be anything
        found.append(Shown(f"Vendor-{vendor}", 0, "", len(data) - at, False))
    return found


def _one(vendor: int, number: int, value: bytes) -> Shown:
    unknown = Definition(f"Attr-{vendor}-{number}" if vendor else f"Attr-{number}", vendor, number, "octets")
    definition = shipped().numbered(vendor, number) or unknown
    lengths = _HIDDEN.get((vendor, number))
    if lengths is not None:
        return Shown(definition.name, 0, "", len(value), len(value) in lengths)
    if definition.encrypted or _SECRET_NAME.search(definition.name):
        return Shown(definition.name, 0, "", len(value))
    tag, text = read_value(definition, value)
    head, equals, rest = text.partition("=")
    if equals and _PAIRS in definition.name.lower() and _SECRET_NAME.search(head):
        return Shown(definition.name, tag, plain_text(head + equals), len(rest.encode()))
    return Shown(definition.name, tag, plain_text(text))
