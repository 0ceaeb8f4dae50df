"""What a value's octets say is what somebody wrote (infra/radius_text/reading.py)."""

import pytest

from infra.radius_text.dictionary import Definition, shipped
from infra.radius_text.reading import read_value
from infra.radius_text.values import encode_value


@pytest.mark.parametrize(
    ("name", "text", "tag"),
    [
        ("Reply-Message", "账号已到期", 0),
        ("Class", "00012.00004567", 0),
        ("Class", "0x00ff10", 0),
        ("Session-Timeout", "86400", 0),
        ("Service-Type", "framed-user", 0),
        ("Framed-IP-Address", "10.0.0.7", 0),
        ("Framed-IPv6-Address", "2001:db8::7", 0),
        ("Delegated-IPv6-Prefix", "2001:db8::/56", 0),
        ("Framed-Interface-Id", "0:0:0:1", 0),
        ("Event-Timestamp", "2030-01-31T02:00:00+00:00", 0),
        ("Tunnel-Type", "13", 1),
        ("Tunnel-Private-Group-Id", "100", 1),
        ("Mikrotik-Rate-Limit", "10M/50M", 0),
        ("ERX-Cos-Shaping-Pmt-Type", "T02 6m", 0),
    ],
)
def test_read_back(name: str, text: str, tag: int) -> None:
    definition = shipped().named(name)
    assert definition is not None
    read_tag, read_text = read_value(definition, encode_value(definition, text, tag))
    named = definition.values.get(read_text)
    assert (read_tag, read_text) == (tag, text) or str(named) == text


def test_octets_that_are_none_of_the_type_are_shown_as_they_are() -> None:
    number = Definition("N", 0, 1, "integer")
    assert read_value(number, b"\1\2") == (0, "0x0102")
    assert read_value(Definition("A", 0, 1, "ipaddr"), b"\1\2\3\4\5") == (0, "0x0102030405")
    assert read_value(Definition("T", 0, 1, "string"), b"\xff\xfe") == (0, "0xfffe")
    assert read_value(Definition("P", 0, 1, "ipv6prefix"), b"") == (0, "0x")


def test_secrets_are_not_shown() -> None:
    hidden = shipped().named("MS-MPPE-Send-Key")
    assert hidden is not None
    assert read_value(hidden, b"\x80\1secret")[1] == "…"
