"""PAP and CHAP octet by octet, beside a second reading of RFC 2865."""

import hashlib

import pytest

from radius_cluster.wire import attributes as encode
from radius_cluster.wire.packet import Packet, parse
from radius_cluster.wire.passwords import decode_pap, encode_chap, encode_pap, verify_chap

SECRET, AUTHENTICATOR = b"radius-secret", bytes(range(16))


def hidden_by_the_letter(password: bytes) -> bytes:
    """RFC 2865, 5.2: c(i) = p(i) xor MD5(S + c(i-1))."""
    padded = password + bytes(-len(password) % 16 if password else 16)
    result, last = b"", AUTHENTICATOR
    for at in range(0, len(padded), 16):
        key = hashlib.md5(SECRET + last).digest()
        last = bytes(one ^ other for one, other in zip(padded[at : at + 16], key, strict=True))
        result += last
    return result


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 112, 127, 128])
def test_pap(size: int) -> None:
    password = bytes(1 + number % 250 for number in range(size))
    hidden = hidden_by_the_letter(password)
    assert encode_pap(password, AUTHENTICATOR, SECRET) == hidden
    assert decode_pap(hidden, AUTHENTICATOR, SECRET) == password
    assert decode_pap(hidden, bytes(16), SECRET) != password or not size
    for wrong in (hidden[:-1], hidden + b"x", hidden + bytes(128)):
        assert decode_pap(wrong, AUTHENTICATOR, SECRET) is None


def test_pap_has_128_octets_at_most() -> None:
    with pytest.raises(ValueError, match="128"):
        encode_pap(bytes(129), AUTHENTICATOR, SECRET)


def chap_request(answer: bytes, challenge: bytes = b"") -> Packet:
    body = encode.octets(3, answer) + (encode.octets(60, challenge) if challenge else b"")
    packet = parse(b"\x01\x07" + (20 + len(body)).to_bytes(2, "big") + AUTHENTICATOR + body)
    assert isinstance(packet, Packet)
    return packet


@pytest.mark.parametrize("challenge", [b"", b"12345678", bytes(range(100, 116)), bytes(range(50))])
def test_chap(challenge: bytes) -> None:
    """The challenge is CHAP-Challenge, of any length, or else the Request Authenticator (RFC 2865, 5.3)."""
    asked = challenge or AUTHENTICATOR
    answer = b"\x2a" + hashlib.md5(b"\x2asecret" + asked).digest()
    assert encode_chap(0x2A, b"secret", asked) == answer
    assert verify_chap(chap_request(answer, challenge), b"secret")
    assert not verify_chap(chap_request(answer, challenge), b"Secret")
    assert not verify_chap(chap_request(b"\x2b" + answer[1:], challenge), b"secret")
    assert not verify_chap(chap_request(answer, challenge + b"x"), b"secret")
    for wrong in (answer[:-1], answer + b"x", answer[:1]):
        assert not verify_chap(chap_request(wrong, challenge), b"secret")
