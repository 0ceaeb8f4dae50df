"""Who is signed in. Each portal has a realm (operator, subscriber, platform); a login of one realm and tenant never
counts in another, although one browser may hold several.

The login stands in the signed session cookie under a key that names realm and tenant; the cookie itself belongs to one
entrance (own name and path per tenant). It carries the person's ``epoch``: the portal's ``load`` refuses a stale one,
so that a changed password or a second login ends the others (STF-4).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from flask import Flask, Request, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user
from werkzeug.exceptions import Forbidden as ForbiddenPage
from werkzeug.wrappers import Response

from infra import clock
from infra.settings import Settings
from portals.shared.access import access_of
from portals.shared.addresses import SLUG_KEY, is_local_path
from portals.shared.frame import Portal
from portals.shared.i18n import _
from portals.shared.tenancy import tenant_idle_seconds
from portals.shared.toasts import toast
from tenants.audit.log_login import log_logout
from tenants.kernel.actor import Actor
from tenants.registry.errors import TenantSuspended
from tenants.registry.support_login import SupportView, running_support
from tenants.registry.suspend import suspended_reason
from tenants.staff.support_actor import support_actor

IDLE_SECONDS = 30 * 60
_TOUCH_SECONDS = 30  # how old "last seen" may grow before the cookie is written again


@dataclass(frozen=True, slots=True)
class Login:
    """A remembered login, as the cookie holds it. ``by`` names the platform operator of a support login."""

    id: int
    epoch: int
    since: int
    seen: int
    by: str = ""


@dataclass(frozen=True)
class Visitor(UserMixin):  # type: ignore[misc]
    """The person signed in to this portal. ``row`` is whatever the portal wants to keep at hand; ``support`` is set for
    somebody of the platform who looks after this tenant for a while."""

    id: int
    name: str
    actor: Actor
    note: str = ""
    must_change_password: bool = False
    row: Any = None
    support: SupportView | None = None

    def may(self, right: str) -> bool:
        """Whether the person has the right."""
        return self.actor.may(right)


class EntranceSessions(SecureCookieSessionInterface):
    """A session cookie per entrance: a tenant's cookie is not even sent to another tenant's path."""

    def get_cookie_name(self, app: Flask) -> str:
        """``bl`` for the installation's own pages, ``bl_<slug>`` for a tenant's."""
        slug = request.environ.get(SLUG_KEY, "")
        return f"bl_{slug}" if slug else "bl"

    def get_cookie_path(self, app: Flask) -> str:
        """The tenant's path in the path form, else everything."""
        return f"{request.script_root}/"


def portals() -> dict[str, Portal]:
    """The registered portals by blueprint name."""
    return cast(dict[str, Portal], current_app.extensions["broadloom_portals"])


def current_portal() -> Portal | None:
    """The portal of this request; None for a page of no portal (also for an unknown path)."""
    return portals().get(request.blueprint or "")


def portal_of_path() -> Portal | None:
    """The portal whose entrance an unknown path lies beneath."""
    space = getattr(g, "space", "base")
    fitting = [p for p in portals().values() if p.space == space and request.path.startswith(f"{p.url_prefix}/")]
    return max(fitting, key=lambda portal: len(portal.url_prefix), default=None)


def visitor() -> Visitor | None:
    """The person signed in to this portal, or None."""
    user = current_user._get_current_object()
    return user if isinstance(user, Visitor) else None


def here() -> Visitor:
    """The person signed in; only in views that are not public."""
    found = visitor()
    if found is None:
        raise RuntimeError("nobody is signed in; is the view declared with @requires or @signed_in?")
    return found


def sign_in(id: int, epoch: int, *, portal: Portal | None = None, by: str = "", login_id: int = 0) -> None:
    """Remember a login after the password was found right. What an earlier visitor left behind is dropped first.

    ``login_id``: its entry in the tenant's login log, where :func:`sign_out` notes the end; a person who is here
    already (with a new password now) goes on under the same one.
    """
    portal = portal or current_portal()
    if portal is None or not portal.realm:
        raise RuntimeError("a portal without a realm has nobody to sign in")
    earlier = session.get(_key(portal), {})
    if not login_id and (earlier.get("id"), earlier.get("by")) == (id, by):
        login_id = earlier.get("login", 0)
    kept = {key: value for key, value in session.items() if isinstance(value, dict) and "@" in key}
    session.clear()  # also the CSRF token: one that was planted before the login is worth nothing after it
    now = int(clock.now().timestamp())
    session.update(kept)
    session[_key(portal)] = {
        "id": id, "epoch": epoch, "since": now, "seen": now, "by": by, "login": login_id, "n": secrets.token_hex(4)
    }  # fmt: skip
    g.pop("_login_user", None)


