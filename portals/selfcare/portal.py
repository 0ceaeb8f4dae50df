"""Self-service as the application mounts it: the root of each tenant's address."""

from flask import request, url_for

from portals.selfcare import contact, home, login, me, orders, own_password, renew, sessions  # noqa: F401
from portals.selfcare.blueprint import blueprint, scope
from portals.shared.frame import Frame, NavEntry, Portal
from portals.shared.i18n import lazy
from portals.shared.login import Login, Visitor, here
from portals.shared.tenancy import tenant_accent, tenant_brand, tenant_settings
from tenants.subscribers.self_signed_in import self_signed_in

NAV = (
    NavEntry("home", lazy("Home"), "home", "selfcare.show_home"),
    NavEntry("orders", lazy("Bills"), "receipt", "selfcare.list_orders"),
    NavEntry("sessions", lazy("Usage"), "activity", "selfcare.list_sessions"),
    NavEntry("me", lazy("Me"), "user", "selfcare.show_me"),
)


def load(login_: Login) -> Visitor | None:
    """The subscriber of a remembered login; None once the password was changed or the account is gone."""
    found = self_signed_in(scope(), login_.id, login_.epoch, address=request.remote_addr or "")
    return None if found is None else Visitor(login_.id, found.name or found.username, found.actor, found.username)


def frame() -> Frame:
    """Four tabs and the provider's name and colour."""
    return Frame(
        brand=tenant_brand(),
        title=tenant_settings().page_title,
        nav=NAV,
        home_url=url_for("selfcare.show_home"),
        person=here().name,
        logout_url=url_for("selfcare.log_out"),
        accent=tenant_accent(),
        layout="layouts/selfcare.html",
    )


PORTAL = Portal(
    blueprint=blueprint,
    space="tenant",
    realm="subscriber",
    load=load,
    login_endpoint="selfcare.log_in",
    home_endpoint="selfcare.show_home",
    frame=frame,
)
