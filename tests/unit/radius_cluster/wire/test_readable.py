"""What people are shown of a packet: every name and value, and nothing that could open anything (RAD-7)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.radius_text.dictionary import shipped
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet, parse
from radius_cluster.wire.readable import Shown, eap_summary, shown_attributes
from tests.golden.read import read_golden

MICROSOFT = codes.VENDOR_MICROSOFT
SECRETS = [
    (0, number) for number in (2, 3, 24, 69, 70, 79, 80, 84, 102)
] + [(MICROSOFT, number) for number in (1, 3, 4, 5, 6, 12, 16, 17, 19, 20, 25, 26, 27)] + [
    (2011, 33), (4874, 9), (4874, 37), (4874, 86), (14988, 7), (14988, 16), (9, 249),
]  # fmt: skip


def packet_of(body: bytes, code: int = codes.ACCESS_REQUEST) -> Packet:
    found = parse(bytes((code, 7)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)
    assert isinstance(found, Packet), found
    return found


def shown(body: bytes) -> dict[str, Shown]:
    return {line.name: line for line in shown_attributes(packet_of(body))}


def one(vendor: int, number: int, value: bytes) -> bytes:
    if number == codes.MESSAGE_AUTHENTICATOR and not vendor:
        value = value.ljust(16, b"x")[:16]
    return encode.vendor(vendor, number, value) if vendor else encode.octets(number, value)


SECRET_VALUE = st.one_of(
    st.binary(min_size=8, max_size=120),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=8, max_size=60).map(str.encode),
)


@given(st.lists(st.tuples(st.sampled_from(SECRETS), SECRET_VALUE), min_size=1, max_size=8, unique_by=lambda x: x[0]))
def test_no_octet_of_a_secret_is_ever_shown(secrets: list[tuple[tuple[int, int], bytes]]) -> None:
    body = encode.text(codes.USER_NAME, "ALICE") + b"".join(one(*which, value) for which, value in secrets)
    lines = shown_attributes(packet_of(body))
    told = json.dumps(lines)
    for (_vendor, number), value in secrets:
        for piece in {value[at : at + 8] for at in range(0, len(value) - 7, 8)}:
            assert piece.hex() not in told, number
            assert json.dumps(piece.decode("latin-1"))[1:-1] not in told, number
    assert sum(bool(line.hidden) for line in lines) == len(secrets)


@given(st.sampled_from(sorted(codes.CODE_NAMES)), st.binary(max_size=600))
def test_any_packet_can_be_shown(code: int, body: bytes) -> None:
    found = parse(bytes((code, 0)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)
    if isinstance(found, Packet):
        assert all(line.text.isprintable() for line in shown_attributes(found))


def test_every_attribute_whose_name_is_a_secrets_is_hidden() -> None:
    for name in shipped().names():
        definition = shipped().named(name)
        assert definition is not None
        words = ("password", "secret", "passphrase", "psk")
        if (definition.encrypted or any(word in name.lower() for word in words)) and definition.number < 256:
            lines = shown_attributes(packet_of(one(definition.vendor, definition.number, b"0123456789abcdef")))
            assert "0123456789abcdef" not in json.dumps(lines), name


def test_the_golden_requests_read_as_they_were_written() -> None:
    for title, data in read_golden("requests.txt").items():
        found = parse(data)
        assert isinstance(found, Packet)
        names = [line.name for line in shown_attributes(found)]
        assert not [name for name in names if name.startswith("Attr-")], title
        assert names or found.code == codes.STATUS_SERVER, title


def test_names_values_and_right_lengths() -> None:
    lines = shown(
        encode.text(codes.USER_NAME, "al\x1b[31mice") + encode.octets(codes.USER_PASSWORD, bytes(15))
        + encode.octets(codes.CHAP_PASSWORD, bytes(17)) + encode.number(codes.ACCT_STATUS_TYPE, 1)
        + encode.octets(codes.FRAMED_IP_ADDRESS, bytes((10, 0, 0, 7)))
        + encode.vendor(14988, 8, b"10M/50M") + encode.vendor(MICROSOFT, 25, bytes(50))
        + encode.vendor(9, 1, b"tunnel-password=geheim") + encode.vendor(4711, 3, b"\x01\x02")
    )  # fmt: skip
    assert lines["User-Name"].text == "al\\x1b[31mice"
    assert lines["User-Password"] == Shown("User-Password", 0, "", 15, False)
    assert lines["CHAP-Password"] == Shown("CHAP-Password", 0, "", 17, True)
    assert lines["Acct-Status-Type"].text == "start"
    assert lines["Framed-IP-Address"].text == "10.0.0.7"
    assert lines["Mikrotik-Rate-Limit"].text == "10M/50M"
    assert lines["MS-CHAP2-Response"] == Shown("MS-CHAP2-Response", 0, "", 50, True)
    assert lines["Cisco-AVPair"] == Shown("Cisco-AVPair", 0, "tunnel-password=", 6)
    assert lines["Attr-4711-3"].text == "0x0102"


def test_vendor_data_of_no_known_form_is_not_shown() -> None:
    body = encode.octets(codes.VENDOR_SPECIFIC, (311).to_bytes(4, "big") + b"\x19\xffsecret") + encode.octets(
        codes.VENDOR_SPECIFIC, b"\0\0"
    )
    first, second = shown_attributes(packet_of(body))
    assert first == Shown("Vendor-311", 0, "", 8, False)
    assert (second.text, second.hidden, second.fits) == ("", 2, False)


@pytest.mark.parametrize(
    ("message", "summary"),
    [
        (b"\x02\x01\x00\x0a\x01alice", "Response 1 Identity"),
        (b"\x01\x02\x00\x06\x19\x20", "Request 2 PEAP"),
        (b"\x02\x03\x00\x07\x03\x15\x1a", "Response 3 Nak → TTLS, MSCHAPv2"),
        (b"\x03\x04\x00\x04", "Success 4"),
        (b"\x09\x04\x00\x06\xc8\x00", "code 9 4 method 200"),
        (b"\x01", "incomplete"),
    ],
)
def test_eap_is_code_number_and_method(message: bytes, summary: str) -> None:
    assert eap_summary(message) == summary


def test_an_eap_message_in_parts_is_one_line() -> None:
    parts = encode.octets(codes.EAP_MESSAGE, b"\x02\x05\x01\x00\x15" + bytes(200)) + encode.octets(79, bytes(51))
    [line] = shown_attributes(packet_of(parts))
    assert line == Shown("EAP-Message", 0, "Response 5 TTLS", 256)
