"""CoA and Disconnect through a router's own connection (RFC 6614, 2.6; RFC 5176): packets come from a coa process of
this host or of another, and their answers go back to it."""

import asyncio
import time
from typing import Final

from radius_cluster.listen.node_link import NodeLink
from radius_cluster.listen.peers import ASK, COA_PREFIX, HOLDS, LOST, REPLY, Peers
from radius_cluster.radsec.connection import Connection
from radius_cluster.radsec.holdings import encode_holdings
from radius_cluster.radsec.hub import Hub

_REMEMBER_SECONDS: Final = 15.0
_TELL_AFTER_SECONDS: Final = 0.05


class WayBack:
    """One per process."""

    def __init__(self, hub: Hub, peers: Peers, link: NodeLink | None = None) -> None:
        self._hub = hub
        self._link = link
        self._peers = peers
        # (router, identifier) → the coa processes that wait for an answer to it, and since when. Those of two hosts may
        # choose the same identifier: each gets the answers, and knows its own by the authenticator.
        self._askers: dict[tuple[int, int], dict[str, float]] = {}
        hub.on_answer = self._on_answer
        self._telling = False
        hub.on_change = self._tell_soon

    def tell(self) -> None:
        """Say which routers are connected here; now and then also without a change, for a coa process that is new."""
        for body in encode_holdings(self._hub.by_nas):
            for peer in self._peers.names(COA_PREFIX):
                self._peers.send(peer, HOLDS, body)
            if self._link is not None:
                for other in self._link.names(COA_PREFIX):
                    self._link.send(other, HOLDS, body)
        old = time.monotonic() - _REMEMBER_SECONDS
        for key in [key for key, waiting in self._askers.items() if max(waiting.values()) < old]:
            del self._askers[key]

    def _tell_soon(self) -> None:
        """Thousands of routers may connect at once: they are told together."""
        if not self._telling:
            self._telling = True
            asyncio.get_running_loop().call_later(_TELL_AFTER_SECONDS, self._tell_now)

    def _tell_now(self) -> None:
        self._telling = False
        if not self._peers.is_closed:
            self.tell()

    def on_message(self, sender: str, kind: int, body: bytes) -> None:
        """A request of a coa process: 4 octets of router, then the packet."""
        if kind != ASK or len(body) < 24:
            return
        nas_id = int.from_bytes(body[:4], "big")
        connections = [one for one in self._hub.by_nas.get(nas_id, ()) if one.is_open]
        if not connections:  # it went away meanwhile, and may come back, or to another process
            self._send(sender, LOST, body[:24])
            return
        packet = body[4:]
        self._askers.setdefault((nas_id, packet[1]), {})[sender] = time.monotonic()
        # The one that was heard last, of several the newest: another may be of a line that is cut.
        way = max(reversed(connections), key=lambda connection: connection.heard_at)
        way.send(packet, way.source)

    def _on_answer(self, connection: Connection, packet: bytes) -> None:
        assert connection.nas is not None
        body = connection.nas.id.to_bytes(4, "big") + packet
        for asker in self._askers.get((connection.nas.id, packet[1]), ()):
            self._send(asker, REPLY, body)

    def _send(self, other: str, kind: int, body: bytes) -> None:
        if not self._peers.send(other, kind, body) and self._link is not None:
            self._link.send(other, kind, body)
