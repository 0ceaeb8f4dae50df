"""The device that calls, wherever a router writes its MAC."""

import pytest

from radius_cluster.wire import attributes as encode
from radius_cluster.wire.codes import CALLING_STATION_ID
from radius_cluster.wire.devices import device_of, device_of_vendor
from radius_cluster.wire.packet import Packet, parse

MAC = "00:0c:42:aa:bb:0f"


def packet_of(attributes: bytes) -> Packet:
    packet = parse(b"\x01\x07" + (20 + len(attributes)).to_bytes(2, "big") + bytes(16) + attributes)
    assert isinstance(packet, Packet)
    return packet


def calling(text: str) -> bytes:
    return encode.text(CALLING_STATION_ID, text)


CISCO = encode.vendor_text(9, 1, "ip:something=else") + encode.vendor_text(9, 1, "client-mac-address=000c.42aa.bb0f")


@pytest.mark.parametrize(
    "attributes",
    [
        calling("00-0C-42-AA-BB-0F:WLAN"),
        calling("00-0C-42-AA-BB-0F") + encode.vendor_text(9, 1, "client-mac-address=0200.0000.0001"),
        CISCO,
        calling("GigabitEthernet0/0/1.100:100#200") + CISCO,
        encode.vendor_text(4874, 56, "000c.42aa.bb0f"),
        encode.vendor_text(6527, 27, MAC),
        encode.vendor_text(2011, 153, "000c-42aa-bb0f"),
        encode.vendor_text(2011, 60, "10.1.2.3 00:0c:42:aa:bb:0f"),
        encode.vendor_text(2011, 60, "10.1.2.3 ") + encode.vendor_text(25506, 60, "10.1.2.3 00:0c:42:aa:bb:0f"),
    ],
)
def test_devices(attributes: bytes) -> None:
    assert device_of(packet_of(attributes)) == MAC


@pytest.mark.parametrize(
    "attributes",
    [
        b"",
        calling("13800138000"),
        encode.vendor_text(9, 1, "parent-client-mac-address=000c.42aa.bb0f"),
        encode.vendor_text(2011, 60, "  "),
        encode.vendor(4874, 56, b"\xff\xfe"),
        encode.vendor_text(4874, 1, MAC),
    ],
)
def test_no_device(attributes: bytes) -> None:
    assert device_of(packet_of(attributes)) == device_of_vendor(packet_of(attributes)) == ""
