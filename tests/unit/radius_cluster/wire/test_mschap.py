"""MS-CHAP against the vectors of RFC 2433 (B), 2759 (9.2) and 3079 (3.5.3)."""

import hashlib

import pytest

from radius_cluster.wire import attributes as encode
from radius_cluster.wire import mschap
from radius_cluster.wire.codes import VENDOR_MICROSOFT
from radius_cluster.wire.packet import Packet, parse
from radius_cluster.wire.passwords import decode_pap

USER = b"User"
HASH = mschap.nt_hash("clientPass")
AUTHENTICATOR_CHALLENGE = bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")
PEER_CHALLENGE = bytes.fromhex("21402324255E262A28295F2B3A337C7E")
NT_RESPONSE = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")
SECRET = b"radius-secret"


def request(*attributes: bytes) -> Packet:
    body = b"".join(attributes)
    packet = parse(bytes((1, 9)) + (20 + len(body)).to_bytes(2, "big") + bytes(range(16)) + body)
    assert isinstance(packet, Packet)
    return packet


def v2_request(user: bytes = USER, response: bytes = NT_RESPONSE) -> Packet:
    return request(
        encode.octets(1, user),
        encode.vendor(VENDOR_MICROSOFT, 11, AUTHENTICATOR_CHALLENGE),
        encode.vendor(VENDOR_MICROSOFT, 25, b"\x07\0" + PEER_CHALLENGE + bytes(8) + response),
    )


def v1_request(response: bytes, flags: int = 1) -> Packet:
    return request(
        encode.octets(1, USER),
        encode.vendor(VENDOR_MICROSOFT, 11, bytes.fromhex("102DB5DF085D3041")),
        encode.vendor(VENDOR_MICROSOFT, 1, bytes((7, flags)) + bytes(24) + response),
    )


def test_nt_hash_of_rfc_2433_and_2759() -> None:
    assert mschap.nt_hash("MyPw").hex().upper() == "FC156AF7EDCD6C0EDDE3337D427F4EAC"
    assert HASH.hex().upper() == "44EBBA8D5312B8D611474411F56989AE"


def test_challenge_response_of_rfc_2433() -> None:
    response = mschap.challenge_response(bytes.fromhex("102DB5DF085D3041"), mschap.nt_hash("MyPw"))
    assert response.hex().upper() == "4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61"


def test_version_2_of_rfc_2759() -> None:
    challenge = mschap.challenge_hash(PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, USER)
    assert challenge.hex().upper() == "D02E4386BCE91226"
    assert mschap.challenge_response(challenge, HASH) == NT_RESPONSE
    proof = mschap.authenticator_response(HASH, NT_RESPONSE, PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, USER)
    assert proof == b"S=407A5589115FD0D6209F510FE9C04566932CDA56"


def test_keys_of_rfc_3079() -> None:
    send, receive = mschap.mppe_keys(HASH, NT_RESPONSE)
    assert send.hex().upper() == "8B7CDC149B993A1BA118CB153F56DCCB"  # the vector's SendStartKey128, seen by the server
    assert receive != send
    assert len(receive) == 16


def test_the_servers_receive_key_is_made_with_the_clients_send_text() -> None:
    """RFC 3079, 3.4: MasterKey of its vector, 40 zeros, Magic2, 40 times F2."""
    magic_2 = bytes.fromhex(
        "4f6e2074686520636c69656e7420736964652c20746869732069732074686520"
        "73656e64206b65793b206f6e207468652073657276657220736964652c206974"
        "206973207468652072656365697665206b65792e"
    )
    master = bytes.fromhex("FDECE3717A8C838CB388E527AE3CDD31")
    expected = hashlib.sha1(master + bytes(40) + magic_2 + b"\xf2" * 40).digest()[:16]
    assert mschap.mppe_keys(HASH, NT_RESPONSE)[1] == expected


