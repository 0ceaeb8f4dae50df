"""Messages between hosts: only those of the installation, and only young ones."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from radius_cluster.listen import node_link
from radius_cluster.listen.node_link import NodeLink

KEY = bytes(range(32))
Heard = list[tuple[str, int, bytes]]


def run(story: Callable[[NodeLink, NodeLink, Heard], Awaitable[None]], other_key: bytes = KEY) -> Heard:
    """Two processes that know each other; what the second one heard."""
    heard: Heard = []

    async def play() -> None:
        east = NodeLink(other_key, "east:1", "127.0.0.1", lambda *_: None)
        west = NodeLink(KEY, "coa@west:2", "127.0.0.1", lambda *message: heard.append(message))
        try:
            rows = {("radius", "east:1"): east.shown, ("coa", "west:2"): west.shown, ("web", "west:3"): west.shown}
            east.learn(rows)
            west.learn(rows)
            await story(east, west, heard)
            for _ in range(20):
                await asyncio.sleep(0.005)
                if heard:
                    break
        finally:
            east.close()
            west.close()

    asyncio.run(play())
    return heard


def test_a_message_arrives_with_its_sender() -> None:
    async def story(east: NodeLink, west: NodeLink, _heard: Heard) -> None:
        assert east.names("coa@") == ["coa@west:2"]
        assert west.names("coa@") == []
        assert east.send("coa@west:2", 3, b"body")
        assert not east.send("coa@nobody:1", 3, b"body")

    assert run(story) == [("east:1", 3, b"body")]


@pytest.mark.parametrize("noise", [b"", b"x" * 20, bytes(200)])
def test_strangers_are_not_heard(noise: bytes) -> None:
    async def story(east: NodeLink, west: NodeLink, _heard: Heard) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(noise, ("127.0.0.1", west.port))
        assert east.send("coa@west:2", 3, b"under another key")

    assert run(story, other_key=bytes(32)) == []


def test_old_messages_are_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(east: NodeLink, _west: NodeLink, _heard: Heard) -> None:
        with monkeypatch.context() as earlier:
            earlier.setattr(node_link.time, "time", lambda: 1_000.0)
            assert east.send("coa@west:2", 3, b"long ago")

    assert run(story) == []
