"""A stream of packets, cut anywhere, gives the same packets; a wrong length ends it (RFC 6613, 2.6.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_cluster.radsec.frames import FrameError, Frames


def packet(length: int) -> bytes:
    return b"\x01\x02" + length.to_bytes(2, "big") + bytes(length - 4)


@given(st.lists(st.integers(20, 4096), max_size=6), st.lists(st.integers(1, 5000), min_size=1, max_size=40))
def test_pieces_do_not_matter(lengths: list[int], pieces: list[int]) -> None:
    wanted = [packet(length) for length in lengths]
    stream, frames, got = b"".join(wanted), Frames(), []
    at = turn = 0
    while at < len(stream):
        size = pieces[turn % len(pieces)]
        got += frames.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert got == wanted
    assert frames.is_empty


@pytest.mark.parametrize("length", [0, 19, 4097, 65535])
def test_a_length_that_no_packet_has(length: int) -> None:
    frames = Frames()
    assert frames.feed(b"\x01\x02") == []
    with pytest.raises(FrameError, match=str(length)):
        frames.feed(length.to_bytes(2, "big"))


@given(st.binary(max_size=200))
def test_no_more_is_kept_than_a_packet(data: bytes) -> None:
    frames = Frames()
    try:
        for _ in range(100):
            frames.feed(data)
    except FrameError:
        return
    assert len(frames._rest) <= 4096 + len(data)
