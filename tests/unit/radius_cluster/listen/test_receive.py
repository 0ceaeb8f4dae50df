"""The end of a socket's reading."""

import asyncio
import socket
from typing import Any

from radius_cluster.counters import Counters
from radius_cluster.listen.behind_balancer import BalancedReceiver
from radius_cluster.listen.duplicates import mark_of
from radius_cluster.listen.incoming import AT_ONCE
from radius_cluster.listen.receive import Receiver
from radius_cluster.routing.directory import Directory
from radius_cluster.wire.proxy_protocol import TrustedBalancers, encode_proxy_header


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


def test_at_its_end_a_process_keeps_repeats_that_come_through_a_balancer_and_hands_over_the_rest() -> None:
    """Else another process would decide anew what is decided here: a second wrong password, an EAP step out of turn."""
    balancer, router = ("192.0.2.9", 700), ("203.0.113.1", 1812)
    header = encode_proxy_header(router, ("192.0.2.1", 1812), datagram=True)
    known, new = (bytes((1, number)) + b"\0\x14" + bytes(16) for number in (1, 2))
    datagrams = [header + known, header + new, known, header[:20]]
    handed: list[bytes] = []
    repeated: list[tuple[bytes, tuple[Any, ...]]] = []

    def hand_over(_kind: str, data: bytes, _source: tuple[Any, ...]) -> bool:
        handed.append(data)
        return True

    async def story() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            parts = opened, "auth", Directory(), Counters(), {}
            receiver = BalancedReceiver(*parts, balancers=TrustedBalancers(balancer[0]))
            receiver._repeat = lambda data, source, *_: repeated.append((data, source))  # type: ignore[method-assign]
            receiver.hand_over = hand_over
            receiver.duplicates.begin(mark_of((*router, balancer)) + known[:20])
            receiver._take_all([(data, balancer, mark_of(balancer) + data[:20]) for data in datagrams], 0.0)

    asyncio.run(story())
    assert repeated == [(known, (*router, balancer))]
    assert handed == [header + new, known, header[:20]]
