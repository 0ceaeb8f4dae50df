"""Where routers put a subscriber's IPv4 address."""

import pytest

from radius_cluster.wire import attributes as encode
from radius_cluster.wire.host_address import framed_ip
from radius_cluster.wire.packet import Packet, parse


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", ""),
        (b"\x08\x06\x0a\x00\x00\x07", "10.0.0.7"),
        (b"\x08\x05\x0a\x00\x00", ""),
        (encode.vendor_text(25506, 60, "10.0.0.7 aa:bb:cc:dd:ee:01"), "10.0.0.7"),
        (b"\x08\x06\x0a\x00\x00\x08" + encode.vendor_text(25506, 60, "10.0.0.7 aa"), "10.0.0.8"),
        (encode.vendor_text(25506, 60, "10.0.0.256 aa"), ""),
        (encode.vendor_text(25506, 60, "10.0.0.255"), "10.0.0.255"),
        (encode.vendor_text(25506, 60, " 192.168.100.200 aa"), "192.168.100.200"),
        (encode.vendor_text(25506, 60, "10.0.0.7.8"), ""),
        (encode.vendor_text(25506, 61, "10.0.0.7"), ""),
        (encode.vendor_text(25506, 60, "aa:bb:cc:dd:ee:01"), ""),
        (encode.vendor_text(2011, 60, "10.0.0.7"), ""),
    ],
)
def test_framed_ip(body: bytes, expected: str) -> None:
    packet = parse(bytes((4, 1)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)
    assert isinstance(packet, Packet)
    assert framed_ip(packet) == expected
