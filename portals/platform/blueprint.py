"""The blueprint all pages of the platform console hang on, and what each view takes from the request."""

from datetime import datetime
from typing import cast

from flask import Blueprint, g

from infra.db import Database
from portals.shared.unit_of_work import installation
from tenants.kernel.actor import Actor

blueprint = Blueprint("platform", __name__, template_folder="templates")


def database() -> Database:
    """All cells; the console's reads and deeds open their own units of work across tenants."""
    return installation().database


def actor() -> Actor:
    """Who asks."""
    return cast(Actor, g.actor)


def present() -> datetime:
    """The one instant of this request."""
    return cast(datetime, g.now)
