"""Parsing, verifying and answering, on golden packets (radclient's own, and broken ones)."""

import hashlib
import hmac

import pytest

from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes, mschap
from radius_cluster.wire.packet import (
    NO_MESSAGE_AUTHENTICATOR,
    WRONG_SECRET,
    Packet,
    encode_access_response,
    encode_accounting_response,
    encode_status_response,
    parse,
    proxy_states,
    verify_message_authenticator,
    verify_request,
    verify_response,
)
from radius_cluster.wire.passwords import decode_pap, verify_chap
from tests.golden.read import read_golden

SECRET = b"radius-secret"
REQUESTS = read_golden("requests.txt")
BROKEN = read_golden("broken.txt")


def request(title: str) -> Packet:
    packet = parse(next(data for name, data in REQUESTS.items() if name.startswith(title)))
    assert isinstance(packet, Packet)
    return packet


def signed(code: int, attributes: bytes) -> Packet:
    """An Access-Request or Status-Server with a right Message-Authenticator at its end."""
    body = attributes + b"\x50\x12" + bytes(16)
    start = bytes((code, 1)) + (20 + len(body)).to_bytes(2, "big") + bytes(range(16)) + body
    packet = parse(start[:-16] + hmac.digest(SECRET, start, "md5"))
    assert isinstance(packet, Packet)
    return packet


@pytest.mark.parametrize("title", BROKEN)
def test_broken_packets_are_refused_with_their_reason(title: str) -> None:
    expected = title.rpartition(" -> ")[2]
    found = parse(BROKEN[title])
    if expected == "parses":
        assert isinstance(found, Packet)
        assert found.vendor_attributes() == []
    else:
        assert found in expected.split("|")


def head(code: int, length: int) -> bytes:
    """A header that says this length."""
    return bytes((code, 1)) + length.to_bytes(2, "big") + bytes(range(16))


def filled(octets: int) -> bytes:
    """So many octets of attributes."""
    count, rest = divmod(octets, 100)
    return (b"\x12\x64" + b"\x01" * 98) * (count - 1) + bytes((18, 100 + rest)) + b"\x01" * (98 + rest)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (head(1, 20)[:19], "truncated"),
        (head(1, 19)[:19], "truncated"),
        (head(1, 19), "bad_length"),
        (head(1, 20), ""),
        (head(1, 21), "truncated"),
        (head(1, 4096), "truncated"),
        (head(1, 4097), "bad_length"),
        (head(1, 4096) + filled(4076), ""),
        (head(1, 4097) + filled(4077), "bad_length"),
        (head(1, 20) + bytes(4076), ""),  # padding
        (head(1, 20) + bytes(4077), "bad_length"),
        (head(1, 22) + b"\x01\x02", ""),
        (head(1, 22) + b"\x01\x01", "bad_attribute"),
        (head(1, 23) + b"\x01\x02\x01", "bad_attribute"),
        (head(1, 24) + b"\x01\x01\x01\x03", "bad_attribute"),
        (head(1, 24) + b"\x01\x02\x01\x02", ""),
    ],
)
def test_lengths_at_their_limits(data: bytes, expected: str) -> None:
    found = parse(data)
    assert ("" if isinstance(found, Packet) else found) == expected


def test_padding_takes_no_part_in_what_is_verified() -> None:
    """RFC 2865, 3: octets beyond the length field are to be ignored."""
    good = request("PAP login").raw
    padded = parse(good + bytes(7))
    assert isinstance(padded, Packet)
    assert padded.raw == good
    assert verify_request(padded, SECRET) == ""


def test_pap_login_of_radclient() -> None:
    packet = request("PAP login")
    assert (packet.code, packet.identifier) == (codes.ACCESS_REQUEST, 0x70)
    assert packet.text(codes.USER_NAME) == "alice"
    assert packet.text(codes.NAS_IDENTIFIER) == "isp1-bras"
    assert packet.number(codes.NAS_PORT) == 7
    assert packet.text(codes.CALLED_STATION_ID) == ""
    assert packet.number(codes.USER_NAME, default=-1) == -1  # not an integer
    assert verify_request(packet, SECRET) == ""
    assert verify_request(packet, b"another") == WRONG_SECRET
    hidden = packet.attributes[codes.USER_PASSWORD]
    assert decode_pap(hidden, packet.authenticator, SECRET) == b"correct horse battery"
    assert decode_pap(hidden, packet.authenticator, b"another") != b"correct horse battery"


def test_chap_login_of_radclient() -> None:
    packet = request("CHAP login")
    assert verify_request(packet, SECRET) == ""
    assert verify_chap(packet, b"secret123")
    assert not verify_chap(packet, b"secret124")


def test_mschap_login_of_radclient() -> None:
    packet = request("MS-CHAP login")
    assert verify_request(packet, SECRET) == ""
    assert mschap.mschap_version(packet) == 1
    assert mschap.verify_mschap(packet, mschap.nt_hash("secret123"))
    assert not mschap.verify_mschap(packet, mschap.nt_hash("secret124"))


