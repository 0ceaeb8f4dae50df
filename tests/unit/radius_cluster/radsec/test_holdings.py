"""The list of a RadSec process's routers, also when it has thousands of them."""

from radius_cluster.listen.peers import _LARGEST_MESSAGE
from radius_cluster.radsec.holdings import Holdings, encode_holdings


def test_thousands_of_routers_fit_into_messages() -> None:
    bodies = encode_holdings(range(1, 8_193))
    assert max(map(len, bodies)) < _LARGEST_MESSAGE - 1_000  # with names, and the seal between hosts
    told = Holdings()
    assert [told.take(body) for body in bodies] == [False] * (len(bodies) - 1) + [True]
    assert told.routers == frozenset(range(1, 8_193))
    assert [told.take(body) for body in encode_holdings([])] == [True]
    assert told.routers == frozenset()


def test_a_lost_part_leaves_what_was_known() -> None:
    told = Holdings()
    assert told.take(*encode_holdings([7]))
    first, _, last = encode_holdings(range(4_000))
    assert not told.take(first)
    assert not told.take(last)
    assert told.routers == {7}
    assert [told.take(body) for body in encode_holdings(range(4_000))][-1]
    assert len(told.routers) == 4_000


def test_parts_of_two_lists_are_never_put_together() -> None:
    told = Holdings()
    assert told.routers == frozenset()
    old, new = encode_holdings(range(1, 4_001)), encode_holdings(range(10_001, 14_001))
    assert not told.take(old[1])  # the first part was lost
    assert not told.take(old[2])
    assert told.routers == frozenset()
    assert not told.take(old[0])
    assert not told.take(old[2])  # the second one was
    assert not told.take(new[1])  # now the first
    assert not told.take(new[2])
    assert told.routers == frozenset()
    assert not told.take(old[0])
    assert [told.take(body) for body in new] == [False, False, True]  # a new list begins
    assert told.routers == frozenset(range(10_001, 14_001))
    assert not told.take(new[1])  # what follows a whole list is nothing
    assert told.routers == frozenset(range(10_001, 14_001))
