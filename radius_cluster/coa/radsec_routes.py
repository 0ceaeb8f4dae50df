"""Which routers can be asked through a RadSec connection of this host, and by which process (radsec/way_back.py)."""

import json
import os
import socket
import time
from pathlib import Path
from typing import Final

import structlog

from radius_cluster.coa.exchange import Exchange
from radius_cluster.listen.peers import ASK, HOLDS, REPLY, Peers, owner_name

LOG = structlog.get_logger(__name__)
_PREFIX: Final = "coa-"
_FRESH_SECONDS: Final = 6.0  # a living process speaks up every two


class RadsecRoutes:
    """Without :meth:`open` no router has a connection."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[frozenset[int], float]] = {}  # process → (its routers, when it said so)
        self._peers: Peers | None = None
        self._exchange: Exchange | None = None

    def open(self, run_folder: Path, exchange: Exchange) -> None:
        """Begin to listen. A folder that cannot be written leaves UDP as the only way."""
        self._exchange = exchange
        exchange.send_radsec = self._send
        try:
            self._peers = Peers(run_folder, _PREFIX + owner_name(socket.gethostname(), os.getpid()), self._on_message)
        except OSError as error:
            LOG.warning("coa_without_radsec", error=str(error))

    def close(self) -> None:
        """Listen no more."""
        if self._peers is not None:
            self._peers.close()

    def has(self, nas_id: int) -> bool:
        """Whether the router has a connection open."""
        return bool(self._process_of(nas_id))

    def _process_of(self, nas_id: int) -> str:
        young = time.monotonic() - _FRESH_SECONDS
        for process, (routers, at) in self._held.items():
            if nas_id in routers and at > young:
                return process
        return ""

    def _send(self, nas_id: int, request: bytes) -> None:
        process = self._process_of(nas_id)
        if process and self._peers is not None:
            self._peers.send(process, ASK, nas_id.to_bytes(4, "big") + request)

    def _on_message(self, sender: str, kind: int, body: bytes) -> None:
        if kind == HOLDS:
            self._held[sender] = (frozenset(json.loads(body)), time.monotonic())
        elif kind == REPLY and self._exchange is not None and len(body) > 4:
            self._exchange.on_radsec(int.from_bytes(body[:4], "big"), body[4:])
