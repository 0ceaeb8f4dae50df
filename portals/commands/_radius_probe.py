"""A RADIUS client just big enough to prove that a login is answered: one PAP Access-Request, checked and decoded.

Written by hand instead of with the codec of ``radius_cluster``: siblings do not import each other, and a probe that
shares the server's code would share its mistakes.
"""

import hashlib
import hmac
import secrets
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

_ACCESS_REQUEST, _ACCESS_ACCEPT, _ACCESS_REJECT = 1, 2, 3
_MESSAGE_AUTHENTICATOR = 80
_VENDOR_SPECIFIC = 26
_TEXT, _NUMBER, _ADDRESS = "text", "number", "address"
_NAMES = {
    6: ("Service-Type", _NUMBER),
    7: ("Framed-Protocol", _NUMBER),
    8: ("Framed-IP-Address", _ADDRESS),
    9: ("Framed-IP-Netmask", _ADDRESS),
    11: ("Filter-Id", _TEXT),
    18: ("Reply-Message", _TEXT),
    25: ("Class", "octets"),
    27: ("Session-Timeout", _NUMBER),
    28: ("Idle-Timeout", _NUMBER),
    85: ("Acct-Interim-Interval", _NUMBER),
    88: ("Framed-Pool", _TEXT),
    100: ("Framed-IPv6-Pool", _TEXT),
}
_VENDOR_NAMES = {
    (14988, 8): ("Mikrotik-Rate-Limit", _TEXT),
    (14122, 7): ("WISPr-Bandwidth-Max-Up", _NUMBER),
    (14122, 8): ("WISPr-Bandwidth-Max-Down", _NUMBER),
    (2011, 2): ("Huawei-Input-Average-Rate", _NUMBER),
    (2011, 5): ("Huawei-Output-Average-Rate", _NUMBER),
}


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What the server said: ``kind`` is "Access-Accept", "Access-Reject" or "" for no valid answer in time."""

    kind: str
    attributes: list[tuple[str, str]]


def send_access_request(
    address: tuple[str, int],
    *,
    user: str,
    password: str,
    nas_identifier: str,
    secret: str,
    timeout_seconds: float = 1.0,
) -> ProbeAnswer:
    """Send one request and wait for its answer; answers that are not signed with the secret count as none."""
    key = secret.encode()
    request = _request(user.encode(), password.encode(), nas_identifier.encode(), key)
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout_seconds)
        try:
            client.connect(address)
            client.send(request)
            answer = client.recv(4096)
        except OSError:  # also the time-out, and "port unreachable" while the server is not there yet
            return ProbeAnswer("", [])
    if not _is_genuine(answer, request, key):
        return ProbeAnswer("", [])
    kind = {_ACCESS_ACCEPT: "Access-Accept", _ACCESS_REJECT: "Access-Reject"}.get(answer[0], "")
    return ProbeAnswer(kind, _decode(answer[20:]))


def _request(user: bytes, password: bytes, nas_identifier: bytes, key: bytes) -> bytes:
    authenticator = secrets.token_bytes(16)
    attributes = _attribute(_MESSAGE_AUTHENTICATOR, bytes(16))
    attributes += (
        _attribute(1, user) + _attribute(2, _hide(password, authenticator, key)) + _attribute(32, nas_identifier)
    )
    attributes += _attribute(6, struct.pack("!I", 2)) + _attribute(31, b"02-00-00-00-00-01")
    attributes += _attribute(87, b"probe of the start")
    identifier = secrets.randbelow(256)
    packet = bytearray(
        struct.pack("!BBH", _ACCESS_REQUEST, identifier, 20 + len(attributes)) + authenticator + attributes
    )
    packet[22:38] = hmac.digest(
        key, packet, "md5"
    )  # its value stands right behind the header, 16 octets of zero until here
    return bytes(packet)


def _hide(password: bytes, authenticator: bytes, key: bytes) -> bytes:
    """User-Password of RFC 2865, 5.2."""
    padded = password.ljust(max(16, -(-len(password) // 16) * 16), b"\0")
    hidden, last = b"", authenticator
    for start in range(0, len(padded), 16):
        pad = hashlib.md5(key + last).digest()  # noqa: S324 - the protocol's
        last = bytes(a ^ b for a, b in zip(padded[start : start + 16], pad, strict=True))
        hidden += last
    return hidden


def _is_genuine(answer: bytes, request: bytes, key: bytes) -> bool:
    if len(answer) < 20 or answer[1] != request[1] or struct.unpack("!H", answer[2:4])[0] != len(answer):
        return False
    expected = hashlib.md5(answer[:4] + request[4:20] + answer[20:] + key).digest()  # noqa: S324 - the protocol's
    return hmac.compare_digest(expected, answer[4:20])


def _decode(data: bytes) -> list[tuple[str, str]]:
    found = []
    for kind, value in _split(data):
        if kind == _VENDOR_SPECIFIC and len(value) > 6:
            vendor = struct.unpack("!I", value[:4])[0]
            for inner, inner_value in _split(value[4:]):
                name, form = _VENDOR_NAMES.get((vendor, inner), (f"Vendor-{vendor}-Attr-{inner}", "octets"))
                found.append((name, _shown(inner_value, form)))
        elif kind != _MESSAGE_AUTHENTICATOR:
            name, form = _NAMES.get(kind, (f"Attr-{kind}", "octets"))
            found.append((name, _shown(value, form)))
    return found


def _split(data: bytes) -> list[tuple[int, bytes]]:
    parts, at = [], 0
    while at + 2 <= len(data) and 2 <= data[at + 1] <= len(data) - at:
        parts.append((data[at], data[at + 2 : at + data[at + 1]]))
        at += data[at + 1]
    return parts


def _shown(value: bytes, form: str) -> str:
    if form == _NUMBER and len(value) == 4:
        return str(int.from_bytes(value, "big"))
    if form == _ADDRESS and len(value) == 4:
        return str(IPv4Address(value))
    if form == _TEXT:
        return f'"{value.decode(errors="replace")}"'
    return "0x" + value.hex()


def _attribute(kind: int, value: bytes) -> bytes:
    return bytes([kind, len(value) + 2]) + value
