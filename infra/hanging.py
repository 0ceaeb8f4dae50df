"""Notices that a database hangs: it takes connections and statements, and answers nobody.

One that refuses says so at once; a hanging one would keep each thread that asks it, one by one, until none is left.
So whoever answers people has its connections watched. A statement may take as long as it needs: when one waits for
long, the database is asked something else, and only if it owes that answer too, all connections to it are cut. What
waited fails, new work is refused at once, and from the first answer on everything is as ever.

What was cut may have been carried out, a COMMIT too: nobody may be told that nothing happened.
"""

import select
import threading
import time
from contextlib import closing
from typing import Any
from weakref import WeakSet

import psycopg
import structlog

from infra.driver import DriverConnection

LONG_SECONDS = 2.0  # an answer that takes longer makes the watch ask something else
ANSWER_SECONDS = 3  # and wait so long; a login, too, takes a tenth of it on a busy machine
_LOOK_SECONDS = 0.5
SILENT_HOST = {  # a host that went without a word: other logins may be refused at once meanwhile, so ask the kernel
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
_log = structlog.get_logger()


class HangWatch:
    """Watches the connections to one database; its thread runs from the first of them until :meth:`end`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connections: WeakSet[DriverConnection] = WeakSet()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._hangs = False

    def connect(self, *arguments: Any, **options: Any) -> DriverConnection:
        """A watched connection. Raises :class:`psycopg.OperationalError`, at once while the database hangs."""
        self._start()
        if self._hangs:
            raise psycopg.OperationalError("the database does not answer")
        limits = {"connect_timeout": ANSWER_SECONDS}
        try:
            made = DriverConnection.connect(*arguments, **{**SILENT_HOST, **options, **limits})
        except psycopg.errors.ConnectionTimeout:
            self._cut_all()
            raise
        with self._lock:
            self._connections.add(made)
        return made

    def end(self) -> None:
        """Watch no longer."""
        self._ended.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="hang-watch", daemon=True)
                self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            if not self._hangs and not self._is_answer_owed():
                continue
            answers = self._answers()
            if self._hangs and answers:
                self._hangs = False
                _log.warning("database_answers_again")
            elif answers is False:
                self._cut_all()
            else:
                self._ended.wait(LONG_SECONDS)  # a slow statement, or a server that refuses: no need to ask so often

    def _is_answer_owed(self) -> bool:
        long_ago = time.monotonic() - LONG_SECONDS
        with self._lock:
            return any(0 < connection.asked_at < long_ago for connection in self._connections)

    def _answers(self) -> bool | None:
        """Whether the database answers a login and a statement in time; None when it refuses."""
        try:
            with closing(psycopg.connect(self._url, connect_timeout=ANSWER_SECONDS, autocommit=True)) as asking:
                asking.pgconn.send_query(b"SELECT 1")  # a connection pooler greets without the database
                return is_readable(asking, ANSWER_SECONDS)
        except psycopg.errors.ConnectionTimeout:
            return False
        except psycopg.Error:
            return None

    def _cut_all(self) -> None:
        """Cut all connections, the idle ones too: nobody knows which of them still lead anywhere afterwards."""
        if not self._hangs:
            _log.error("database_hangs")
        self._hangs = True
        with self._lock:
            connections = list(self._connections)
            self._connections.clear()
        for connection in connections:
            connection.cut()


def is_readable(connection: psycopg.Connection[Any], within_seconds: float = 0) -> bool:
    """Whether the server said something, or left."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(within_seconds * 1000))
