"""CoA and Disconnect: what goes out verifies as a router verifies it; only what verifies is believed."""

import hashlib
import hmac

import pytest

from infra.radius_text.dialects import dialect_for, shipped_dialects
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.coa import (
    ERROR_CAUSES,
    DynamicReply,
    SessionNames,
    encode_dynamic_request,
    encode_dynamic_response,
    encode_session_names,
    error_cause_text,
    read_dynamic_reply,
)
from radius_cluster.wire.packet import Packet, parse, verify_message_authenticator, verify_request_authenticator

SECRET = b"radius-secret"
NAMES = SessionNames(
    user_name="alice", session_id="8100001a", framed_ip="10.0.0.7", calling_station_id="aa:bb", nas_port=7
)


def sent(code: int = codes.DISCONNECT_REQUEST, attributes: bytes = encode.text(1, "alice")) -> Packet:
    packet = parse(encode_dynamic_request(code, 5, SECRET, attributes, 1_767_225_600))
    assert isinstance(packet, Packet)
    return packet


def test_request_verifies_by_the_letter_of_rfc_5176() -> None:
    raw = sent().raw
    assert raw[4:20] == hashlib.md5(raw[:4] + bytes(16) + raw[20:] + SECRET).digest()
    assert raw[20:22] == b"\x50\x12"
    unsigned = raw[:4] + bytes(16) + raw[20:22] + bytes(16) + raw[38:]
    assert raw[22:38] == hmac.digest(SECRET, unsigned, "md5")
    assert sent().number(codes.EVENT_TIMESTAMP) == 1_767_225_600
    assert verify_message_authenticator(sent(), SECRET)
    assert verify_request_authenticator(sent(), SECRET)
    assert not verify_message_authenticator(sent(), b"another")
    assert not verify_request_authenticator(sent(), b"another")


@pytest.mark.parametrize("code", [codes.DISCONNECT_REQUEST, codes.COA_REQUEST])
def test_answers(code: int) -> None:
    request = sent(code)
    ack = encode_dynamic_response(code + 1, request, SECRET)
    assert read_dynamic_reply(ack, request.raw, SECRET) == DynamicReply(True, 0, "")
    nak = encode_dynamic_response(code + 2, request, SECRET, encode.number(101, 503) + encode.text(18, "no such user"))
    assert read_dynamic_reply(nak, request.raw, SECRET) == DynamicReply(False, 503, "no such user")


def test_answers_that_are_not_believed() -> None:
    request = sent()
    ack = encode_dynamic_response(codes.DISCONNECT_ACK, request, SECRET)
    assert read_dynamic_reply(ack, request.raw, b"another") == "wrong_secret"
    assert read_dynamic_reply(ack, sent(attributes=encode.text(1, "bob")).raw, SECRET) == "wrong_secret"
    assert read_dynamic_reply(ack[:-1], request.raw, SECRET) == "truncated"
    forged = ack[:30] + bytes((ack[30] ^ 1,)) + ack[31:]
    assert read_dynamic_reply(forged, request.raw, SECRET) == "wrong_secret"
    crossed = encode_dynamic_response(codes.COA_ACK, request, SECRET)
    assert read_dynamic_reply(crossed, request.raw, SECRET) == "wrong_code"
    other = request.raw[:1] + b"\x06" + request.raw[2:]
    assert read_dynamic_reply(ack, other, SECRET) == "wrong_identifier"


def test_every_dialect_names_a_session_twice() -> None:
    for dialect in shipped_dialects().values():
        packet = sent(attributes=encode_session_names(dialect, NAMES))
        assert len(packet.attributes) - 2 >= 2, dialect.key
        assert packet.text(codes.ACCT_SESSION_ID) == "8100001a"
    mikrotik = sent(attributes=encode_session_names(dialect_for("mikrotik"), NAMES))
    assert mikrotik.attributes[codes.FRAMED_IP_ADDRESS] == bytes((10, 0, 0, 7))  # a hotspot user goes by address


def test_missing_names_are_made_up_for() -> None:
    only = SessionNames(session_id="1", calling_station_id="aa:bb")
    packet = sent(attributes=encode_session_names(dialect_for("cisco"), only))
    assert packet.text(codes.CALLING_STATION_ID) == "aa:bb"
    with pytest.raises(ValueError, match="nothing is known"):
        encode_session_names(dialect_for("cisco"), SessionNames())
    with pytest.raises(ValueError, match="nothing is known"):
        encode_session_names(dialect_for("cisco"), SessionNames(framed_ip="2001:db8::1"))


def test_two_names_are_enough() -> None:
    """Those of the dialect all the same; others only where there are fewer than two."""
    port_only = SessionNames(calling_station_id="aa:bb", nas_port_id="ether1", nas_port=7)
    packet = sent(attributes=encode_session_names(dialect_for("cisco"), port_only))
    assert [kind for kind in packet.attributes if kind not in (55, 80)] == [31, 87]
    assert packet.text(codes.NAS_PORT_ID) == "ether1"
    one = sent(attributes=encode_session_names(dialect_for("cisco"), SessionNames(session_id="1", nas_port=7)))
    assert [kind for kind in one.attributes if kind not in (55, 80)] == [44, 5]
    assert one.number(codes.NAS_PORT) == 7


@pytest.mark.parametrize("octets", [200, 250, 1_000, 4_096 - 44])
def test_requests_of_any_length(octets: int) -> None:
    count, rest = divmod(octets, 100)
    attributes = (b"\x12\x64" + bytes(98)) * (count - 1) + bytes((18, 100 + rest)) + bytes(98 + rest)
    packet = sent(attributes=attributes)
    assert len(packet.raw) == 44 + octets
    assert verify_message_authenticator(packet, SECRET)
    assert verify_request_authenticator(packet, SECRET)
    if octets <= 4_096 - 44:
        nak = encode_dynamic_response(codes.DISCONNECT_NAK, packet, SECRET, attributes)
        assert isinstance(read_dynamic_reply(nak, packet.raw, SECRET), DynamicReply)


def test_error_causes_in_words() -> None:
    assert error_cause_text(503) == "The router knows no such session."
    assert error_cause_text(503, chinese=True) == "设备上没有该会话。"
    assert error_cause_text(0) == "The router gave no reason."
    assert error_cause_text(0, chinese=True) == "设备未说明原因。"
    assert error_cause_text(999) == "The router answered with error 999."
    assert error_cause_text(999, chinese=True) == "设备返回错误码 999。"
    assert len({code for code, _, _ in ERROR_CAUSES.values()}) == len(ERROR_CAUSES)
    # RFC 5176, 3.5; RFC 5580
    assert set(ERROR_CAUSES) == {201, 202, *range(401, 408), *range(501, 510)}


def test_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        encode_dynamic_request(40, 0, SECRET, bytes(4096 - 43), 0)


def test_a_name_beyond_ascii_is_left_out_where_others_say_enough() -> None:
    """Routers write Chinese names in encodings of their own: one that is not theirs finds no session."""
    known = SessionNames(user_name="张三", session_id="8100001a", framed_ip="10.0.0.7")
    packet = sent(attributes=encode_session_names(dialect_for("mikrotik"), known))
    assert [kind for kind in packet.attributes if kind not in (55, 80)] == [44, 8]
    fewer = sent(attributes=encode_session_names(dialect_for("cisco"), known))
    assert fewer.text(codes.USER_NAME) == "张三"
