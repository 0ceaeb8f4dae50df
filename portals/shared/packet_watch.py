"""Follows a watch of packets for whoever watches: what is watched and what was seen lies in Redis for a moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis, RedisError

from infra.errors import ServersError
from infra.servers import resolve
from infra.settings import Settings
from tenants.kernel.actor import Actor
from tenants.network.packet_watch import KEPT_SECONDS, MOST_PACKETS, PacketWatch, opened, watch_key
from tenants.subscribers.errors import WatchNotFound, WatchNotPossible

_PARTS = ("packets", "left_out", "nodes")
# So long after its end what was seen can still be read and downloaded, while somebody looks at it.
_AFTERWARDS = timedelta(minutes=15)
_LONGEST_WAIT_SECONDS = 2


@dataclass(frozen=True, slots=True)
class OpenWatch:
    """A watch as its page shows it; ``name`` as it was typed, ``watched_by`` who began it."""

    watch: PacketWatch
    router: str
    name: str
    begun_at: datetime
    ends_at: datetime
    watched_by: str

    def left_seconds(self, now: datetime) -> float:
        """How long it goes on; 0 when it is over."""
        return max(0.0, (self.ends_at - now).total_seconds())


@dataclass(frozen=True, slots=True)
class Look:
    """What has been seen: ``packets`` from the asked number on, ``total`` of all, ``left_out`` beyond what is shown."""

    packets: list[dict[str, Any]]
    total: int
    left_out: int
    nodes: list[str]

    @property
    def is_full(self) -> bool:
        """Whether no more is kept."""
        return self.total >= MOST_PACKETS


def person(actor: Actor) -> str:
    """Whose watch it is: nobody else can open it."""
    return f"{actor.kind}:{actor.id}"


class WatchStore:
    """For the installation of these settings. Every method raises WatchNotPossible when Redis does not answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def keep(self, found: OpenWatch, now: datetime) -> None:
        """Let its page find it again."""
        told = {
            **asdict(found.watch),
            "router": found.router,
            "typed": found.name,
            "begun_at": found.begun_at.isoformat(),
            "ends_at": found.ends_at.isoformat(),
            "by": found.watched_by,
        }
        seconds = int((found.ends_at + _AFTERWARDS - now).total_seconds())
        with self._redis() as redis:
            redis.set(found.watch.key(), found.watch.seal(told), ex=max(1, seconds))

    def find(self, tenant_id: int, token: str, actor: Actor) -> OpenWatch:
        """The tenant's watch with this token that this person began. Raises WatchNotFound."""
        with self._redis() as redis:
            sealed = cast(bytes | None, redis.get(watch_key(tenant_id, token)))
        told = None if sealed is None else opened(token, sealed)
        if told is None or told["by"] != person(actor):
            raise WatchNotFound()
        watch = PacketWatch(token, tenant_id, told["nas_id"], told["name"], told["account_id"])
        begun_at, ends_at = (datetime.fromisoformat(told[name]) for name in ("begun_at", "ends_at"))
        return OpenWatch(watch, told["router"], told["typed"], begun_at, ends_at, told["by"])

    def look(self, watch: PacketWatch, after: int = 0) -> Look:
        """What was seen; as long as somebody looks it is not forgotten."""
        with self._redis() as redis, redis.pipeline(transaction=False) as pipeline:
            pipeline.lrange(watch.key("packets"), after, -1)
            pipeline.llen(watch.key("packets"))
            pipeline.get(watch.key("left_out"))
            pipeline.smembers(watch.key("nodes"))
            for part in _PARTS:
                pipeline.expire(watch.key(part), KEPT_SECONDS)
            sealed, total, left_out, nodes, *_ = pipeline.execute()
        packets = [packet for one in sealed if (packet := opened(watch.token, one)) is not None]
        return Look(packets, total, int(left_out or 0), sorted(node.decode("utf-8", "replace") for node in nodes))

    def forget(self, watch: PacketWatch) -> None:
        """Nobody looks any more."""
        with self._redis() as redis:
            redis.delete(watch.key(), *(watch.key(part) for part in _PARTS))

    @contextmanager
    def _redis(self) -> Iterator["Redis"]:
        try:
            url = resolve(self._settings).redis_url
            waits = {"socket_timeout": _LONGEST_WAIT_SECONDS, "socket_connect_timeout": _LONGEST_WAIT_SECONDS}
            with Redis.from_url(url, **waits) as redis:
                yield redis
        except (RedisError, ServersError, OSError):
            raise WatchNotPossible() from None
