"""The platform console as the application mounts it: on the installation's own address, at ``/platform``."""

from flask import request, url_for

from portals.platform import (  # noqa: F401  (each module hangs its routes on the blueprint)
    audit,
    cells,
    engines,
    jobs,
    login,
    overview,
    own_password,
    sign_ups,
    support,
    tenant,
    tenants,
)
from portals.platform.blueprint import blueprint, database
from portals.shared.frame import Frame, NavEntry, Portal
from portals.shared.i18n import _, lazy
from portals.shared.login import Login, Visitor, here
from tenants.kernel.actor import Actor
from tenants.registry.platform_operators import platform_operator

NAV = (
    NavEntry("overview", lazy("Overview"), "layout-dashboard", "platform.show_overview", "h"),
    NavEntry("tenants", lazy("Tenants"), "building", "platform.list_tenants", "t"),
    NavEntry("sign_ups", lazy("Sign-ups"), "user-plus", "platform.list_sign_ups", "u"),
    NavEntry("engines", lazy("Engines"), "server-2", "platform.list_engines", "e"),
    NavEntry("jobs", lazy("Queues and jobs"), "stack-2", "platform.show_jobs", "q"),
    NavEntry("cells", lazy("Database cells"), "database", "platform.list_cells", "s"),
    NavEntry("support", lazy("Support logins"), "lifebuoy", "platform.list_support", "l"),
    NavEntry("audit", lazy("Log"), "history", "platform.list_audit", "a"),
)


def load(login_: Login) -> Visitor | None:
    """The platform operator of a remembered login; None once the password was changed."""
    found = platform_operator(database(), login_.id, login_.epoch)
    if found is None:
        return None
    actor = Actor("platform", found.id, found.email, everything=True, address=request.remote_addr or "")
    return Visitor(found.id, found.name or found.email, actor, found.email)


def frame() -> Frame:
    """A neutral accent, so that nobody mistakes it for a tenant's administration."""
    return Frame(
        brand="Broadloom",
        brand_note=_("Platform console"),
        nav=NAV,
        home_url=url_for("platform.show_overview"),
        search_url=url_for("platform.list_tenants"),
        search_hint=_("Tenant, address, domain, identifier prefix"),
        person=here().name,
        person_note=here().note,
        person_links=[(_("Change my password"), url_for("platform.change_password"), "key")],
        logout_url=url_for("platform.log_out"),
        neutral=True,
    )


PORTAL = Portal(
    blueprint=blueprint,
    space="base",
    url_prefix="/platform",
    realm="platform",
    load=load,
    login_endpoint="platform.log_in",
    home_endpoint="platform.show_overview",
    frame=frame,
)
