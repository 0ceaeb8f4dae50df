"""A request that tells those who watch what became of it. All others are plain ones and know nothing of this."""

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from radius_cluster.listen.duplicates import Key
from radius_cluster.listen.receive import Request, Way
from radius_cluster.routing.directory import NasEntry
from radius_cluster.wire.packet import Packet

if TYPE_CHECKING:
    from radius_cluster.watch.watches import LiveWatch


class Seen(NamedTuple):
    """A packet and what became of it. ``took`` is the time until the decision; ``readable``: its lengths are right."""

    at: float
    nas: NasEntry | None
    source: tuple[Any, ...]
    raw: bytes
    reply: bytes | None
    reason: str
    took: float
    readable: bool


class WatchedRequest(Request):
    """``perhaps``: watches that want it should its name turn out to be theirs (EAP)."""

    __slots__ = ("_decided_at", "_perhaps", "_reason", "_watching")

    def __init__(
        self,
        packet: Packet,
        nas: NasEntry,
        receiver: Way,
        source: tuple[Any, ...],
        key: Key,
        arrived: float,
        watching: "list[LiveWatch]",
        perhaps: "list[LiveWatch]",
    ) -> None:
        super().__init__(packet, nas, receiver, source, key, arrived)
        self._watching, self._perhaps = watching, perhaps
        self._reason, self._decided_at = "", 0.0

    def note(self, reason: str) -> None:
        """Why it is refused, or led to another place."""
        self._reason, self._decided_at = reason, time.time()

    def answer(self, reply: bytes) -> None:
        """Send it, and tell."""
        super().answer(reply)
        self._tell(reply)

    def forget(self, reason: str = "") -> None:
        """Without a reason another process goes on with it, and tells."""
        super().forget(reason)
        if reason:
            self._reason = reason
            self._tell(None)

    def _tell(self, reply: bytes | None) -> None:
        took = max(0.0, (self._decided_at or time.time()) - self.arrived)
        seen = Seen(self.arrived, self.nas, self.source, self.packet.raw, reply, self._reason, took, True)
        for live in self._watching:
            live.seen.append(seen)
        if self._perhaps:
            name = self.user_name
            for live in self._perhaps:
                if live.is_called(name) and live.has_room(self.arrived):
                    live.seen.append(seen)
