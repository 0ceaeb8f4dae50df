"""Somebody of the platform in a tenant's administration (TEN-5): who is told, and how it is ended.

How such a login is read stands in :mod:`portals.shared.login`; the platform console begins it.
"""

from weakref import WeakSet

from flask import Blueprint, g, redirect, url_for
from werkzeug.wrappers import Response

from portals.shared.access import signed_in
from portals.shared.i18n import _
from portals.shared.login import current_portal, here, sign_out, visitor
from portals.shared.toasts import toast
from tenants.kernel.errors import Forbidden
from tenants.registry.support_login import SupportView, all_running_support, end_support_here

_ADDED: WeakSet[Blueprint] = WeakSet()


def support_notices() -> list[SupportView]:
    """What the head of the administration says: the own support login, or those that run, to whoever keeps the logs."""
    person, portal = visitor(), current_portal()
    if person is None or portal is None or portal.realm != "operator" or not hasattr(g, "scope"):
        return []
    if person.support is not None:
        return [person.support]
    return all_running_support(g.scope, g.now) if person.may("logs.view") else []


def end_support(support_id: int) -> Response:
    """End a support login from inside the tenant: by the supporter himself, or by staff who may change settings."""
    person = here()
    own = person.support is not None and person.support.id == support_id
    if not own and not person.may("settings.edit"):
        raise Forbidden(permission="settings.edit")
    ended = end_support_here(g.scope, support_id, actor=person.actor, now=g.now)
    toast(_("The support login is ended.") if ended else _("The support login was over already."))
    portal = current_portal()
    assert portal is not None  # the route hangs on one
    if own:
        sign_out()
        return redirect(url_for(portal.login_endpoint), 303)
    return redirect(url_for(portal.home_endpoint), 303)


def add_support_routes(blueprint: Blueprint) -> None:
    """Hang the route on the administration's blueprint, once per process (tests make several applications)."""
    if blueprint not in _ADDED:
        _ADDED.add(blueprint)
        blueprint.add_url_rule("/support/<int:support_id>/end", "end_support", signed_in(end_support), methods=["POST"])
