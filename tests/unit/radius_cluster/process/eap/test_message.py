"""EAP packets octet by octet (RFC 3748, 4; draft-kamath-pppext-eap-mschapv2): both ends of ours agree on any number."""

import pytest

from radius_cluster.process.eap import mschapv2
from radius_cluster.process.eap.checks import CheckMschap2
from radius_cluster.process.eap.message import (
    METHOD_NAMES,
    encode_failure,
    encode_request,
    encode_success,
    parse_eap,
    read_name,
)

CHALLENGE = bytes(range(16))


def test_numbers_of_methods() -> None:
    assert METHOD_NAMES == {4: "EAP-MD5", 21: "EAP-TTLS", 25: "PEAP", 26: "EAP-MSCHAPv2"}


def test_packets() -> None:
    assert encode_request(7, 25, b"\x20") == bytes.fromhex("01 07 0006 19 20")
    assert encode_success(7) == bytes.fromhex("03 07 0004")
    assert encode_failure(7) == bytes.fromhex("04 07 0004")
    message = parse_eap(bytes.fromhex("02 07 0008 03 191504 ffff"))  # what follows its length is padding
    assert message is not None
    assert (message.code, message.identifier, message.kind, message.data) == (2, 7, 3, b"\x19\x15\x04")
    assert parse_eap(bytes.fromhex("02 07 0005 01")) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "02 07 0004",
        "02 07 0006 01",
        "02 07 0004 01",
        "03 07 0005 01",
        "04 07 0005 01",
        "05 07 0005 01",
        "00 07 0005 01",
    ],
)
def test_no_packets(wrong: str) -> None:
    assert parse_eap(bytes.fromhex(wrong)) is None


def test_names() -> None:
    assert read_name(b"alice") == "alice"
    assert read_name(b"a\0b\xff") == "a\ufffdb\ufffd"
    assert read_name(bytes(120).replace(b"\0", b"n")) == "n" * 120
    assert read_name(b"n" * 121) == ""
    assert read_name(b"\xff" * 41) == ""  # counted as it would be written


def test_mschapv2_requests() -> None:
    assert mschapv2.encode_challenge(9, CHALLENGE) == bytes.fromhex("01 09 001e 10") + CHALLENGE + b"broadloom"
    assert mschapv2.encode_success(9, b"S=1") == bytes.fromhex("03 09 000c") + b"S=1 M=OK"
    assert mschapv2.is_success_confirmation(b"\x03")
    assert not mschapv2.is_success_confirmation(b"\x04")  # the peer does not believe the proof
    assert not mschapv2.is_success_confirmation(b"")


def test_an_mschapv2_response() -> None:
    peer, response = bytes(range(16, 32)), bytes(range(24))
    data = bytes.fromhex("02 09 003b 31") + peer + bytes(8) + response + b"\0" + b"alice"
    expected = CheckMschap2(9, CHALLENGE, peer, response, b"alice")
    assert mschapv2.parse_response(data, CHALLENGE) == expected
    nameless = mschapv2.parse_response(data[:54], CHALLENGE)
    assert nameless is not None
    assert nameless.name == b""
    for wrong in (data[:53], b"\x03" + data[1:], data[:4] + b"\x30" + data[5:], b""):
        assert mschapv2.parse_response(wrong, CHALLENGE) is None
