"""How a login's port is compared with the account's (SUB-8)."""

import pytest

from radius_cluster.process.special_login import comparable_line, comparable_ports
from radius_cluster.wire.packet import Packet, parse
from tenants.access.rules import LEARN
from tests.golden.read import read_golden

QINQ = "slot=0;subslot=1;port=7;vlanid=100;vlanid2=200"


@pytest.mark.parametrize(
    ("bound", "port", "same"),
    [
        ("", "ether2", False),
        ("ether2", "ether2", True),
        ("ether2", "ether3", False),
        ("100", "100", True),  # a NAS-Port of the router, literally
        ("100.200", QINQ, True),
        ("100.201", QINQ, False),
        ("100", "ether2.100", True),
        ("100", QINQ, False),  # two tags are not one
        (QINQ, "Slot=0;SubSlot=1;Port=7;VlanID=100;VlanID2=200", True),
        (QINQ, QINQ.replace("port=7", "port=8"), False),
        ("ge-1/0/3.1073741824:100-200", "ge-1/0/3.1073745920:100-200", True),  # Juniper's unit is the session's own
        ("ge-1/0/3.1073741824:100-200", "ge-1/0/3.1073745920:100-201", False),
        ("100", "ether2", False),
    ],
)
def test_port_bindings(bound: str, port: str, same: bool) -> None:
    left, right = comparable_ports(bound, port)
    assert (left == right) is same


def test_what_is_to_be_learned_stays_as_the_router_says_it() -> None:
    assert comparable_ports(LEARN, "ge-1/0/3.1:100-200")[1] == "ge-1/0/3.1:100-200"


LOGINS = read_golden("access-loops.txt")
OLT, SWITCH, BESIDE = (
    next(packet for title, packet in LOGINS.items() if title.startswith(words))
    for words in ("MikroTik DHCP, TR-101", "MikroTik DHCP, a switch", "NAS-Port-Id beside")
)


@pytest.mark.parametrize(
    ("bound", "login", "same"),
    [
        ("OLT1 eth 1/2/3:100.200", OLT, True),
        ("OLT2 eth 1/2/3:100.200", OLT, False),  # the same port of another node
        ("100.200", OLT, True),
        ("100", OLT, False),
        ("15", OLT, True),  # its NAS-Port, to which it was bound before
        ("15", SWITCH, True),
        ("100", SWITCH, True),
        ("0/7:100 001a2b3c4d5e", SWITCH, True),
        ("0/7:100 001a2b3c4d5f", SWITCH, False),
        ("0/7:100", SWITCH, False),
        ("slot=0;subslot=0;port=7;vlanid=100", BESIDE, True),  # where there is a NAS-Port-Id it goes before
        ("OLT1 eth 1/2/3:100", BESIDE, False),
    ],
)
def test_a_circuit_is_compared_as_a_whole(bound: str, login: bytes, same: bool) -> None:
    packet = parse(login)
    assert isinstance(packet, Packet)
    left, right = comparable_line(bound, packet)
    assert (left == right) is same


def test_a_circuit_is_learned() -> None:
    packet = parse(OLT)
    assert isinstance(packet, Packet)
    assert comparable_line(LEARN, packet) == (LEARN, "OLT1 eth 1/2/3:100.200")
