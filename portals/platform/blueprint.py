"""The blueprint all pages of the platform console hang on, and what each view takes from the request."""

from flask import Blueprint

from infra.db import Database
from portals.shared.in_request import actor as actor  # every view takes them from here
from portals.shared.in_request import present as present
from portals.shared.unit_of_work import installation

blueprint = Blueprint("platform", __name__, template_folder="templates")


def database() -> Database:
    """All cells; the console's reads and deeds open their own units of work across tenants."""
    return installation().database