def test_accounting_of_radclient() -> None:
    packet = request("Accounting Interim")
    assert verify_request(packet, SECRET) == ""
    assert verify_request(packet, b"another") == WRONG_SECRET
    octets = packet.number(codes.ACCT_OUTPUT_GIGAWORDS) << 32 | packet.number(codes.ACCT_OUTPUT_OCTETS)
    assert octets == 5_000_000_000
    answer = encode_accounting_response(packet, SECRET)
    assert answer[:4] == b"\x05\x20\x00\x14"
    assert answer[4:] == hashlib.md5(answer[:4] + packet.authenticator + SECRET).digest()


def test_proxy_states_come_back_in_order() -> None:
    packet = request("Accounting Start")
    assert proxy_states(packet) == b"\x21\x03a\x21\x04bc"
    answer = verify_response(encode_accounting_response(packet, SECRET), packet.authenticator, SECRET)
    assert isinstance(answer, Packet)
    assert answer.all(codes.PROXY_STATE) == [b"a", b"bc"]
    login = signed(codes.ACCESS_REQUEST, b"\x21\x03x\x01\x07alice\x21\x03y")
    accept = encode_access_response(codes.ACCESS_ACCEPT, login, SECRET, encode.number(27, 60))
    parsed = verify_response(accept, login.authenticator, SECRET)
    assert isinstance(parsed, Packet)
    assert list(parsed.attributes) == [80, 27, 33]  # Message-Authenticator first
    assert parsed.all(codes.PROXY_STATE) == [b"x", b"y"]


def test_repeated_and_vendor_attributes() -> None:
    packet = request("Login with the same attribute twice")
    assert verify_request(packet, SECRET) == ""
    assert packet.attributes[codes.REPLY_MESSAGE] == b"one"
    assert packet.all(codes.REPLY_MESSAGE) == [b"one", b"two"]
    assert packet.vendor(codes.VENDOR_MIKROTIK, 10) == bytes((10, 0, 0, 7))
    assert packet.vendor(codes.VENDOR_HUAWEI, 26) == b"\0\0\0\x07"
    assert packet.vendor(codes.VENDOR_H3C, 60) == b"10.0.0.7 aa:bb:cc:dd:ee:01"
    assert packet.vendor(codes.VENDOR_H3C, 61) is None
    assert len(packet.vendor_attributes()) == 3
    assert packet.all(codes.STATE) == []


def test_several_attributes_in_one_vendor_specific() -> None:
    packet = signed(1, b"\x1a\x10\x00\x00\x01\x37\x07\x06\x00\x00\x00\x01\x08\x04ab")
    assert packet.vendor_attributes() == [(311, 7, b"\0\0\0\x01"), (311, 8, b"ab")]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (b"", []),
        (b"\x09\x02", [(311, 9, b"")]),
        (b"\x09", []),  # an octet is left over
        (b"\x09\x00", []),
        (b"\x09\x01\x09\x03x", []),
        (b"\x09\x05ab", []),  # past the end
        (b"\x09\x04ab\x0a", [(311, 9, b"ab")]),
    ],
)
def test_vendor_data_of_wrong_lengths_is_passed_over(after: bytes, expected: list[tuple[int, int, bytes]]) -> None:
    first = b"\x07\x06\x00\x00\x00\x01"
    data = b"\x00\x00\x01\x37" + first + after
    packet = signed(1, bytes((26, len(data) + 2)) + data)
    assert packet.vendor_attributes() == [(311, 7, first[2:]), *expected]
    assert signed(1, b"\x1a\x05\x00\x00\x01").vendor_attributes() == []  # not even a vendor


def test_eap_message_is_put_together() -> None:
    assert signed(1, b"\x4f\x04ab\x01\x03x\x4f\x03c").eap_message() == b"abc"
    assert signed(1, b"\x4f\x02").eap_message() == b""
    assert signed(1, b"\x01\x03x").eap_message() == b""


def test_status_server() -> None:
    packet = request("Status-Server")
    assert verify_request(packet, SECRET) == ""
    for accounting, code in ((False, codes.ACCESS_ACCEPT), (True, codes.ACCOUNTING_RESPONSE)):
        answer = verify_response(
            encode_status_response(packet, SECRET, accounting=accounting), packet.authenticator, SECRET
        )
        assert isinstance(answer, Packet)
        assert answer.code == code
    body = b"\x50\x12" + bytes(16) + b"\x20\x05nas"  # other attributes behind its Message-Authenticator
    start = head(12, 20 + len(body)) + body
    first = parse(start[:22] + hmac.digest(SECRET, start, "md5") + start[38:])
    assert isinstance(first, Packet)
    assert verify_request(first, SECRET) == ""
    bare = parse(packet.raw[:2] + b"\0\x14" + packet.raw[4:20])
    assert isinstance(bare, Packet)
    assert not verify_message_authenticator(bare, SECRET)
    # RFC 5997: always with Message-Authenticator, whatever the NAS's setting
    assert verify_request(bare, SECRET, message_authenticator_required=False) == NO_MESSAGE_AUTHENTICATOR


