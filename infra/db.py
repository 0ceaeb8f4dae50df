"""Database engines per cell and the declarative bases of the four kinds of schema (architecture.md, "Data").

Role wall: every session of the product switches, for the length of its transaction, to one of three roles without
rights to bypass row-level security; only migrations and provisioning work as the owner.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Engine, MetaData, Numeric, Text, create_engine, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Session

APP_ROLE = "broadloom_app"  # tenant work: row-level security by broadloom.tenant_id
PLATFORM_ROLE = "broadloom_platform"  # work across tenants, listed in a test (unscoped)
RADIUS_ROLE = "broadloom_radius"  # the packet path: grants on aaa and the NAS directory only
MAIN_CELL = "main"  # the cell in the registry's own database

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


BigId = BigInteger


def sqlalchemy_url(url: str) -> str:
    """A libpq-style URL as SQLAlchemy's psycopg 3 dialect wants it."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


class Database:
    """Engines of the registry and of each cell; cheap to make, connects on first use."""

    def __init__(self, registry_url: str, cells: dict[str, str] | None = None, *, pool_size: int = 5) -> None:
        self._urls = {MAIN_CELL: registry_url, **(cells or {})}
        self._pool_size = pool_size
        self._engines: dict[str, Engine] = {}

    @property
    def cells(self) -> list[str]:
        """Names of all cells, the registry's own first."""
        return list(self._urls)

    def url(self, cell: str = MAIN_CELL) -> str:
        """The cell's libpq-style URL. Raises :class:`KeyError` for a cell that the settings do not name."""
        return self._urls[cell]

    def engine(self, cell: str = MAIN_CELL) -> Engine:
        """The cell's engine."""
        if cell not in self._engines:
            self._engines[cell] = create_engine(
                sqlalchemy_url(self._urls[cell]),
                pool_size=self._pool_size,
                max_overflow=self._pool_size * 2,
                pool_pre_ping=True,
                pool_recycle=1800,
            )
        return self._engines[cell]

    def session(self, cell: str, role: str, *, tenant_id: int | None = None) -> Session:
        """A session whose every transaction runs as ``role`` with the tenant set; the caller commits and closes."""
        engine = self.engine(cell)
        if tenant_id is not None:
            engine = engine.execution_options(schema_translate_map={"tenant": schema_name(tenant_id)})
        session = Session(engine, expire_on_commit=False)
        tenant = "" if tenant_id is None else str(tenant_id)

        @event.listens_for(session, "after_begin")
        def set_walls(_session: Session, _transaction: Any, connection: Connection) -> None:
            # Transaction-local, so that it is right under transaction pooling and gone with the transaction.
            connection.execute(
                text("SELECT set_config('role', :role, true), set_config('broadloom.tenant_id', :tenant, true)"),
                {"role": role, "tenant": tenant},
            )

        return session

    @contextmanager
    def owner_connection(self, cell: str = MAIN_CELL) -> Iterator[Connection]:
        """One transaction as the schema owner: migrations and provisioning only."""
        with self.engine(cell).begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close all pooled connections."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def schema_name(tenant_id: int) -> str:
    """Schema of a tenant's business tables."""
    return f"t_{int(tenant_id)}"
