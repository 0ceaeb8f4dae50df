"""The header of load balancers: what is read of it, and that no bytes at all do harm."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_cluster.wire.proxy_protocol import (
    BAD_HEADER,
    LARGEST_HEADER,
    SIGNATURE,
    ProxyHeader,
    TrustedBalancers,
    encode_proxy_header,
    read_proxy_header,
)

ADDRESS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)), st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6))
)
PORT = st.integers(0, 65535)


@given(ADDRESS, PORT, PORT, st.booleans(), st.binary(max_size=60))
def test_what_is_written_is_read(
    addresses: tuple[IPv4Address | IPv6Address, ...], port: int, to: int, datagram: bool, rest: bytes
) -> None:
    header = encode_proxy_header((str(addresses[0]), port), (str(addresses[1]), to), datagram=datagram)
    found = read_proxy_header(header + rest)
    assert isinstance(found, ProxyHeader)
    assert found.octets == len(header)
    mapped = addresses[0].ipv4_mapped if isinstance(addresses[0], IPv6Address) else None
    assert found.source == (str(mapped or addresses[0]), port)
    for cut in range(len(header)):
        assert read_proxy_header(header[:cut]) is None  # a stream brings the rest


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes(data: bytes, signed: bool) -> None:
    data = SIGNATURE + data if signed else data
    found = read_proxy_header(data)
    if isinstance(found, ProxyHeader):
        assert 16 <= found.octets <= min(len(data), LARGEST_HEADER)
    else:
        assert found in (None, BAD_HEADER)


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        (b"\x20\x00\x00\x00", ProxyHeader(16, None)),  # LOCAL: the balancer's health check
        (b"\x20\x12\x00\x02ab", ProxyHeader(18, None)),  # LOCAL with extras
        (b"\x21\x00\x00\x00", BAD_HEADER),  # PROXY for nobody
        (b"\x21\x31\x00\xd8" + bytes(216), BAD_HEADER),  # Unix sockets
        (b"\x21\x12\x00\x0b" + bytes(11), BAD_HEADER),  # one octet too few for IPv4
        (b"\x11\x12\x00\x0c" + bytes(12), BAD_HEADER),  # version 1
        (b"\x22\x12\x00\x0c" + bytes(12), BAD_HEADER),  # an unknown command
        (b"\x21\x10\x00\x0c" + bytes(12), BAD_HEADER),  # neither stream nor datagram
        (b"\x21\x12\xff\xff", BAD_HEADER),  # longer than anybody writes
        (b"\x21\x12\x00\x0c\xcb\x00\x71\x07\xcb\x00\x71\x01\x13\x88\x07\x14", ProxyHeader(28, ("203.0.113.7", 5000))),
    ],
)
def test_headers(rest: bytes, found: ProxyHeader | str) -> None:
    assert read_proxy_header(SIGNATURE + rest) == found


@pytest.mark.parametrize("at", range(12))
def test_every_octet_of_the_signature_counts(at: int) -> None:
    header = bytearray(encode_proxy_header(("203.0.113.7", 5000), ("192.0.2.1", 1812), datagram=True))
    header[at] ^= 1
    assert read_proxy_header(bytes(header)) == BAD_HEADER
    assert read_proxy_header(bytes(header[: at + 1])) == BAD_HEADER  # seen as soon as it is there


def test_extras_after_the_addresses_are_passed_over() -> None:
    addresses = b"\xcb\x00\x71\x07\xcb\x00\x71\x01\x13\x88\x07\x14"
    for extras in (256 - 12, 300, LARGEST_HEADER - 28):
        size = 12 + extras
        header = SIGNATURE + b"\x21\x12" + size.to_bytes(2, "big") + addresses + bytes(extras)
        assert read_proxy_header(header + b"packet") == ProxyHeader(16 + size, ("203.0.113.7", 5000))
    size += 1
    assert read_proxy_header(SIGNATURE + b"\x21\x12" + size.to_bytes(2, "big") + addresses + bytes(1000)) == BAD_HEADER


def test_ipv6_senders() -> None:
    address, mapped = IPv6Address("2001:db8::7").packed, IPv6Address("::ffff:203.0.113.7").packed
    ports = b"\x13\x88\x07\x14"
    assert read_proxy_header(SIGNATURE + b"\x21\x22\x00\x23" + bytes(35)) == BAD_HEADER  # one octet too few
    for sender, shown in ((address, "2001:db8::7"), (mapped, "203.0.113.7")):
        header = SIGNATURE + b"\x21\x22\x00\x24" + sender + bytes(16) + ports
        assert read_proxy_header(header) == ProxyHeader(52, (shown, 5000))


def test_memory_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrustedBalancers, "_MOST_REMEMBERED", 3)
    balancers = TrustedBalancers("10.0.0.0/8")
    for number in range(10):
        assert f"10.0.0.{number}" in balancers
        assert f"192.0.2.{number}" not in balancers
        assert len(balancers._known) <= 3


def test_a_radius_packet_is_no_header() -> None:
    assert read_proxy_header(b"\x01\x07\x00\x14" + bytes(16)) == BAD_HEADER
    assert read_proxy_header(b"\x0d") == read_proxy_header(b"") is None


def test_who_is_believed() -> None:
    balancers = TrustedBalancers("10.0.0.0/8 192.0.2.1 2001:db8::/32")
    assert balancers
    for trusted in ("10.9.8.7", "192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1", "10.9.8.7"):
        assert trusted in balancers
    for stranger in ("192.0.2.2", "2001:db9::1", "::1", "", "not an address", "fe80::1%eth0"):
        assert stranger not in balancers
    assert not TrustedBalancers("")
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        TrustedBalancers("10.0.0.1/8")
