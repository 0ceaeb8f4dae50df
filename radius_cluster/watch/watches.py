"""Who watches what, in one process of the cluster (RAD-7).

While nobody watches, ``by_tenant`` is empty, and a packet costs one look at that. Who watches makes requests that tell
what becomes of them; they are made readable and told to Redis later, by a task (``tell.py``), and never more than a few
a second of one watch.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from radius_cluster.listen.duplicates import Key
from radius_cluster.listen.receive import Request, Way
from radius_cluster.routing.directory import NasEntry
from radius_cluster.watch.request import Seen, WatchedRequest
from radius_cluster.wire.codes import CLASS, EAP_MESSAGE, USER_NAME
from radius_cluster.wire.packet import Packet
from radius_cluster.wire.user_names import without_realm
from tenants.network.packet_watch import LIVES_SECONDS, MOST_PACKETS, PacketWatch, name_key

MOST_OF_A_TENANT: Final = 5
_MOST_AT_ONCE: Final = 50  # packets of one watch that may come in a burst
_PER_SECOND: Final = 10.0  # and what then goes on


class LiveWatch:
    """One watch, and what this process has seen for it since it last told."""

    __slots__ = ("_room", "_room_at", "_taken", "about", "known", "label", "left_out", "lives_until", "seen")

    def __init__(self, about: PacketWatch, now: float) -> None:
        self.about = about
        self.label = b"" if about.account_id is None else b"%05d.%08d" % (about.tenant_id, about.account_id)
        self.seen: list[Seen] = []
        self.left_out = 0
        self.lives_until = now
        self.known = False  # whether it was told that this process watches, too
        self._room, self._room_at, self._taken = float(_MOST_AT_ONCE), 0.0, 0

    def is_about(self, nas: NasEntry | None, packet: Packet | None) -> bool:
        """Whether it wants packets of this router with this login name."""
        about = self.about
        if about.nas_id is not None and (nas is None or nas.id != about.nas_id):
            return False
        if not about.name:
            return nas is not None
        if packet is None:
            return False
        return self.is_called(packet.text(USER_NAME)) or (
            bool(self.label) and CLASS in packet.places and self.label in packet.all(CLASS)
        )

    def is_called(self, name: str) -> bool:
        """Whether this is the login name that is watched, in any writing, also with a realm."""
        wanted, key = self.about.name, name_key(name)
        return key == wanted or (("@" in key or "\\" in key) and without_realm(key) == wanted)

    def has_room(self, now: float) -> bool:
        """Whether one more may be shown; counts it, or that it is left out."""
        self._room = min(float(_MOST_AT_ONCE), self._room + max(0.0, now - self._room_at) * _PER_SECOND)
        self._room_at = now
        if self._room < 1 or self._taken >= MOST_PACKETS:
            self.left_out += 1
            return False
        self._room -= 1
        self._taken += 1
        return True


class Watches:
    """One per process."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.by_tenant: dict[int, list[LiveWatch]] = {}
        self._changed = changed  # called when there is something to tell that was not there before

    def __iter__(self) -> Iterator[LiveWatch]:
        for of_tenant in self.by_tenant.values():
            yield from of_tenant

    def hear(self, text: str) -> None:
        """Somebody says that he watches, goes on watching, or has ended."""
        try:
            about, left = PacketWatch.heard(text)
        except (ValueError, KeyError, TypeError):
            return
        of_tenant = self.by_tenant.get(about.tenant_id, [])
        live = next((one for one in of_tenant if one.about == about), None)
        now = time.monotonic()
        if left <= 0:
            if live is not None:
                live.lives_until = now
            return
        if live is None:
            if len(of_tenant) >= MOST_OF_A_TENANT:
                return
            live = LiveWatch(about, now)
            self.by_tenant[about.tenant_id] = [*of_tenant, live]
            self._changed()
        live.lives_until = now + min(left, LIVES_SECONDS)

    def forget_ended(self, now: float) -> list[LiveWatch]:
        """Take those away whose time is over, and who was not heard of."""
        ended = [live for live in self if live.lives_until <= now]
        for live in ended:
            tenant_id = live.about.tenant_id
            left = [one for one in self.by_tenant[tenant_id] if one is not live]
            if left:
                self.by_tenant[tenant_id] = left
            else:
                del self.by_tenant[tenant_id]
        return ended

    def request(
        self, packet: Packet, nas: NasEntry, receiver: Way, source: tuple[Any, ...], key: Key, arrived: float
    ) -> Request:
        """A request; one that tells what becomes of it where somebody wants to know."""
        watching, perhaps = [], []
        for live in self.by_tenant.get(nas.tenant.id, ()):
            if live.is_about(nas, packet):
                if live.has_room(arrived):
                    watching.append(live)
            elif EAP_MESSAGE in packet.places and live.about.nas_id in (None, nas.id):
                perhaps.append(live)  # the name is inside the tunnel
        parts = packet, nas, receiver, source, key, arrived
        return WatchedRequest(*parts, watching, perhaps) if watching or perhaps else Request(*parts)

    def dropped(
        self,
        tenant_id: int,
        nas: NasEntry | None,
        packet: Packet | None,
        raw: bytes,
        source: tuple[Any, ...],
        reason: str,
        now: float,
        reply: bytes | None = None,
    ) -> None:
        """A packet that got no answer, or its earlier one again; ``packet`` is None when it cannot be read."""
        for live in self.by_tenant.get(tenant_id, ()):
            if live.is_about(nas, packet) and live.has_room(now):
                live.seen.append(Seen(now, nas, source, raw, reply, reason, 0.0, packet is not None))

    def asked(self, nas: NasEntry, username: str, destination: tuple[Any, ...]) -> "AskedRouter | None":
        """What notes a request of ours to a router and its answer, where somebody wants to know."""
        now = time.time()
        watching = [
            live
            for live in self.by_tenant.get(nas.tenant.id, ())
            if live.about.nas_id in (None, nas.id)
            and (not live.about.name or live.is_called(username))
            and live.has_room(now)
        ]
        return AskedRouter(watching, nas, destination) if watching else None


class AskedRouter:
    """A Disconnect- or CoA-Request that is watched."""

    __slots__ = ("_at", "_destination", "_nas", "_request", "_watching")

    def __init__(self, watching: list[LiveWatch], nas: NasEntry, destination: tuple[Any, ...]) -> None:
        self._watching, self._nas, self._destination = watching, nas, destination
        self._request, self._at = b"", 0.0

    def sent(self, request: bytes) -> None:
        """It goes out for the first time."""
        self._request, self._at = request, time.time()

    def ended(self, reply: bytes | None) -> None:
        """The router's verified answer, or None when there came none."""
        took = time.time() - self._at
        reason = "" if reply else "unanswered"
        for live in self._watching:
            live.seen.append(Seen(self._at, self._nas, self._destination, self._request, reply, reason, took, True))
