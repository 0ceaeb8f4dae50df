"""How a login's port is compared with the account's (SUB-8)."""

import pytest

from radius_cluster.process.special_login import comparable_ports
from tenants.access.rules import LEARN

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
