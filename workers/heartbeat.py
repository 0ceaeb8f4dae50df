"""Tells the registry every few seconds that this process lives (TEN-5: the platform sees its engines)."""

import contextlib
import os
import socket
import time
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from infra import clock
from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.registry.nodes import beat, sign_off

LOG = structlog.get_logger(__name__)
EVERY_SECONDS = 5.0


class Heartbeat:
    """Writes at most every few seconds; never raises because the database is away."""

    def __init__(self, database: Database, kind: str, children: tuple[int, ...] = ()) -> None:
        self._database = database
        self._kind = kind
        self._host, self._pid = socket.gethostname(), os.getpid()
        self._children = children
        self._started_at = clock.now()
        self._next = 0.0
        self._state = ""

    def beat(self, state: str = "running", counters: dict[str, Any] | None = None) -> None:
        """Say so if it is time, or if the state is another."""
        if time.monotonic() < self._next and state == self._state:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        self._state = state
        try:
            with unscoped(self._database, reason="heartbeat of a process") as registry:
                beat(
                    registry,
                    kind=self._kind,
                    host=self._host,
                    pid=self._pid,
                    started_at=self._started_at,
                    now=clock.now(),
                    state=state,
                    counters=counters,
                    memory_octets=sum(resident_octets(pid) for pid in (self._pid, *self._children)),
                )
        except DBAPIError as error:
            LOG.warning("heartbeat_not_written", error=type(error).__name__)

    def sign_off(self) -> None:
        """Take this process off the list."""
        with contextlib.suppress(DBAPIError), unscoped(self._database, reason="sign a process off") as registry:
            sign_off(registry, self._host, self._pid)


def resident_octets(pid: int) -> int:
    """Memory of a process; 0 when it is gone or the system does not tell."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
