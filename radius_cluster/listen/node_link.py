"""Messages between processes of different hosts: sealed datagrams, under a key that the whole installation has.

Only opened when the installation names an address for it (BROADLOOM_NODE_ADDRESS). Who is where stands in
registry.nodes: every process writes its address there with its heartbeat and reads those of the others.
"""

import asyncio
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from infra.crypto import DecryptionError, SecretBox
from radius_cluster.listen.peers import COA_PREFIX, RADSEC_PREFIX
from radius_cluster.listen.sockets import open_udp

LOG = structlog.get_logger(__name__)

OnMessage = Callable[[str, int, bytes], None]  # (sender, kind, body)
# Names are those of listen/peers.py, so that both ways can be tried with one name.
PREFIXES: Final[Mapping[str, str]] = {"radius": "", "radsec": RADSEC_PREFIX, "coa": COA_PREFIX}
_PURPOSE: Final = b"node-link"
_HEAD: Final = struct.Struct(">dBB")  # when it was sent, kind, length of the sender's name
_YOUNG_SECONDS: Final = 30.0  # older messages are replays, or clocks that disagree
_LARGEST_MESSAGE: Final = 8_192
_MESSAGES_PER_WAKE_UP: Final = 64


class NodeLink:
    """The socket of one process, and the way to the others. ``name`` as in listen/peers.py."""

    def __init__(self, key: bytes, name: str, address: str, on_message: OnMessage) -> None:
        """Raises OSError when the address is not one of this host."""
        self.name = name
        self._box = SecretBox(key)
        self._on_message = on_message
        self._others: dict[str, tuple[str, int]] = {}
        self._socket = open_udp(address, 0)
        self._address = address
        self.port: int = self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket, self._on_readable)

    @property
    def shown(self) -> str:
        """``address port`` as other processes find it in registry.nodes."""
        return f"{self._address} {self.port}"

    def learn(self, rows: Mapping[tuple[str, str], str]) -> None:
        """The living processes: (kind, node) → what they show."""
        others = {}
        for (kind, node), shown in rows.items():
            address, _, port = shown.partition(" ")
            if kind in PREFIXES and port.isdecimal() and PREFIXES[kind] + node != self.name:
                others[PREFIXES[kind] + node] = (address, int(port))
        self._others = others

    def names(self, prefix: str) -> list[str]:
        """Living processes of other places, of the kind that has this prefix; "" for those of the UDP ports."""
        others = [one for one in PREFIXES.values() if one and one != prefix]
        return [name for name in self._others if name.startswith(prefix) and not name.startswith(tuple(others))]

    def send(self, other: str, kind: int, body: bytes) -> bool:
        """Hand a message over; it may be lost. False when nobody of that name is known."""
        destination = self._others.get(other)
        if destination is None:
            return False
        name = self.name.encode()
        sealed = self._box.seal(_HEAD.pack(time.time(), kind, len(name)) + name + body, _PURPOSE)
        try:
            self._socket.sendto(sealed, destination)
        except OSError as error:
            LOG.warning("node_unreachable", node=other, error=str(error))
            return False
        return True

    def close(self) -> None:
        """Take no more messages."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _on_readable(self) -> None:
        for _ in range(_MESSAGES_PER_WAKE_UP):
            try:
                sealed = self._socket.recv(_LARGEST_MESSAGE)
            except OSError:
                return
            with suppress(DecryptionError, struct.error):
                self._take(self._box.open(sealed, _PURPOSE))

    def _take(self, plain: bytes) -> None:
        sent_at, kind, length = _HEAD.unpack_from(plain)
        if abs(time.time() - sent_at) > _YOUNG_SECONDS:
            LOG.warning("old_node_message", age=round(time.time() - sent_at))
            return
        at = _HEAD.size + length
        try:
            self._on_message(plain[_HEAD.size : at].decode("utf-8", "replace"), kind, plain[at:])
        except Exception:
            LOG.exception("node_message_failed")
