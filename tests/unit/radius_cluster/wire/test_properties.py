"""What holds for any bytes: nothing raises, nothing that was changed verifies, what was encoded is read again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes, mschap
from radius_cluster.wire.coa import read_dynamic_reply
from radius_cluster.wire.packet import (
    Packet,
    encode_access_response,
    encode_accounting_response,
    parse,
    verify_request,
    verify_response,
)
from radius_cluster.wire.passwords import decode_pap, encode_chap, encode_pap, verify_chap
from tests.golden.read import read_golden

SECRET = b"radius-secret"
GOLDEN = [data for title, data in read_golden("requests.txt").items() if "without Message" not in title]
ATTRIBUTE = st.tuples(st.integers(1, 255).filter(lambda kind: kind not in (26, 80)), st.binary(min_size=1, max_size=60))
HEADER = st.tuples(st.sampled_from(sorted(codes.CODE_NAMES)), st.integers(0, 255), st.binary(min_size=16, max_size=16))


def touch_everything(found: Packet | str) -> None:
    if isinstance(found, str):
        return
    for kind in range(256):
        found.all(kind)
        found.number(kind)
        found.text(kind)
    found.vendor_attributes()
    found.vendor(311, 1)
    found.eap_message()
    verify_request(found, SECRET, message_authenticator_required=False)
    verify_chap(found, b"x")
    mschap.verify_mschap(found, bytes(16))
    decode_pap(found.attributes.get(2, b""), found.authenticator, SECRET)


@given(st.binary(max_size=5000))
def test_any_bytes_parse_or_name_a_reason(data: bytes) -> None:
    touch_everything(parse(data))
    assert isinstance(read_dynamic_reply(data, bytes(20), SECRET), str)


@given(st.sampled_from(sorted(codes.CODE_NAMES)), st.binary(max_size=400))
def test_any_attributes_behind_a_right_header(code: int, body: bytes) -> None:
    touch_everything(parse(bytes((code, 0)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body))


@given(HEADER, st.lists(ATTRIBUTE, max_size=15))
def test_what_was_encoded_is_read_again(header: tuple[int, int, bytes], attributes: list[tuple[int, bytes]]) -> None:
    code, identifier, authenticator = header
    body = b"".join(encode.octets(kind, value) for kind, value in attributes)
    packet = parse(bytes((code, identifier)) + (20 + len(body)).to_bytes(2, "big") + authenticator + body)
    assert isinstance(packet, Packet)
    assert (packet.code, packet.identifier, packet.authenticator) == header
    for kind in {kind for kind, _ in attributes}:
        assert packet.all(kind) == [value for other, value in attributes if other == kind]
        assert packet.attributes[kind] == packet.all(kind)[0]


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 255), st.binary(min_size=1, max_size=40)), max_size=9)
)
def test_vendor_attributes_are_read_again(attributes: list[tuple[int, int, bytes]]) -> None:
    body = b"".join(encode.vendor(*attribute) for attribute in attributes)
    packet = parse(bytes((1, 0)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)
    assert isinstance(packet, Packet)
    assert packet.vendor_attributes() == attributes


@settings(max_examples=300)
@given(st.sampled_from(GOLDEN), st.data())
def test_changed_requests_never_verify(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw) - 1))
    bit = data.draw(st.integers(1, 255))
    changed = parse(raw[:at] + bytes((raw[at] ^ bit,)) + raw[at + 1 :])
    if isinstance(changed, Packet):
        assert verify_request(changed, SECRET) != ""


@given(st.binary(min_size=1, max_size=40), st.lists(ATTRIBUTE, max_size=6), st.data())
def test_changed_responses_never_verify(
    secret: bytes, attributes: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    request = parse(GOLDEN[0])
    assert isinstance(request, Packet)
    body = b"".join(encode.octets(kind, value) for kind, value in attributes)
    for response in (
        encode_access_response(codes.ACCESS_ACCEPT, request, secret, body),
        encode_accounting_response(request, secret, body),
    ):
        assert isinstance(verify_response(response, request.authenticator, secret), Packet)
        at = data.draw(st.integers(0, len(response) - 1))
        changed = response[:at] + bytes((response[at] ^ data.draw(st.integers(1, 255)),)) + response[at + 1 :]
        assert isinstance(verify_response(changed, request.authenticator, secret), str)


@given(st.binary(max_size=128).filter(lambda word: not word.endswith(b"\0")), st.binary(min_size=16, max_size=16))
def test_pap_round_trip(password: bytes, authenticator: bytes) -> None:
    assert decode_pap(encode_pap(password, authenticator, SECRET), authenticator, SECRET) == password


@given(st.integers(0, 255), st.binary(max_size=60), st.binary(min_size=1, max_size=60))
def test_chap_round_trip(identifier: int, password: bytes, challenge: bytes) -> None:
    body = encode.octets(3, encode_chap(identifier, password, challenge)) + encode.octets(60, challenge)
    packet = parse(bytes((1, 0)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)
    assert isinstance(packet, Packet)
    assert verify_chap(packet, password)
    assert not verify_chap(packet, password + b"x")


@given(st.binary(min_size=1, max_size=100), st.binary(min_size=16, max_size=16), st.binary(min_size=4, max_size=4))
def test_mppe_keys_round_trip(key: bytes, authenticator: bytes, salts: bytes) -> None:
    encoded = mschap.encode_mppe_keys(key, key[::-1], authenticator, SECRET, salts)
    packet = parse(bytes((2, 0)) + (20 + len(encoded)).to_bytes(2, "big") + bytes(16) + encoded)
    assert isinstance(packet, Packet)
    hidden = [packet.vendor(311, kind) or b"" for kind in (16, 17)]
    assert hidden[0][:2] != hidden[1][:2]
    assert [mschap.reveal_mppe_key(value, authenticator, SECRET) for value in hidden] == [key, key[::-1]]


@given(st.binary(max_size=60))
def test_any_bytes_are_no_mppe_key_or_some(hidden: bytes) -> None:
    mschap.reveal_mppe_key(hidden, bytes(16), SECRET)
