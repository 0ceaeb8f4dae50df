"""The processes of the installation: RADIUS engines, CoA, workers, scheduler (TEN-5)."""

from flask import render_template

from portals.platform.blueprint import blueprint, database, present
from portals.platform.words import NODE_KINDS, counts
from portals.shared.access import signed_in
from portals.shared.words import word
from tenants.reports.queries_platform import list_nodes


@blueprint.get("/engines/")
@signed_in
def list_engines() -> str:
    """Who reported within the last ten minutes, and who is silent."""
    return render_template("platform/engines.html", **_facts())


@blueprint.get("/engines/table")
@signed_in
def refresh_engines() -> str:
    """The table alone, as it refreshes itself."""
    return render_template("platform/engines_part.html", **_facts())


def _facts() -> dict[str, object]:
    nodes = list_nodes(database(), present())
    return {
        "nodes": nodes,
        "memory": sum(node.memory_octets or 0 for node in nodes),
        "counts": counts,
        "kind": lambda code: word(NODE_KINDS, code),
    }
