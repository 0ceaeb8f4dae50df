"""A packet of a known shape is read as if it came for the first time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_cluster.wire import fields, shapes
from radius_cluster.wire.fields import Fields
from radius_cluster.wire.packet import Packet, parse
from tests.golden.read import read_golden

REQUESTS = read_golden("requests.txt")
ATTRIBUTE = st.tuples(st.integers(1, 255), st.binary(max_size=20))
FIELDS = Fields(numbers=(5, 46), values=(1, 44))


@pytest.fixture(autouse=True)
def forget() -> None:
    shapes._shapes.clear()


def packet_of(attributes: list[tuple[int, bytes]], authenticator: bytes = bytes(16)) -> bytes:
    body = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in attributes)
    return b"\x04\x01" + (20 + len(body)).to_bytes(2, "big") + authenticator + body


def read(data: bytes) -> Packet:
    found = parse(data)
    assert isinstance(found, Packet)
    return found


def learnt(data: bytes) -> Packet:
    first = read(data)
    shapes.learn(data, first.places, first.message_authenticator_at)
    return first


@pytest.mark.parametrize("title", REQUESTS)
def test_the_second_packet_reads_like_the_first(title: str) -> None:
    data = REQUESTS[title]
    first = learnt(data)
    again = read(data[:4] + bytes(16) + data[20:])
    assert again.shaped == (len(data) >= 40)
    assert again.attributes == first.attributes
    assert again.message_authenticator_at == first.message_authenticator_at


@pytest.mark.parametrize("name", [b"u1", b"u000001", b"u000001@provider.example"])
@pytest.mark.parametrize("first", [[], [(80, bytes(16))], [(4, bytes(4))]])
def test_what_a_packet_says_is_no_part_of_its_shape(name: bytes, first: list[tuple[int, bytes]]) -> None:
    """Wherever the name and the password stand: each packet had become a shape of its own, five times as dear."""
    for number in range(1, 5):
        password = bytes((number,)) * 16
        again = learnt(packet_of([*first, (1, name), (2, password), (31, b"02:00:00:00:00:0%d" % number)]))
        assert again.shaped == (number > 1)
    assert len(shapes._shapes) == 1


def test_packets_of_one_length_with_other_places_are_known_side_by_side() -> None:
    packets = [packet_of([(6, bytes(4)), (7, bytes(4)), (1, b"u" * at), (44, b"s" * (20 - at))]) for at in range(1, 7)]
    for data in packets:
        assert not learnt(data).shaped
    for data in packets:
        again = read(data)
        assert again.shaped
        assert again.places == {6: slice(22, 26), 7: slice(28, 32), 1: again.places[1], 44: again.places[44]}
        assert again.attributes[1] == b"u" * len(again.attributes[1])
        assert again.attributes[44] == b"s" * (20 - len(again.attributes[1]))


def test_more_shapes_of_a_likeness_than_are_kept_are_seldom_learnt() -> None:
    def one(size: int, chance: int) -> bytes:
        values = [(6, bytes(4)), (7, bytes(4)), (1, b"u" * size), (44, b"s" * (40 - size))]
        return packet_of(values, bytes(15) + bytes((chance,)))

    for size in range(1, 9):
        learnt(one(size, 1))
    learnt(one(9, 1))
    assert not read(one(9, 1)).shaped
    assert read(one(1, 1)).shaped
    learnt(one(9, 16))
    assert read(one(9, 1)).shaped
    assert not read(one(1, 1)).shaped
    assert [len(alike) for alike in shapes._shapes.values()] == [8]


@given(st.lists(ATTRIBUTE, max_size=8), st.lists(ATTRIBUTE, max_size=8))
def test_a_shape_fits_only_packets_that_are_built_like_it(
    one: list[tuple[int, bytes]], other: list[tuple[int, bytes]]
) -> None:
    shapes._shapes.clear()
    unknown = parse(packet_of(other))
    known = parse(packet_of(one))
    if isinstance(known, Packet):
        shapes.learn(known.raw, known.places, known.message_authenticator_at)
    found = parse(packet_of(other))
    if isinstance(unknown, str) or isinstance(found, str):
        assert found == unknown
    else:
        assert found.attributes == unknown.attributes
        assert found.message_authenticator_at == unknown.message_authenticator_at


def test_lengths_that_go_past_the_end_are_seen_whatever_shape_is_known() -> None:
    good = packet_of([(1, b"alice" * 3), (5, b"1234"), (44, b"abcd")])
    learnt(good)
    assert parse(good[:-6] + bytes((44, 7)) + good[-4:]) == "bad_attribute"


@pytest.mark.parametrize("shaped", [False, True])
def test_fields_are_read_in_the_order_asked_for(shaped: bool) -> None:
    data = packet_of([(44, b"session-0001"), (46, b"\0\0\1\0"), (1, b"alice"), (5, b"\1\2\3")])
    if shaped:
        learnt(data)
    packet = read(data)
    assert packet.shaped == shaped
    for _ in range(2):  # the second time with the reader of the first
        assert FIELDS.of(packet) == (None, 256, b"alice", b"session-0001")  # a number has four octets


def test_fields_of_a_packet_that_has_none() -> None:
    assert FIELDS.of(read(packet_of([]))) == (None, None, None, None)


def test_memory_of_shapes_and_readers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "_MOST_LIKENESSES", 3)
    monkeypatch.setattr(fields, "_MOST_READERS", 2)
    chosen = Fields(numbers=(5,), values=(1,))
    for size in range(20, 30):
        data = packet_of([(1, b"u" * size), (5, bytes((0, 0, 0, size)))])
        assert chosen.of(read(data)) == (size, b"u" * size)  # the first of its kind is read, too …
        learnt(data)
        for _ in range(2):
            again = read(data)
            assert again.shaped
            assert chosen.of(again) == (size, b"u" * size)
            assert id(again.places) in chosen._readers  # … and how to read those that follow is kept
        assert len(shapes._shapes) <= 3
        assert len(chosen._readers) <= 2


def test_packets_of_no_known_shape_leave_nothing_behind() -> None:
    chosen = Fields(numbers=(5,), values=(1,))
    for size in range(20, 30):
        chosen.of(read(packet_of([(1, b"u" * size)])))
    assert chosen._readers == {}


def test_a_cut_or_padded_packet_is_not_of_the_shape() -> None:
    data = packet_of([(1, b"u" * 30), (44, b"s" * 30)])
    learnt(data)
    assert shapes.find(data) is not None
    for other in (data[:-1], data[:40], data + b"x", data + data):
        assert shapes.find(other) is None