@pytest.mark.parametrize(
    ("salts", "shown"),
    [
        ("01020304", ("8102", "8304")),
        ("01020102", ("8102", "8103")),
        ("81020102", ("8102", "8103")),  # the same once the first bit is set, as it must be
        ("01038103", ("8103", "8102")),
        ("81020103", ("8102", "8103")),
    ],
)
def test_salts_have_their_first_bit_and_differ(salts: str, shown: tuple[str, str]) -> None:
    keys = bytes(range(16)), bytes(range(16, 48))
    reply = request(mschap.encode_mppe_keys(*keys, bytes(16), SECRET, bytes.fromhex(salts)))
    hidden = [reply.vendor(VENDOR_MICROSOFT, kind) or b"" for kind in (16, 17)]
    assert tuple(one[:2].hex() for one in hidden) == shown
    assert [len(one) for one in hidden] == [2 + 32, 2 + 48]
    assert tuple(mschap.reveal_mppe_key(one, bytes(16), SECRET) for one in hidden) == keys


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_response_to_a_challenge_of_a_wrong_size_does_not_verify(size: int) -> None:
    """Nor does one that was computed rightly: the router's challenge is what makes it worth anything."""
    challenge = bytes(size)
    response = mschap.challenge_response(mschap.challenge_hash(PEER_CHALLENGE, challenge, USER), HASH)
    sent = encode.vendor(VENDOR_MICROSOFT, 11, challenge) if size else b""
    answer = encode.vendor(VENDOR_MICROSOFT, 25, b"\x07\0" + PEER_CHALLENGE + bytes(8) + response)
    assert not mschap.verify_mschap(request(encode.octets(1, USER), sent, answer), HASH)
    for octets in (7, 9):
        sent = encode.vendor(VENDOR_MICROSOFT, 11, bytes(octets))
        eight = bytes(8)
        first = encode.vendor(VENDOR_MICROSOFT, 1, b"\x07\x01" + bytes(24) + mschap.challenge_response(eight, HASH))
        assert not mschap.verify_mschap(request(sent, first), HASH)


def test_responses_with_an_octet_more_do_not_verify() -> None:
    challenge = encode.vendor(VENDOR_MICROSOFT, 11, AUTHENTICATOR_CHALLENGE)
    answer = encode.vendor(VENDOR_MICROSOFT, 25, b"\x07\0" + PEER_CHALLENGE + bytes(8) + NT_RESPONSE + b"\0")
    assert not mschap.verify_mschap(request(encode.octets(1, USER), challenge, answer), HASH)
    eight = bytes(8)
    response = b"\x07\x01" + bytes(24) + mschap.challenge_response(eight, HASH) + b"\0"
    sent = encode.vendor(VENDOR_MICROSOFT, 11, eight), encode.vendor(VENDOR_MICROSOFT, 1, response)
    assert not mschap.verify_mschap(request(*sent), HASH)
    assert not mschap.verify_mschap(request(sent[0]), HASH)


def test_verify_version_2() -> None:
    packet = v2_request()
    assert mschap.mschap_version(packet) == 2
    assert mschap.verify_mschap(packet, HASH)
    assert not mschap.verify_mschap(packet, mschap.nt_hash("clientpass"))
    assert mschap.verify_mschap(v2_request(user=b"OFFICE\\User"), HASH)
    assert not mschap.verify_mschap(v2_request(user=b"user"), HASH)


def test_verify_version_1_takes_no_lan_manager_response() -> None:
    response = bytes.fromhex("4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61")
    assert mschap.mschap_version(v1_request(response)) == 1
    assert mschap.verify_mschap(v1_request(response), mschap.nt_hash("MyPw"))
    assert not mschap.verify_mschap(v1_request(response, flags=0), mschap.nt_hash("MyPw"))
    assert not mschap.verify_mschap(v1_request(response), mschap.nt_hash("mypw"))


