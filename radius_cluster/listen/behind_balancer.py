"""The UDP port behind load balancers: each datagram of theirs begins with a PROXY header (RAD-1).

Only built when the installation names balancers, so that the plain receiver pays nothing for it.
"""

from typing import Any, Final

from radius_cluster.counters import Refusal, dropped
from radius_cluster.listen.duplicates import Key, mark_of
from radius_cluster.listen.incoming import Source
from radius_cluster.listen.receive import LARGEST_DATAGRAM, Receiver
from radius_cluster.wire.proxy_protocol import (
    BAD_HEADER,
    LARGEST_HEADER,
    ProxyHeader,
    TrustedBalancers,
    read_proxy_header,
)

_WITH_BALANCER: Final = 3  # (address, port, the balancer's socket address); a plain source has two or four parts


class BalancedReceiver(Receiver):
    """Answers go back to the balancer; the router is known, counted and shown by its own address."""

    largest_datagram = LARGEST_DATAGRAM + LARGEST_HEADER

    def __init__(self, *arguments: Any, balancers: TrustedBalancers, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._balancers = balancers

    def take(self, data: bytes, source: tuple[Any, ...], now: float, key: Key = b"") -> None:
        """One datagram, as :meth:`Receiver.take`; a balancer's without a readable header is dropped."""
        if len(source) == _WITH_BALANCER:  # handed over by another process, which has read the header
            super().take(data, (source[0], source[1], tuple(source[2])), now)
            return
        plain = self._without_header(data, source, key)
        if plain is None:
            self._drop_header(data, source, now)
        else:
            data, source, key = plain
            super().take(data, source, now, key)

    def _take_or_hand_over(self, data: bytes, source: tuple[Any, ...], now: float, key: Key) -> None:
        """A repeat of what this process has is known by what follows the header; whoever gets others reads theirs."""
        plain = self._without_header(data, source, key)
        if plain is not None and plain[2] in self.duplicates.answers:
            super().take(plain[0], plain[1], now, plain[2])
        else:
            super()._take_or_hand_over(data, source, now, key)

    def _without_header(self, data: bytes, source: Source, key: Key) -> tuple[bytes, Source, Key] | None:
        """The packet, who sent it, and its key; None where a balancer's header is missing."""
        if source[0] not in self._balancers:
            return data, source, key
        header = read_proxy_header(data)
        if not isinstance(header, ProxyHeader):
            return None
        data = data[header.octets :]
        if header.source is not None:
            source = (*header.source, source)
        return data, source, mark_of(source) + data[:20]

    def send(self, reply: bytes, destination: tuple[Any, ...]) -> None:
        """Send a datagram to the router, through its balancer where it has one."""
        super().send(reply, destination[2] if len(destination) == _WITH_BALANCER else destination)

    def _drop_header(self, data: bytes, source: tuple[Any, ...], now: float) -> None:
        self._counters.count_nobody(0, dropped(self.kind, BAD_HEADER))
        shown = f"{source[0]}:{source[1]}"
        self._counters.refuse(Refusal(0, None, "", shown, data[0] if data else 0, BAD_HEADER, "", None, "", "", now))
