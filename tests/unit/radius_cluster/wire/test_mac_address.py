"""Every notation of a MAC address that routers send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_cluster.wire.mac_address import normalise_mac


@pytest.mark.parametrize(
    "text",
    [
        "aa:bb:cc:dd:ee:0f",
        "AA-BB-CC-DD-EE-0F",
        "aabb.ccdd.ee0f",
        "aabb-ccdd-ee0f",
        "aabb:ccdd:ee0f",
        "aabbcc-ddee0f",
        "aabbccddee0f",
        "AABBCCDDEE0F",
        "aa bb cc dd ee 0f",
        " aa:bb:cc:dd:ee:0f ",
        "aa:bb:cc:dd:ee:f",
        "AA-BB-CC-DD-EE-0F:HotelWLAN",
        "aabb.ccdd.ee0f vlan-id=100",
        "aabbccddee0f/eth1",
        "1:aa:bb:cc:dd:ee:f",  # DHCP clients' identifiers
        "01-AA-BB-CC-DD-EE-0F",
        "01aa.bbcc.ddee.0f",
        "01aabbccddee0f",
    ],
)
def test_notations(text: str) -> None:
    assert normalise_mac(text) == "aa:bb:cc:dd:ee:0f"


@pytest.mark.parametrize(
    "text",
    ["", "alice", "aa:bb:cc:dd:ee", "aa:bb:cc:dd:ee:gg", "aabbccddee0f0", "02aabbccddee0f", "aa:bb-cc:dd:ee", "..."],
)
def test_what_is_none(text: str) -> None:
    assert normalise_mac(text) == ""


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise_mac(text)
    assert normalise_mac(once) == once
