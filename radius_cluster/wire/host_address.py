"""The subscriber's IPv4 address in a request, wherever the vendor puts it."""

import re
from typing import Final

from radius_cluster.wire.codes import FRAMED_IP_ADDRESS, VENDOR_H3C, VENDOR_SPECIFIC
from radius_cluster.wire.packet import Packet

_H3C_IP_HOST_ADDRESS: Final = 60
_DOTTED: Final = re.compile(rb"\s*(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\d.])")


def framed_ip(packet: Packet) -> str:
    """Framed-IP-Address; H3C's Ip-Host-Addr ("address mac") where that is missing; "" for none."""
    value = packet.attributes.get(FRAMED_IP_ADDRESS)
    if value is not None and len(value) == 4:
        return f"{value[0]}.{value[1]}.{value[2]}.{value[3]}"
    if VENDOR_SPECIFIC in packet.attributes:
        found = _DOTTED.match(packet.vendor(VENDOR_H3C, _H3C_IP_HOST_ADDRESS) or b"")
        if found and all(int(part) < 256 for part in found.groups()):
            return ".".join(str(int(part)) for part in found.groups())
    return ""
