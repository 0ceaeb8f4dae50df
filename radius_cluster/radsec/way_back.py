"""CoA and Disconnect through a router's own connection (RFC 6614, 2.6; RFC 5176): packets come from a coa process of
this host or of another, and their answers go back to it."""

import json
import time
from typing import Final

from radius_cluster.listen.node_link import NodeLink
from radius_cluster.listen.peers import ASK, COA_PREFIX, HOLDS, REPLY, Peers
from radius_cluster.radsec.connection import Connection
from radius_cluster.radsec.hub import Hub

_REMEMBER_SECONDS: Final = 15.0


class WayBack:
    """One per process."""

    def __init__(self, hub: Hub, peers: Peers, link: NodeLink | None = None) -> None:
        self._hub = hub
        self._link = link
        self._peers = peers
        self._askers: dict[tuple[int, int], tuple[str, float]] = {}  # (router, identifier) → (coa process, when)
        hub.on_answer = self._on_answer
        hub.on_change = self.tell

    def tell(self) -> None:
        """Say which routers are connected here; now and then also without a change, for a coa process that is new."""
        body = json.dumps(sorted(self._hub.by_nas)).encode()
        for peer in self._peers.names(COA_PREFIX):
            self._peers.send(peer, HOLDS, body)
        if self._link is not None:
            for other in self._link.names(COA_PREFIX):
                self._link.send(other, HOLDS, body)
        old = time.monotonic() - _REMEMBER_SECONDS
        for key in [key for key, (_, at) in self._askers.items() if at < old]:
            del self._askers[key]

    def on_message(self, sender: str, kind: int, body: bytes) -> None:
        """A request of a coa process: 4 octets of router, then the packet."""
        if kind != ASK or len(body) < 24:
            return
        nas_id = int.from_bytes(body[:4], "big")
        connections = self._hub.by_nas.get(nas_id)
        if not connections:
            self.tell()  # it went away meanwhile
            return
        packet = body[4:]
        self._askers[nas_id, packet[1]] = (sender, time.monotonic())
        newest = connections[-1]
        newest.send(packet, newest.source)

    def _on_answer(self, connection: Connection, packet: bytes) -> None:
        assert connection.nas is not None
        asker = self._askers.pop((connection.nas.id, packet[1]), None)
        if asker is not None:
            body = connection.nas.id.to_bytes(4, "big") + packet
            if not self._peers.send(asker[0], REPLY, body) and self._link is not None:
                self._link.send(asker[0], REPLY, body)