@pytest.mark.parametrize("size", [0, 1, 49, 51])
def test_responses_of_a_wrong_size_do_not_verify(size: int) -> None:
    for kind, challenge in ((25, 16), (1, 8)):
        packet = request(
            encode.vendor(VENDOR_MICROSOFT, 11, bytes(challenge)),
            encode.vendor(VENDOR_MICROSOFT, kind, bytes(size or 1)),
        )
        assert not mschap.verify_mschap(packet, HASH)
    assert not mschap.verify_mschap(request(), HASH)
    assert mschap.mschap_version(request()) == 0


def test_success_carries_proof_and_keys() -> None:
    packet = v2_request()
    reply = request(mschap.encode_mschap_success(packet, HASH, SECRET, b"\x01\x02\x01\x02"))
    assert reply.vendor(VENDOR_MICROSOFT, 26) == b"\x07S=407A5589115FD0D6209F510FE9C04566932CDA56"
    send, receive = reply.vendor(VENDOR_MICROSOFT, 16), reply.vendor(VENDOR_MICROSOFT, 17)
    assert send is not None
    assert receive is not None
    assert send[0] & 0x80
    assert receive[0] & 0x80
    assert send[:2] != receive[:2]  # RFC 2548: each salt in a packet is unique
    revealed = [mschap.reveal_mppe_key(key, packet.authenticator, SECRET) for key in (send, receive)]
    assert revealed == list(mschap.mppe_keys(HASH, NT_RESPONSE))
    assert reply.vendor(VENDOR_MICROSOFT, 7) == b"\0\0\0\x01"
    assert reply.vendor(VENDOR_MICROSOFT, 8) == b"\0\0\0\x06"


def test_success_of_version_1_carries_the_hash_of_the_hash() -> None:
    password_hash = mschap.nt_hash("MyPw")
    packet = v1_request(mschap.challenge_response(bytes.fromhex("102DB5DF085D3041"), password_hash))
    reply = request(mschap.encode_mschap_success(packet, password_hash, SECRET, b"abcd"))
    hidden = reply.vendor(VENDOR_MICROSOFT, 12)
    assert hidden is not None
    assert len(hidden) == 32
    # MD4(FC156AF7EDCD6C0EDDE3337D427F4EAC); the 8 octets before it are the unused LM key
    expected = bytes(8) + bytes.fromhex("874fb0693e18106a814481bc51cd7d37")
    assert decode_pap(hidden, packet.authenticator, SECRET) == expected
    assert reply.vendor(VENDOR_MICROSOFT, 26) is None


def test_error_says_no_retry() -> None:
    reply = request(mschap.encode_mschap_error(v2_request()))
    assert (
        reply.vendor(VENDOR_MICROSOFT, 2)
        == b"\x07E=691 R=0 C=" + AUTHENTICATOR_CHALLENGE.hex().upper().encode() + b" V=3"
    )
    reply = request(mschap.encode_mschap_error(v1_request(bytes(24)), 647))
    assert reply.vendor(VENDOR_MICROSOFT, 2) == b"\x07E=647 R=0"
    bare = request(encode.vendor(VENDOR_MICROSOFT, 25, b"\x07"))  # without a challenge
    reply = request(mschap.encode_mschap_error(bare))
    assert reply.vendor(VENDOR_MICROSOFT, 2) == b"\x07E=691 R=0 C=" + b"0" * 32 + b" V=3"
    long = request(encode.vendor(VENDOR_MICROSOFT, 11, bytes(20)), encode.vendor(VENDOR_MICROSOFT, 25, b"\x07"))
    reply = request(mschap.encode_mschap_error(long))
    assert reply.vendor(VENDOR_MICROSOFT, 2) == b"\x07E=691 R=0 C=" + b"0" * 32 + b" V=3"
    assert request(mschap.encode_mschap_error(request())).vendor(VENDOR_MICROSOFT, 2) == b"\0E=691 R=0"
