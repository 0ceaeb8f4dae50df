"""The subscriber's line as the access node names it (DHCP option 82, the PPPoE intermediate agent): Agent-Circuit-Id.

For routers that say so instead of a NAS-Port-Id (SUB-8).
"""

from typing import Final

from radius_cluster.wire.codes import VENDOR_SPECIFIC
from radius_cluster.wire.packet import Packet

_LONGEST: Final = 120  # what an account's binding holds
_CISCO_PAIR: Final = (9, 1)
_CIRCUIT_PAIR: Final = b"circuit-id-tag="
_REMOTE: Final = (3561, 2)  # ADSL-Agent-Remote-Id
_CIRCUITS: Final = frozenset(
    (
        (3561, 1),  # ADSL-Agent-Circuit-Id (RFC 4679): MikroTik's DHCP server, Huawei, Juniper, Nokia, Cisco and others
        (2352, 97),  # Agent-Circuit-Id (Redback, Ericsson)
        (4874, 110),  # ERX-Acc-Loop-Cir-Id
        (43823, 39),  # VasExperts-DHCP-RelayCircuitId
    )
)
# What switches write by themselves: kind 0, four octets: VLAN, module, port. It names no switch, the remote id does:
# kind 0, six octets: its MAC; kind 1: a text. Where a sub-option's own head (1 or 2, its length) comes along, it goes.
_SWITCH_PORT: Final = b"\x00\x04"
_SWITCH_PORT_OCTETS: Final = 6
_SWITCH_MAC: Final = b"\x00\x06"


def circuit_of(packet: Packet) -> str:
    """The line, as a binding learns it and compares it as a whole; "" where nothing names it.

    A text stays as it is. A switch's own octets become ``module/port:vlan``, and the switch; others are in hexadecimal.
    """
    if VENDOR_SPECIFIC not in packet.places:
        return ""
    circuit = remote = b""
    for vendor, number, value in packet.vendor_attributes():
        key = (vendor, number)
        if key in _CIRCUITS:
            circuit = circuit or value
        elif key == _CISCO_PAIR and value.startswith(_CIRCUIT_PAIR):
            circuit = circuit or value[len(_CIRCUIT_PAIR) :]
        elif key == _REMOTE:
            remote = remote or value
    return _shown(circuit, remote)[:_LONGEST].strip() if circuit else ""


def _shown(circuit: bytes, remote: bytes) -> str:
    circuit = _without_head(circuit, 1)
    if len(circuit) == _SWITCH_PORT_OCTETS and circuit.startswith(_SWITCH_PORT):
        remote = _without_head(remote, 2)
        own = remote[2:].hex() if remote.startswith(_SWITCH_MAC) else _text_or_digits(_without_kind(remote))
        return f"{circuit[4]}/{circuit[5]}:{int.from_bytes(circuit[2:4], 'big')} {own}"
    return _text_or_digits(_without_kind(circuit))


def _without_head(value: bytes, option: int) -> bytes:
    return value[2:] if len(value) > 2 and value[0] == option and value[1] == len(value) - 2 and value[2] < 2 else value


def _without_kind(value: bytes) -> bytes:
    return value[2:] if len(value) > 2 and value[0] < 2 and value[1] == len(value) - 2 else value


def _text_or_digits(value: bytes) -> str:
    """A text that people can read and type; else the octets in hexadecimal."""
    try:
        text = value.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return value.hex()
    return text if text.isprintable() else value.hex()
