"""Extra attributes beside a dialect's (NET-3)."""

from infra.radius_text.dialects import fill_extra, without_replaced
from radius_cluster.wire.dialects import encode_extra
from radius_cluster.wire.extra_attributes import ADDRESS, only, single_kinds, split, take_session_timeout, without


def test_what_stands_once_is_said_by_the_last() -> None:
    dialect = encode_extra('Framed-Pool = a\nMikrotik-Rate-Limit = 1M/1M\nCisco-AVPair = "ip:a=1"\nIdle-Timeout = 5')
    extra = encode_extra('Mikrotik-Rate-Limit = 2M/2M\nCisco-AVPair = "ip:b=2"\nFramed-Pool = b')
    assert single_kinds(extra) == {(14988, 8), (0, 88)}
    kept = without(dialect, single_kinds(extra))
    assert kept == encode_extra('Cisco-AVPair = "ip:a=1"\nIdle-Timeout = 5')
    assert without(dialect, frozenset()) == dialect


def test_the_shortest_session_timeout_is_taken_out() -> None:
    text = "Session-Timeout = 3600\nIdle-Timeout = 5\nSession-Timeout = 60"
    assert take_session_timeout(encode_extra(text)) == (encode_extra("Idle-Timeout = 5"), 60)
    assert take_session_timeout(encode_extra("Session-Timeout = 0")) == (b"", 1)
    assert take_session_timeout(b"") == (b"", None)


def test_only_those_of_some_kinds() -> None:
    attributes = encode_extra("Framed-IP-Address = 10.0.0.7\nMikrotik-Rate-Limit = 1M/1M\nIdle-Timeout = 5")
    assert only(attributes, ADDRESS) == encode_extra("Framed-IP-Address = 10.0.0.7")
    assert only(attributes, frozenset({(14988, 8)})) == encode_extra("Mikrotik-Rate-Limit = 1M/1M")
    assert only(attributes, frozenset()) == b""


def test_vendor_data_without_a_type_is_a_standard_attribute() -> None:
    whole, bare, short = b"\x1a\x09\x00\x00\x01\x37\x07\x03x", b"\x1a\x06\x00\x00\x01\x37", b"\x1a\x03x"
    barely = b"\x1a\x07\x00\x00\x01\x37\x08"
    found = split(whole + bare + short + barely + b"\x12\x02")
    assert found == [((311, 7), whole), ((0, 26), bare), ((0, 26), short), ((311, 8), barely), ((0, 18), b"\x12\x02")]


def test_people_are_shown_the_same() -> None:
    dialect = fill_extra('Framed-Pool = a\nCisco-AVPair = "ip:a=1"')
    extra = fill_extra('Framed-Pool = b\nCisco-AVPair = "ip:b=2"')
    assert [(line.attribute, line.value) for line in without_replaced(dialect, extra)] == [("Cisco-AVPair", "ip:a=1")]
