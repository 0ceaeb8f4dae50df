"""The connection to PostgreSQL: psycopg's, with a short way for units of work and hot statements.

A statement costs Python 20 to 30 µs here, 60 through psycopg's cursor and 100 through SQLAlchemy on top of it.
"""

import os
import socket
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

PREPARED_STATEMENTS = 400  # per connection; the schema is part of a statement's text, so each busy tenant needs some
SHORT_STATEMENTS = 200  # besides, for :meth:`DriverConnection.ask`; a large one takes 0.5 MB of the server's memory

Row = list[bytes | None]


class DriverConnection(psycopg.Connection[Any]):
    """A connection that begins, commits and asks without detours, and keeps its prepared statements over a rollback.

    psycopg forgets them, because a rollback may undo the making of what they name. The product makes no tables beside
    its work, and one refused operation in four would have the server plan all statements of the next ones again.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As psycopg makes it."""
        super().__init__(*arguments, **options)
        self._short: OrderedDict[str, bytes] = OrderedDict()
        self._made = 0
        self.asked_at = 0.0  # since when it waits for an answer (monotonic seconds), 0 when it does not
        # The same socket under a number of our own: libpq's may be another file's by the time somebody cuts it.
        self._line = socket.socket(fileno=os.dup(self.pgconn.socket))

    def cut(self) -> None:
        """Cut the line to the server, from any thread: whoever waits for an answer gets an error instead, at once."""
        with suppress(OSError):  # closed meanwhile, by either side
            self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """As psycopg does it."""
        super().close()
        self._line.close()

    def wait(self, *arguments: Any, **options: Any) -> Any:
        """As psycopg does it."""
        self.asked_at = monotonic()
        try:
            return super().wait(*arguments, **options)
        finally:
            self.asked_at = 0.0

    def begin(self, walls: str) -> None:
        """Begin a transaction and put it behind ``walls`` (SQL, may be empty), in one round trip."""
        self._command(f"BEGIN; {walls}".encode())

    def commit(self) -> None:
        """Commit the transaction, if one is under way."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            self._command(b"COMMIT")

    def rollback(self) -> None:
        """Undo the transaction, if one is under way."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            self._command(b"ROLLBACK")

    def ask(self, statement: str, values: Sequence[str | bytes | None]) -> list[Row]:
        """Run a statement with the parameters $1, $2 … as texts; its rows as PostgreSQL writes them as text.

        It is prepared at its first use: for statements that are the same every time. Raises what psycopg raises.
        """
        encoded = [value.encode() if isinstance(value, str) else value for value in values]
        self.asked_at = monotonic()
        try:
            name = self._short.get(statement)
            if name is None:
                name = self._prepare(statement)
            else:
                self._short.move_to_end(statement)
            result = self.pgconn.exec_prepared(name, encoded)  # type: ignore[arg-type]  # its stub forgets NULL
        finally:
            self.asked_at = 0.0
        if result.status != ExecStatus.TUPLES_OK:
            raise self._error(result)
        columns, value_at = range(result.nfields), result.get_value
        return [[value_at(row, column) for column in columns] for row in range(result.ntuples)]

    def _prepare(self, statement: str) -> bytes:
        if len(self._short) >= SHORT_STATEMENTS:
            _, oldest = self._short.popitem(last=False)
            self.pgconn.close_prepared(oldest)
        self._made += 1
        name = f"short_{self._made}".encode()
        result = self.pgconn.prepare(name, statement.encode())
        if result.status != ExecStatus.COMMAND_OK:
            raise self._error(result)
        self._short[statement] = name
        return name

    def _command(self, command: bytes) -> None:
        self.asked_at = monotonic()
        try:
            result = self.pgconn.exec_(command)
        finally:
            self.asked_at = 0.0
        if result.status != ExecStatus.COMMAND_OK:
            raise self._error(result)

    def _error(self, result: PGresult) -> psycopg.Error:
        if self.pgconn.status == ConnStatus.BAD:  # there is no SQLSTATE to go by
            return psycopg.OperationalError(self.pgconn.get_error_message())
        return error_from_result(result, encoding="utf-8")

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        # psycopg asks for all to be dropped (None) after a savepoint was undone: ours go with its own.
        if name is None:
            self._short.clear()
        return super()._deallocate(name)