def test_message_authenticator_rules() -> None:
    """RAD-9 and CVE-2024-3596: "optional" excuses nothing that a forger could use."""
    bare = request("Login without Message-Authenticator")
    assert verify_request(bare, SECRET) == NO_MESSAGE_AUTHENTICATOR
    assert verify_request(bare, SECRET, message_authenticator_required=False) == ""
    for extra in (b"\x21\x03x", b"\x4f\x06\x02\x01\x00\x04"):  # Proxy-State, EAP-Message
        raw = bare.raw[:2] + (len(bare.raw) + len(extra)).to_bytes(2, "big") + bare.raw[4:] + extra
        packet = parse(raw)
        assert isinstance(packet, Packet)
        assert verify_request(packet, SECRET, message_authenticator_required=False) == NO_MESSAGE_AUTHENTICATOR
    forged = parse(signed(1, b"\x01\x07alice").raw[:-1] + b"\0")
    assert isinstance(forged, Packet)
    # a wrong one is never treated as none
    assert verify_request(forged, SECRET, message_authenticator_required=False) == WRONG_SECRET


def test_accounting_with_a_message_authenticator() -> None:
    body = b"\x28\x06\0\0\0\x01\x50\x12" + bytes(16)
    head = b"\x04\x01" + (20 + len(body)).to_bytes(2, "big")
    signature = hmac.digest(SECRET, head + bytes(16) + body, "md5")
    for right, expected in ((signature, ""), (bytes(16), WRONG_SECRET)):
        whole = body[:-16] + right
        packet = parse(head + hashlib.md5(head + bytes(16) + whole + SECRET).digest() + whole)
        assert isinstance(packet, Packet)
        assert verify_request(packet, SECRET) == expected


def test_responses_are_verified() -> None:
    login = request("PAP login")
    accept = encode_access_response(codes.ACCESS_ACCEPT, login, SECRET, encode.text(18, "welcome"))
    assert accept[20:22] == b"\x50\x12"
    assert isinstance(verify_response(accept, login.authenticator, SECRET), Packet)
    assert verify_response(accept, bytes(16), SECRET) == WRONG_SECRET
    assert verify_response(accept, login.authenticator, b"another") == WRONG_SECRET
    assert verify_response(accept[:-1], login.authenticator, SECRET) == "truncated"
    # a right response authenticator around a wrong Message-Authenticator
    body = b"\x50\x12" + bytes(16) + accept[38:]
    forged = accept[:4] + hashlib.md5(accept[:4] + login.authenticator + body + SECRET).digest() + body
    assert verify_response(forged, login.authenticator, SECRET) == WRONG_SECRET


def test_a_request_is_no_response() -> None:
    accounting = request("Accounting Interim")  # its authenticator is the sum a response to zeros would have
    assert verify_response(accounting.raw, bytes(16), SECRET) == "unknown_code"


def test_responses_that_do_not_fit() -> None:
    login = request("PAP login")
    text = b"\x12\xfd" + b"\x01" * 251

    def answer(attributes: bytes, to: Packet = login) -> bytes:
        encoded = encode_access_response(codes.ACCESS_ACCEPT, to, SECRET, attributes)
        assert isinstance(verify_response(encoded, to.authenticator, SECRET), Packet)
        return encoded[38:]

    assert answer(text * 20) == text * 16  # 17 x 253 = 4,301 octets; whole attributes only
    smallest = b"\x12\x02"
    assert answer(smallest * 2029) == smallest * 2029  # 4,096 octets
    assert answer(smallest * 2030) == smallest * 2029
    states = (b"\x21\xfd" + b"\x02" * 251) * 4
    proxied = signed(codes.ACCESS_REQUEST, states)
    assert answer(text * 20, proxied) == text * 12 + states  # those of the proxies come back whatever it costs
    assert answer(smallest * 2029, proxied) == smallest * ((4058 - 1012) // 2) + states
    assert len(encode_accounting_response(login, SECRET, bytes(4076))) == 4096
    with pytest.raises(ValueError, match="too long"):
        encode_accounting_response(login, SECRET, bytes(4077))


def test_text_is_safe_to_store() -> None:
    packet = signed(1, b"\x01\x08a\0\xffb\xe4\xb8")
    assert packet.text(1) == "a\ufffd\ufffdb\ufffd"


@pytest.mark.parametrize("size", [0, 1, 15, 17, 144])
def test_password_attributes_of_a_wrong_size(size: int) -> None:
    assert decode_pap(bytes(size), bytes(16), SECRET) is None
