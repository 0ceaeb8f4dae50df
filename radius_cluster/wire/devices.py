"""The device that calls (SUB-8): its MAC, wherever the router writes it."""

from typing import Final

from radius_cluster.wire.codes import CALLING_STATION_ID, VENDOR_SPECIFIC
from radius_cluster.wire.mac_address import normalise_mac
from radius_cluster.wire.packet import Packet

_CISCO_PAIR: Final = (9, 1)
_CLIENT_MAC: Final = b"client-mac-address="  # beside a Calling-Station-Id that names the port, or none (IOS)
_OTHERS: Final = frozenset(
    (
        (2011, 60),  # Huawei-IPHost-Addr: address and MAC
        (2011, 153),  # Huawei-User-Mac
        (4874, 56),  # ERX-Dhcp-Mac-Addr
        (6527, 27),  # Alc-Client-Hardware-Addr
        (25506, 60),  # H3C-Ip-Host-Addr: address and MAC
    )
)


def device_of(packet: Packet) -> str:
    """``aa:bb:cc:dd:ee:ff``, "" when the packet names no device."""
    return normalise_mac(packet.text(CALLING_STATION_ID)) or device_of_vendor(packet)


def device_of_vendor(packet: Packet) -> str:
    """What vendors' own attributes say, for makes whose Calling-Station-Id is no MAC."""
    if VENDOR_SPECIFIC not in packet.places:
        return ""
    for vendor, number, value in packet.vendor_attributes():
        found = b""
        if (vendor, number) == _CISCO_PAIR:
            if value.startswith(_CLIENT_MAC):
                found = value[len(_CLIENT_MAC) :]
        elif (vendor, number) in _OTHERS:
            found = value.split()[-1] if value.strip() else b""
        mac = normalise_mac(found.decode("ascii", "replace")) if found else ""
        if mac:
            return mac
    return ""
