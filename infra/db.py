"""Database engines per cell and the declarative bases of the four kinds of schema (architecture.md, "Data").

Role wall: every session of the product switches, for the length of its transaction, to one of three roles without
rights to bypass row-level security; only migrations and provisioning work as the owner.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
from sqlalchemy import DateTime, Engine, MetaData, Numeric, Text, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session

from infra.driver import PREPARED_STATEMENTS, DriverConnection, Row
from infra.hanging import SILENT_HOST, HangWatch, is_readable

APP_ROLE = "broadloom_app"  # tenant work: row-level security by broadloom.tenant_id
PLATFORM_ROLE = "broadloom_platform"  # work across tenants, listed in a test (unscoped)
RADIUS_ROLE = "broadloom_radius"  # the packet path: grants on aaa and the NAS directory only
MAIN_CELL = "main"  # the cell in the registry's own database

_WALLS = "broadloom_walls"  # execution option: the SQL that puts a transaction behind its walls
_LOGIN_SECONDS = 20  # then whoever waits for the database is told so
_IDLE_SECONDS = 30.0  # a connection that rested for longer is asked whether it still lives
_KEPT_ENGINES = 4096  # views of an engine with a tenant's walls; making one costs more than a statement

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
_TYPES: dict[Any, Any] = {
    datetime: DateTime(timezone=True),
    str: Text,
    Decimal: Numeric(14, 2),
    dict[str, Any]: JSONB,
}


class RegistryBase(DeclarativeBase):
    """Tables of schema ``registry``: the ISPs themselves; one per installation."""

    metadata = MetaData(schema="registry", naming_convention=_NAMING)
    type_annotation_map = _TYPES


class TenantBase(DeclarativeBase):
    """Tables of one ISP; schema ``tenant`` is translated to ``t_<id>`` by the tenant scope."""

    metadata = MetaData(schema="tenant", naming_convention=_NAMING)
    type_annotation_map = _TYPES


class AaaBase(DeclarativeBase):
    """Tables of schema ``aaa``: what the packet path touches; one per cell, keys led by tenant_id, RLS forced."""

    metadata = MetaData(schema="aaa", naming_convention=_NAMING)
    type_annotation_map = _TYPES


class WorkBase(DeclarativeBase):
    """Tables of schema ``work``: due rows and the outbox; one per cell, RLS forced."""

    metadata = MetaData(schema="work", naming_convention=_NAMING)
    type_annotation_map = _TYPES


def sqlalchemy_url(url: str) -> str:
    """A libpq-style URL as SQLAlchemy's psycopg 3 dialect wants it."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


class Database:
    """Engines of the registry and of each cell; cheap to make, connects on first use.

    ``watched``: work fails within seconds when a database hangs (:mod:`infra.hanging`), else it waits for it.
    """

    def __init__(
        self, registry_url: str, cells: dict[str, str] | None = None, *, pool_size: int = 5, watched: bool = False
    ) -> None:
        self._urls = {MAIN_CELL: registry_url, **(cells or {})}
        self._pool_size = pool_size
        self._watched = watched
        self._watches: list[HangWatch] = []
        self._engines: dict[str, Engine] = {}
        self._making = threading.Lock()  # else two threads make one each, and nobody closes the one's connections
        self._walled: dict[tuple[str, str, int | None], Engine] = {}

    @property
    def cells(self) -> list[str]:
        """Names of all cells, the registry's own first."""
        return list(self._urls)

    def url(self, cell: str = MAIN_CELL) -> str:
        """The cell's libpq-style URL. Raises :class:`KeyError` for a cell that the settings do not name."""
        return self._urls[cell]

    def engine(self, cell: str = MAIN_CELL) -> Engine:
        """The cell's engine."""
        engine = self._engines.get(cell)
        if engine is None:
            with self._making:
                engine = self._engines.get(cell) or self._engines.setdefault(cell, self._make_engine(cell))
        return engine

    def _make_engine(self, cell: str) -> Engine:
        engine = create_engine(
            sqlalchemy_url(self._urls[cell]),
            pool_size=self._pool_size,
            max_overflow=self._pool_size * 2,
            pool_recycle=1800,
            pool_use_lifo=True,  # the connection that knows the statements; the others may rest
        )
        event.listen(engine, "do_connect", _connect_by(self._way_to(cell)))
        event.listen(engine, "checkout", _check_connection)
        event.listen(engine, "checkin", _note_rest)
        event.listen(engine, "begin", _begin)
        return engine

    def _way_to(self, cell: str) -> Callable[..., DriverConnection]:
        if not self._watched:
            return _connect_patiently
        watch = HangWatch(self._urls[cell])
        self._watches.append(watch)
        return watch.connect

    def session(self, cell: str, role: str, *, tenant_id: int | None = None) -> Session:
        """A session whose every transaction runs as ``role`` with the tenant set; the caller commits and closes."""
        return Session(self._behind_walls(cell, role, tenant_id), expire_on_commit=False)

    def _behind_walls(self, cell: str, role: str, tenant_id: int | None) -> Engine:
        key = (cell, role, tenant_id)
        engine = self._walled.get(key)
        if engine is None:
            if len(self._walled) >= _KEPT_ENGINES:
                self._walled.clear()
            tenant = "" if tenant_id is None else str(int(tenant_id))
            options: dict[str, Any] = {_WALLS: f"SET LOCAL ROLE {role}; SET LOCAL broadloom.tenant_id = '{tenant}'"}
            if tenant_id is not None:
                options["schema_translate_map"] = {"tenant": schema_name(tenant_id)}
            engine = self._walled[key] = self.engine(cell).execution_options(**options)
        return engine

    @contextmanager
    def owner_connection(self, cell: str = MAIN_CELL) -> Iterator[Connection]:
        """One transaction as the schema owner: migrations and provisioning only."""
        with self.engine(cell).begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close all pooled connections."""
        while self._watches:
            self._watches.pop().end()
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        self._walled.clear()


def schema_name(tenant_id: int) -> str:
    """Schema of a tenant's business tables."""
    return f"t_{int(tenant_id)}"


