"""Tells what was seen to whoever watches, through Redis; sleeps for ever while nobody does (RAD-7)."""

import asyncio
import os
import socket
import time
from typing import Any, Final

import structlog

from infra.radius_text.dictionary import shipped
from radius_cluster.watch.redis_line import Command, RedisLine, RedisRefused
from radius_cluster.watch.request import Seen
from radius_cluster.watch.watches import LiveWatch, Watches
from radius_cluster.wire.codes import CODE_NAMES
from radius_cluster.wire.packet import Packet, parse
from radius_cluster.wire.readable import shown_attributes
from tenants.network.packet_watch import KEPT_SECONDS, MOST_PACKETS

LOG = structlog.get_logger(__name__)
_TELL_EVERY_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 2.0  # for Redis; what could not be told then is lost, and the next is tried
_FAILURES: Final = (OSError, EOFError, ValueError, TimeoutError, RedisRefused)


class Teller:
    """One per process; ``watches`` is asked by whoever takes packets, ``kind`` is radius, radsec or coa."""

    def __init__(self, redis_url: str, kind: str) -> None:
        self.watches = Watches(self._begin)
        self._line = RedisLine(redis_url)
        self._node = f"{kind} {socket.gethostname()}:{os.getpid()}"
        self._telling: asyncio.Task[None] | None = None
        self._failing = False

    def close(self) -> None:
        """Tell no more."""
        if self._telling is not None:
            self._telling.cancel()
        self._line.close()

    def _begin(self) -> None:
        if self._telling is None:
            self._telling = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            await asyncio.to_thread(shipped)  # the dictionaries take a moment to read
            while self.watches.by_tenant:
                ended = self.watches.forget_ended(time.monotonic())
                commands: list[Command] = []
                for live in [*self.watches, *ended]:
                    commands += await self._commands(live)
                if commands:
                    await self._tell(commands)
                await asyncio.sleep(_TELL_EVERY_SECONDS)
        finally:
            self._line.close()
            self._telling = None

    async def _tell(self, commands: list[Command]) -> None:
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await self._line.send(commands)
            self._failing = False
        except _FAILURES as error:
            if not self._failing:
                LOG.warning("watch_not_told", error=f"{type(error).__name__}: {error}")
            self._failing = True
            for live in self.watches:
                live.known = False
            self._line.close()

    async def _commands(self, live: LiveWatch) -> list[Command]:
        commands: list[Command] = []
        if not live.known:
            live.known = True
            nodes = live.about.key("nodes")
            commands += [("SADD", nodes, self._node), ("EXPIRE", nodes, KEPT_SECONDS)]
        seen, live.seen = live.seen, []
        packets, sealed = live.about.key("packets"), []
        for one in seen:
            try:
                sealed.append(live.about.seal(document_of(one, self._node)))
            except Exception:  # the others are shown, and the watch ends in its time
                LOG.exception("packet_not_shown")
                live.left_out += 1
            await asyncio.sleep(0)  # packets go first
        if sealed:
            commands += [
                ("RPUSH", packets, *sealed),
                ("LTRIM", packets, 0, MOST_PACKETS - 1),
                ("EXPIRE", packets, KEPT_SECONDS),
            ]
        if live.left_out:
            left_out, live.left_out = live.left_out, 0
            commands += [
                ("INCRBY", live.about.key("left_out"), left_out),
                ("EXPIRE", live.about.key("left_out"), KEPT_SECONDS),
            ]
        return commands


def document_of(seen: Seen, node: str) -> dict[str, Any]:
    """What people are shown of a packet; nothing that could open anything (``wire/readable.py``)."""
    return {
        "at": seen.at,
        "router": seen.nas.id if seen.nas is not None else None,
        "source": f"{seen.source[0]}:{seen.source[1]}",
        "request": _shown(parse(seen.raw) if seen.readable else "", seen.raw),
        "answer": None if seen.reply is None else _shown(parse(seen.reply), seen.reply),
        "reason": seen.reason,
        "ms": round(seen.took * 1000, 2),
        "node": node,
    }


def _shown(packet: Packet | str, raw: bytes) -> dict[str, Any]:
    code = raw[0] if raw else 0
    return {
        "code": CODE_NAMES.get(code, f"code {code}"),
        "id": raw[1] if len(raw) > 1 else 0,
        "octets": len(raw),
        "attributes": [] if isinstance(packet, str) else [list(line) for line in shown_attributes(packet)],
    }
