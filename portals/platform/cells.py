"""The database cells (TEN-5)."""

from flask import render_template

from portals.platform.blueprint import blueprint, database
from portals.shared.access import signed_in
from tenants.reports.queries_cells import list_cells as read_cells


@blueprint.get("/cells/")
@signed_in
def list_cells() -> str:
    """Which there are, whether they answer, how full they are."""
    return render_template("platform/cells.html", cells=read_cells(database()))
