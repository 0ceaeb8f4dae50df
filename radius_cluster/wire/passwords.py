"""PAP and CHAP (RAD-2; RFC 2865, 5.2 and 5.3; RFC 1994)."""

from radius_cluster.wire.codes import CHAP_CHALLENGE, CHAP_PASSWORD
from radius_cluster.wire.md5 import equal, md5
from radius_cluster.wire.packet import Packet


def decode_pap(hidden: bytes, authenticator: bytes, secret: bytes) -> bytes | None:
    """The password of a User-Password attribute without its padding, or None when the size is none of 16, 32, … 128."""
    size = len(hidden)
    if size == 16:  # nearly every password
        key = int.from_bytes(md5(secret + authenticator).digest(), "big")
        return (int.from_bytes(hidden, "big") ^ key).to_bytes(16, "big").rstrip(b"\0")
    if size % 16 or not 0 < size <= 128:
        return None
    key_stream = b""
    for at in range(0, size, 16):
        key_stream += md5(secret + (hidden[at - 16 : at] if at else authenticator)).digest()
    return (int.from_bytes(hidden, "big") ^ int.from_bytes(key_stream, "big")).to_bytes(size, "big").rstrip(b"\0")


def encode_pap(password: bytes, authenticator: bytes, secret: bytes) -> bytes:
    """The value of User-Password. Raises ValueError above 128 octets."""
    if len(password) > 128:
        raise ValueError("a PAP password has at most 128 octets")
    padded = password.ljust(max(16, (len(password) + 15) // 16 * 16), b"\0")
    hidden, previous = b"", authenticator
    for at in range(0, len(padded), 16):
        key = int.from_bytes(md5(secret + previous).digest(), "big")
        previous = (int.from_bytes(padded[at : at + 16], "big") ^ key).to_bytes(16, "big")
        hidden += previous
    return hidden


def verify_chap(packet: Packet, password: bytes) -> bool:
    """Whether the CHAP-Password is right; the challenge is CHAP-Challenge, or else the request authenticator."""
    answer = packet.value(CHAP_PASSWORD)
    if len(answer) != 17:
        return False
    challenge = packet.value(CHAP_CHALLENGE) or packet.authenticator
    return equal(md5(answer[:1] + password + challenge).digest(), answer[1:])


def encode_chap(identifier: int, password: bytes, challenge: bytes) -> bytes:
    """The value of CHAP-Password."""
    return bytes((identifier,)) + md5(bytes((identifier,)) + password + challenge).digest()