def sign_out(portal: Portal | None = None, *, at: datetime | None = None) -> None:
    """Forget the login of this portal, and note its end (now, or ``at`` when it ended earlier) in the login log."""
    portal = portal or current_portal()
    if portal is not None:
        left = session.pop(_key(portal), None)
        session.pop("csrf_token", None)
        if isinstance(left, dict) and left.get("login"):
            log_logout(g.scope, int(left["login"]), now=at or g.now)
    g.pop("_login_user", None)


def after_login(default: str) -> str:
    """Where to go after the login: ``next`` if it is a path of this entrance, else ``default``."""
    target = request.values.get("next", "")
    return target if is_local_path(target) else default


def _key(portal: Portal) -> str:
    tenant = getattr(g, "tenant", None)
    return f"{portal.realm}@{tenant.id if tenant is not None else 0}"


def _load(_request: Request) -> Visitor | None:
    portal = current_portal() or portal_of_path()
    if portal is None or not portal.realm or portal.load is None:
        return None
    raw = session.get(_key(portal))
    if not isinstance(raw, dict):
        return None
    login = Login(int(raw["id"]), int(raw["epoch"]), int(raw["since"]), int(raw["seen"]), str(raw.get("by", "")))
    now = int(clock.now().timestamp())
    usual = tenant_idle_seconds if portal.realm == "operator" else lambda: IDLE_SECONDS
    idle: Callable[[], int] = portal.more.get("idle_seconds", usual)
    if now - login.seen > idle():
        sign_out(portal, at=datetime.fromtimestamp(login.seen, UTC))
        toast(_("You were signed out because nothing happened for a while."))
        return None
    found = _support_visitor(login) if login.by else portal.load(login)
    if found is None:
        sign_out(portal, at=datetime.fromtimestamp(login.seen, UTC))
        if login.by:
            toast(_("The support login is over."))
        return None
    if now - login.seen > _TOUCH_SECONDS and not g.is_background:
        session[_key(portal)] = {**raw, "seen": now}
    return cast(Visitor, found)


def _support_visitor(login: Login) -> Visitor | None:
    """The platform's own person in a tenant's administration: only while the support login runs (TEN-5)."""
    support = running_support(g.scope, login.id, g.now)
    if support is None:
        return None
    actor = support_actor(support, request.remote_addr or "")
    return Visitor(login.id, support.operator, actor, _("Platform support"), support=support)


def guard() -> Response | None:
    """Let a request through only if its route's declaration allows it; a route without one answers nobody."""
    endpoint = request.endpoint
    if endpoint is None:
        return None  # an unknown path: the error page follows
    access = access_of(current_app._get_current_object(), endpoint)  # type: ignore[attr-defined]
    if access is None:
        raise RuntimeError(f"the route {endpoint} declares no access (@requires, @signed_in or @public)")
    if access.kind == "public":
        return None
    found = visitor()
    if found is None:
        return _ask_to_sign_in()
    g.actor = found.actor
    if g.space == "tenant" and g.tenant.state == "suspended" and endpoint != _logout_endpoint():
        _refuse_suspended(found)
    if access.kind == "right" and not found.may(access.right):
        g.missing_right = access.right
        raise ForbiddenPage
    forced = current_portal().more.get("change_password_endpoint", "")  # type: ignore[union-attr]
    if found.must_change_password and forced and endpoint not in (forced, _logout_endpoint()):
        return redirect(url_for(forced))
    return None


def _refuse_suspended(person: Visitor) -> None:
    """Nobody of a suspended tenant works in it, save the platform itself; subscribers are not told why."""
    if person.support is None:
        reason = suspended_reason(g.scope) if person.actor.kind == "operator" else ""
        raise TenantSuspended(slug=g.tenant.slug, reason=reason)


def _logout_endpoint() -> str:
    return f"{request.blueprint}.log_out"


def _ask_to_sign_in() -> Response:
    portal = current_portal()
    if portal is None or not portal.login_endpoint:
        raise ForbiddenPage
    asked = request.full_path.rstrip("?") if request.method == "GET" else request.path
    fragment = request.headers.get("HX-Request") == "true"
    if fragment or request.method != "GET":
        target = url_for(portal.login_endpoint)
    else:
        target = url_for(portal.login_endpoint, next=f"{request.script_root}{asked}")
    if fragment:
        return Response("", 401, {"HX-Redirect": target})
    return redirect(target)


def init_login(app: Flask, settings: Settings) -> None:
    """Install sessions and the login; the guard itself is called by the application in its order."""
    app.session_interface = EntranceSessions()
    app.config.update(
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    manager = LoginManager()
    manager.session_protection = None
    manager.init_app(app, add_context_processor=False)
    manager.request_loader(_load)
