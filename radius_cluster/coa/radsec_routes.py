"""Which routers can be asked through a RadSec connection, and by which process of which host (radsec/way_back.py)."""

import os
import socket
import time
from pathlib import Path
from typing import Final

import structlog

from radius_cluster.coa.exchange import Exchange
from radius_cluster.listen.node_link import NodeLink
from radius_cluster.listen.peers import ASK, COA_PREFIX, HOLDS, LOST, REPLY, Peers, owner_name
from radius_cluster.radsec.holdings import Holdings

LOG = structlog.get_logger(__name__)
_FRESH_SECONDS: Final = 6.0  # a living process speaks up every two
_FORGET_SECONDS: Final = 60.0


class RadsecRoutes:
    """Without :meth:`open` no router has a connection."""

    def __init__(self) -> None:
        self._told: dict[str, Holdings] = {}  # by process
        self._heard_at: dict[str, float] = {}
        self._peers: Peers | None = None
        self._exchange: Exchange | None = None
        self._link: NodeLink | None = None

    def open(self, run_folder: Path, exchange: Exchange, link: tuple[bytes, str] | None = None) -> NodeLink | None:
        """Begin to listen; for processes of other hosts, too, when ``link`` has the key and this host's address.

        A folder that cannot be written leaves UDP as the only way.
        """
        self._exchange = exchange
        exchange.send_radsec = self._send
        name = COA_PREFIX + owner_name(socket.gethostname(), os.getpid())
        try:
            self._peers = Peers(run_folder, name, self._on_message)
            self._link = None if link is None else NodeLink(link[0], name, link[1], self._on_message)
        except OSError as error:
            LOG.warning("coa_without_radsec", error=str(error))
        return self._link

    def close(self) -> None:
        """Listen no more."""
        if self._peers is not None:
            self._peers.close()
        if self._link is not None:
            self._link.close()

    def has(self, nas_id: int) -> bool:
        """Whether the router has a connection open."""
        return bool(self._process_of(nas_id))

    def _process_of(self, nas_id: int) -> str:
        young = time.monotonic() - _FRESH_SECONDS
        for process, told in self._told.items():
            if nas_id in told.routers and self._heard_at.get(process, 0.0) > young:
                return process
        return ""

    def _forget_the_dead(self) -> None:
        """Each process that is started has another name."""
        old = time.monotonic() - _FORGET_SECONDS
        for process in [one for one in self._told if self._heard_at.get(one, 0.0) < old]:
            del self._told[process]
            self._heard_at.pop(process, None)

    def _send(self, nas_id: int, request: bytes) -> bool:
        process = self._process_of(nas_id)
        body = nas_id.to_bytes(4, "big") + request
        if not process or self._peers is None:
            return False
        return self._peers.send(process, ASK, body) or (self._link is not None and self._link.send(process, ASK, body))

    def _on_message(self, sender: str, kind: int, body: bytes) -> None:
        if kind == HOLDS:
            if sender not in self._told:
                self._forget_the_dead()
                self._told[sender] = Holdings()
            if self._told[sender].take(body):
                self._heard_at[sender] = time.monotonic()
            return
        nas_id, data = int.from_bytes(body[:4], "big"), body[4:]
        if self._exchange is None or not data:
            return
        if kind == REPLY:
            self._exchange.on_radsec(nas_id, data)
        elif kind == LOST:
            if sender in self._told:
                self._told[sender].routers -= {nas_id}
            self._exchange.lost_radsec(nas_id, data)
