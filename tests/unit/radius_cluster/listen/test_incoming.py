"""Datagrams that were read many at a time are those that recvfrom would have given."""

import socket
from collections.abc import Iterator

import pytest

from radius_cluster.listen.duplicates import mark_of
from radius_cluster.listen.incoming import AT_ONCE, Incoming

LARGEST = 4097


@pytest.fixture(params=[("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)], ids=["IPv4", "IPv6"])
def sockets(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """(a port that is read from, a router)."""
    address, family = request.param
    with socket.socket(family, socket.SOCK_DGRAM) as port, socket.socket(family, socket.SOCK_DGRAM) as router:
        try:
            port.bind((address, 0))
            router.bind((address, 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        port.setblocking(False)
        yield port, router


def test_all_are_read_with_their_sender(sockets: tuple[socket.socket, socket.socket]) -> None:
    port, router = sockets
    incoming = Incoming(port, LARGEST)
    sent = [bytes((number,)) * (number * 40) for number in range(AT_ONCE + 10)]
    for data in sent:
        router.sendto(data, port.getsockname())
    first, second = incoming.read(), incoming.read()
    assert len(first) == AT_ONCE
    assert [data for data, _, _ in first + second] == sent
    assert {source for _, source, _ in first + second} == {router.getsockname()}
    assert [key for _, _, key in first + second] == [mark_of(router.getsockname()) + data[:20] for data in sent]
    assert incoming.read() == []


def test_of_an_over_long_one_it_reads_so_much_that_this_is_seen(sockets: tuple[socket.socket, socket.socket]) -> None:
    port, router = sockets
    router.sendto(bytes(9000), port.getsockname())
    router.sendto(b"next", port.getsockname())
    assert [len(data) for data, _, _ in Incoming(port, LARGEST).read()] == [LARGEST, 4]


def test_each_sender_is_one_object(sockets: tuple[socket.socket, socket.socket]) -> None:
    port, router = sockets
    incoming = Incoming(port, LARGEST)
    router.sendto(b"one", port.getsockname())
    router.sendto(b"two", port.getsockname())
    (_, one, _), (_, two, _) = incoming.read()
    assert one is two
    answer = b"answer"
    port.sendto(answer, one)
    router.settimeout(5)
    assert router.recv(100) == answer
