"""Agent-Circuit-Id of logins, on golden packets: what a binding learns and compares (SUB-8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_cluster.wire import attributes as encode
from radius_cluster.wire.access_loop import circuit_of
from radius_cluster.wire.packet import Packet, parse, verify_request
from tests.golden.read import read_golden

LOGINS = read_golden("access-loops.txt")


@pytest.mark.parametrize("title", LOGINS)
def test_circuits(title: str) -> None:
    packet = parse(LOGINS[title])
    assert isinstance(packet, Packet)
    assert verify_request(packet, b"radius-secret", True) == ""
    assert circuit_of(packet) == title.partition(" ->")[2].strip()


def packet_of(circuit: bytes, remote: bytes = b"") -> Packet:
    told = encode.vendor(3561, 1, circuit) + (encode.vendor(3561, 2, remote) if remote else b"")
    packet = parse(b"\1\1" + (20 + len(told)).to_bytes(2, "big") + bytes(16) + told)
    assert isinstance(packet, Packet)
    return packet


@given(st.binary(min_size=1, max_size=63), st.binary(max_size=63))
def test_any_octets_are_a_text_that_can_be_bound(circuit: bytes, remote: bytes) -> None:
    text = circuit_of(packet_of(circuit, remote))
    assert len(text) <= 120
    assert text.isprintable()
    assert text == text.strip()


@given(st.integers(0, 4095), st.integers(0, 255), st.integers(0, 255), st.binary(min_size=6, max_size=6))
def test_each_port_of_each_switch_is_one_line(vlan: int, module: int, port: int, switch: bytes) -> None:
    circuit = b"\0\4" + vlan.to_bytes(2, "big") + bytes((module, port))
    assert circuit_of(packet_of(circuit, b"\0\6" + switch)).startswith(f"{module}/{port}:{vlan} ")
    other = bytes((switch[0] ^ 1, *switch[1:]))
    assert circuit_of(packet_of(circuit, b"\0\6" + switch)) != circuit_of(packet_of(circuit, b"\0\6" + other))