def _begin(connection: Connection) -> None:
    # One round trip opens the transaction and puts it behind its walls: local to it, so that they are right under
    # transaction pooling and gone with it.
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        driver, walls = driver_of(connection), options.get(_WALLS, "")
        try:
            driver.begin(walls)
        except psycopg.Error as error:
            raise _sqlalchemy_error(connection, driver, f"BEGIN; {walls}", error) from error


def driver_of(connection: Connection) -> DriverConnection:
    """The driver's connection under SQLAlchemy's: the same transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, DriverConnection)
    return driver


def ask(session: Session, statement: str, values: Sequence[str | bytes | None]) -> list[Row]:
    """Run a hot statement of this session's transaction without the layers between: see :meth:`DriverConnection.ask`.

    The caller flushes before, if the statement must see what he changed. Raises SQLAlchemy's errors, as ever.
    """
    connection = session.connection()
    driver = driver_of(connection)
    try:
        return driver.ask(statement, values)
    except psycopg.Error as error:
        raise _sqlalchemy_error(connection, driver, statement, error) from error


def _sqlalchemy_error(
    connection: Connection, driver: DriverConnection, statement: str, error: psycopg.Error
) -> BaseException:
    if driver.broken:
        connection.invalidate(error)
    return DBAPIError.instance(
        statement, None, error, psycopg.Error, connection_invalidated=driver.broken, dialect=connection.dialect
    )


def array(values: Iterable[object]) -> str:
    """Numbers, truths and plain texts as the text of a PostgreSQL array, for :func:`ask`; None is NULL."""
    return "{" + ",".join("NULL" if value is None else _element(value) for value in values) + "}"


def _element(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def _connect_patiently(*arguments: Any, **options: Any) -> DriverConnection:
    """A connection whose statements may take as long as they need, but which notices that the server's host has gone.

    After a fail-over to another host the old one answers nothing, not even that it is not there. Left to itself the
    system would wait for two hours, and with it whoever has the cut-offs done.
    """
    return DriverConnection.connect(*arguments, **{**SILENT_HOST, "connect_timeout": _LOGIN_SECONDS, **options})


def _connect_by(way: Callable[..., DriverConnection]) -> Callable[..., DriverConnection]:
    def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> DriverConnection:
        driver = way(*arguments, **options)
        driver.autocommit = True  # :func:`_begin` says when a transaction begins; commit and rollback end it as ever
        driver.prepared_max = PREPARED_STATEMENTS
        return driver

    return connect


def _note_rest(_driver: Any, record: Any) -> None:
    record.info["rests_since"] = time.monotonic()


def _check_connection(driver: Any, record: Any, _proxy: Any) -> None:
    """Ask a connection that rested long, or on which the server said something unasked (it left), if it still lives.

    A look at the socket instead of a question each time: the question would be one more round trip in every request.
    """
    if driver.autocommit is False:  # an isolation level was set for a while (migrations)
        driver.autocommit = True
    rests_since = record.info.get("rests_since")
    if rests_since is None or (time.monotonic() - rests_since < _IDLE_SECONDS and not is_readable(driver)):
        return
    try:
        driver.execute("SELECT 1")
    except Exception as error:
        raise DisconnectionError("the server closed the connection while it rested") from error
