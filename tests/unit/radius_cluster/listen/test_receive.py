"""The end of a socket's reading."""

import asyncio
import socket
from typing import Any

from radius_cluster.counters import Counters
from radius_cluster.listen.incoming import AT_ONCE
from radius_cluster.listen.receive import Receiver
from radius_cluster.routing.directory import Directory


class Flood:
    """A socket that always has more."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> list[tuple[bytes, tuple[Any, ...], bytes]]:
        self.reads += 1
        return [(b"x", ("192.0.2.1", 1), b"key")] * AT_ONCE


def test_a_flood_does_not_keep_a_process_from_ending() -> None:
    async def story() -> tuple[int, int]:
        counters, flood = Counters(), Flood()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            receiver = Receiver(opened, "auth", Directory(), counters, {})
            receiver._incoming = flood  # type: ignore[assignment]
            receiver.start()
            receiver.stop_reading()
            receiver.stop_reading()
        return flood.reads, sum(counters.nobody.values())

    reads, counted = asyncio.run(story())
    assert reads == 2_000  # once
    assert counted == reads * AT_ONCE  # what had come by then is not lost
