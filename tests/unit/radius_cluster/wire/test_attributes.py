"""Attributes at the limits of their lengths: what does not fit is refused, never cut."""

from ipaddress import IPv4Address

import pytest

from radius_cluster.wire import attributes as encode


def test_the_longest_values() -> None:
    assert encode.octets(1, b"x" * 253) == b"\x01\xff" + b"x" * 253
    assert encode.octets(1, b"x") == b"\x01\x03x"
    assert encode.vendor(311, 7, b"x" * 247) == b"\x1a\xff\x00\x00\x01\x37\x07\xf9" + b"x" * 247
    for value in (b"", b"x" * 254):
        with pytest.raises(ValueError, match=f"1 to 253 octets, not {len(value)}"):
            encode.octets(1, value)
    for value in (b"", b"x" * 248):
        with pytest.raises(ValueError, match=f"1 to 247 octets, not {len(value)}"):
            encode.vendor(311, 7, value)


def test_numbers() -> None:
    assert encode.number(27, 0) == b"\x1b\x06\x00\x00\x00\x00"
    assert encode.number(27, 2**32 - 1) == b"\x1b\x06\xff\xff\xff\xff"
    assert encode.address(8, IPv4Address("10.0.0.7")) == b"\x08\x06\x0a\x00\x00\x07"
    for value in (-1, 2**32):
        with pytest.raises(ValueError, match="does not fit an integer attribute"):
            encode.number(27, value)


@pytest.mark.parametrize("size", [0, 1, 253, 254, 506, 1400])
def test_eap_packets_are_cut_into_attributes(size: int) -> None:
    message = bytes(number % 251 for number in range(size))
    encoded, found, lengths = encode.eap_messages(message), b"", []
    while encoded:
        assert encoded[0] == 79
        lengths.append(encoded[1] - 2)
        found, encoded = found + encoded[2 : encoded[1]], encoded[encoded[1] :]
    assert found == message
    assert lengths == [253] * (size // 253) + [size % 253] * (size % 253 > 0)
