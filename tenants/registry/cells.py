"""Which cell a new tenant goes to (architecture.md, "Cells")."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tenants.registry.errors import NoCellAccepts
from tenants.registry.models import Cell, Tenant


def choose_cell(tenants_per_cell: Mapping[str, int], reachable: list[str]) -> str:
    """The least full of the accepting cells that the settings name; pure. Raises :class:`NoCellAccepts`."""
    possible = [cell for cell in reachable if cell in tenants_per_cell]
    if not possible:
        raise NoCellAccepts()
    return min(possible, key=lambda cell: (tenants_per_cell[cell], reachable.index(cell)))


def accepting_cells(session: Session) -> dict[str, int]:
    """Accepting cells with the number of tenants in each (platform session)."""
    rows = session.execute(
        select(Cell.name, func.count(Tenant.id))
        .outerjoin(Tenant, (Tenant.cell == Cell.name) & (Tenant.state != "deleted"))
        .where(Cell.accepts_tenants)
        .group_by(Cell.name)
    )
    return {row[0]: row[1] for row in rows}
