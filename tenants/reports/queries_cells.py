"""The database cells of the cloud: which there are, whether they answer, how full they are (TEN-5)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.registry.models import Cell, Tenant
from tenants.usage.models import Session as OnlineSession

_REASON = "the platform console shows the database cells"


@dataclass(frozen=True, slots=True)
class CellState:
    """Not ``reachable``: the settings name it, but it is silent; not ``configured``: only the registry knows it."""

    name: str
    accepts_tenants: bool
    configured: bool
    reachable: bool
    created_at: datetime | None
    tenants: int
    online: int
    octets: int
    connections: int
    server_version: str


def list_cells(database: Database) -> tuple[CellState, ...]:
    """All cells by name, the registry's own first."""
    with unscoped(database, reason=_REASON) as session:
        known = {cell.name: (cell.accepts_tenants, cell.created_at) for cell in session.scalars(select(Cell))}
        counts: dict[str, int] = dict(
            session.execute(
                select(Tenant.cell, func.count()).where(Tenant.state != "deleted").group_by(Tenant.cell)
            ).all()
        )
    found = []
    for name in [*database.cells, *sorted(known.keys() - set(database.cells))]:
        accepts, created_at = known.get(name, (False, None))
        configured = name in database.cells
        facts = _facts(database, name) if configured else None
        octets, connections, online, version = facts or (0, 0, 0, "")
        found.append(
            CellState(
                name,
                accepts,
                configured,
                facts is not None,
                created_at,
                counts.get(name, 0),
                online,
                octets,
                connections,
                version,
            )
        )
    return tuple(found)


def _facts(database: Database, cell: str) -> tuple[int, int, int, str] | None:
    """(octets, connections, open sessions, server version), None when the cell does not answer."""
    try:
        with unscoped(database, reason=_REASON, cell=cell) as session:
            row = session.execute(
                text(
                    "SELECT pg_database_size(current_database()), current_setting('server_version'),"
                    " (SELECT sum(numbackends)::int FROM pg_stat_database WHERE datname = current_database())"
                )
            ).one()
            online = session.execute(select(func.count()).select_from(OnlineSession)).scalar_one()
    except SQLAlchemyError:
        return None
    return int(row[0]), int(row[2] or 0), int(online), str(row[1])
