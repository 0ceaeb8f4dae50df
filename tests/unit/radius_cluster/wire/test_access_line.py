"""NAS-Port-Id of the vendors: port and VLANs, and nothing raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_cluster.wire.access_line import AccessLine, parse_nas_port_id


@pytest.mark.parametrize(
    ("text", "port", "outer", "inner"),
    [
        # Huawei, H3C
        ("slot=2;subslot=1;port=22;vlanid=503;", "2/1/22", 503, None),
        ("slot=2;subslot=2;port=22;vlanid=503;vlanid2=100;", "2/2/22", 503, 100),
        ("slot=0; subslot=0; port=3; VLAN ID=0010", "0/0/3", 10, None),
        ("SlotID=01;SubslotID=00;PortNo=002;VlanID=0010", "1/0/2", 10, None),
        ("slot=1;subslot=0;port=7;VPI=8;VCI=35", "1/0/7", 8, 35),
        ("port=7;vlanid=5", "0/0/7", 5, None),
        (" slot=1;port=7 ", "1/0/7", None, None),
        ("slot=1;subslot=0;port=7;vlanid=0;", "1/0/7", None, None),
        ("3/0/1:2814.727", "3/0/1", 2814, 727),
        ("3/0/1:2814", "3/0/1", 2814, None),
        # the Chinese carriers' format (Huawei, ZTE, Cisco format c); 4096 = no tag
        ("eth 31/31/7:1234.2345 0/0/0/0/0/0", "eth 31/31/7", 1234, 2345),
        ("eth 31/31/7:4096.2345 0/0/0/0/0/0", "eth 31/31/7", 2345, None),
        ("trunk 0/0/1:4096.4096 0/0/0/0/0/0", "trunk 0/0/1", None, None),
        ("ETH 1/2/3:100.200 0/0/0/0/0/0", "eth 1/2/3", 100, 200),
        ("eth 1/2/3:100.200 guangzhou001/0/31/63/31/127:1.32", "eth 1/2/3", 100, 200),
        # Juniper, ERX
        ("ge-1/0/3.100:100", "ge-1/0/3", 100, None),
        ("ge-1/0/3.1073741824:100-200", "ge-1/0/3", 100, 200),
        ("gigabitEthernet 2/0/5.30004:3-4", "gigabitEthernet 2/0/5", 3, 4),
        ("isp1#ge-1/0/3.100:100-200#descr", "ge-1/0/3", 100, 200),
        ("ae0.1073741825:7-8", "ae0", 7, 8),
        # Nokia
        ("1/1/4:501.1001", "1/1/4", 501, 1001),
        ("lag-12:1000.20", "lag-12", 1000, 20),
        # Cisco
        ("0/0/1/100", "0/0/1", 100, None),
        ("0/0/1/100.200", "0/0/1", 100, 200),
        ("GigabitEthernet0/0/1.100", "GigabitEthernet0/0/1", 100, None),
        # MikroTik and Linux
        ("ether2", "ether2", None, None),
        ("ether2.100", "ether2", 100, None),
        ("ether2.100.200", "ether2", 100, 200),
        ("ether2.4094", "ether2", 4094, None),
        ("ether2.4095", "ether2.4095", None, None),  # no VLAN has this number
        ("vlan4094", "vlan4094", 4094, None),
        ("vlan4095", "vlan4095", None, None),
        ("vlan100", "vlan100", 100, None),
        ("vlan-100", "vlan-100", 100, None),
        ("svlan100-cvlan200", "svlan100-cvlan200", 100, 200),
        ("pppoe-vlan100", "pppoe-vlan100", 100, None),
        ("bridge1", "bridge1", None, None),
        ("<pppoe-alice>", "<pppoe-alice>", None, None),
        ("", "", None, None),
    ],
)
def test_formats(text: str, port: str, outer: int | None, inner: int | None) -> None:
    assert parse_nas_port_id(text) == AccessLine(port, outer, inner)


def test_keys_and_lengths() -> None:
    assert [AccessLine("p", *vlans).key for vlans in ((None, None), (5, None), (5, 6))] == ["p|.", "p|5.", "p|5.6"]
    assert parse_nas_port_id("  ether2.100\t") == AccessLine("ether2", 100)
    assert parse_nas_port_id("?" * 300) == AccessLine("?" * 253)


def test_key_tells_lines_apart() -> None:
    keys = {
        parse_nas_port_id(f"slot=0;subslot=0;port={p};vlanid={v};vlanid2={w};").key
        for p in (1, 11)
        for v in (1, 11)
        for w in (1, 11)
    }
    assert len(keys) == 8


@given(st.text(max_size=300))
def test_anything_is_a_line(text: str) -> None:
    line = parse_nas_port_id(text)
    assert line.inner_vlan is None or line.outer_vlan is not None
