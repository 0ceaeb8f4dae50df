"""Answers leave together where they can, and all of them arrive whole."""

import asyncio
import errno
import socket
from collections.abc import Iterator

import pytest

from radius_cluster.listen.outgoing import Outgoing


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """(a sender, a router)."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as router,
    ):
        router.bind(("127.0.0.1", 0))
        router.settimeout(5)
        yield sender, router


def sent(sender: Outgoing, router: socket.socket, replies: list[bytes]) -> list[bytes]:
    async def send() -> None:
        for reply in replies:
            sender.send(reply, router.getsockname())
        await asyncio.sleep(0)

    asyncio.run(send())
    return sorted(router.recv(5000) for _ in replies)


def test_each_answer_is_a_datagram_of_its_own(sockets: tuple[socket.socket, socket.socket]) -> None:
    replies = [bytes((size, number)) * size for size in (10, 11, 30) for number in range(50)]
    assert sent(Outgoing(sockets[0]), sockets[1], replies) == sorted(replies)


def test_a_shorter_one_closes_a_call(sockets: tuple[socket.socket, socket.socket]) -> None:
    calls: list[int] = []

    class Counting:
        family = socket.AF_INET

        def getsockopt(self, level: int, option: int) -> int:
            return 0

        def sendmsg(self, buffers: tuple[bytes], *_arguments: object) -> int:
            calls.append(len(buffers[0]))
            return len(buffers[0])

        def sendto(self, data: bytes, _destination: object) -> int:
            calls.append(len(data))
            return len(data)

    sender = Outgoing(Counting())  # type: ignore[arg-type]

    async def send() -> None:
        for size in (57, 60, 58, 60, 58, 57):
            sender.send(bytes(size), ("127.0.0.1", 9))
        sender.flush()

    asyncio.run(send())
    assert calls == [60 + 60 + 58, 58 + 57, 57]


def test_large_ones_go_one_by_one(sockets: tuple[socket.socket, socket.socket]) -> None:
    replies = [bytes((number,)) * 4000 for number in range(5)]
    assert sent(Outgoing(sockets[0]), sockets[1], replies) == replies


class _Refusing:
    """A socket whose device cannot cut texts into datagrams."""

    family = socket.AF_INET

    def __init__(self, opened: socket.socket) -> None:
        self._opened = opened
        self.calls = 0

    def getsockopt(self, level: int, option: int) -> int:
        return 0

    def sendmsg(self, *_arguments: object) -> int:
        self.calls += 1
        raise OSError(errno.EIO, "no checksums here")

    def sendto(self, data: bytes, destination: tuple[str, int]) -> int:
        return self._opened.sendto(data, destination)


def test_a_device_that_cannot_gets_them_one_by_one(sockets: tuple[socket.socket, socket.socket]) -> None:
    refusing = _Refusing(sockets[0])
    sender = Outgoing(refusing)  # type: ignore[arg-type]
    replies = [bytes((number,)) * 20 for number in range(10)]
    assert sent(sender, sockets[1], replies) == replies
    assert sent(sender, sockets[1], replies) == replies
    assert refusing.calls == 1


def test_what_cannot_be_sent_is_counted(sockets: tuple[socket.socket, socket.socket]) -> None:
    sender = Outgoing(sockets[0])
    sockets[0].close()

    async def send() -> None:
        sender.send(b"x", ("127.0.0.1", 9))

    asyncio.run(send())
    assert sender.failures == 1
