"""A short-lived, single-use ticket that carries a login from one entrance to another: from the end of a sign-up into
the new tenant's administration, whose cookie the site's address cannot set.
"""

from dataclasses import asdict, dataclass
from secrets import token_hex

from flask import Blueprint, current_app, g, redirect, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer
from redis import Redis, RedisError
from werkzeug.wrappers import Response

from infra.errors import ServersError
from infra.servers import resolve
from portals.shared.access import public
from portals.shared.i18n import _
from portals.shared.login import portals, sign_in
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation

LIFETIME_SECONDS = 10 * 60
blueprint = Blueprint("entrance", __name__)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who may enter which portal of which tenant; ``by`` names the platform operator of a support login."""

    tenant_id: int
    portal: str
    person_id: int
    epoch: int
    by: str = ""


def ticket_path(ticket: Ticket) -> str:
    """Path beneath the tenant's address that signs the person in, once."""
    return f"/enter/{_serializer().dumps({**asdict(ticket), 'nonce': token_hex(8)})}"


@blueprint.get("/enter/<text>")
@public
def enter(text: str) -> Response:
    """Sign in by ticket; a used, old or foreign one leads to the ordinary login."""
    try:
        found = _serializer().loads(text, max_age=LIFETIME_SECONDS)
        ticket = Ticket(**{name: found[name] for name in Ticket.__slots__})
    except (BadData, KeyError, TypeError):
        return _refused("admin")
    if ticket.tenant_id != g.tenant.id or ticket.portal not in portals() or not _first_use(str(found["nonce"])):
        return _refused(ticket.portal)
    portal = portals()[ticket.portal]
    sign_in(ticket.person_id, ticket.epoch, portal=portal, by=ticket.by)
    return redirect(url_for(portal.home_endpoint), 303)


def _first_use(nonce: str) -> bool:
    """Without Redis nobody can tell, so nobody enters this way: the password still works."""
    try:
        with Redis.from_url(resolve(installation().settings).redis_url, socket_timeout=2) as redis:
            return bool(redis.set(f"web:ticket:{nonce}", "1", nx=True, ex=LIFETIME_SECONDS))
    except (RedisError, ServersError, OSError):
        return False


def _refused(portal_name: str) -> Response:
    toast(_("This link has been used or is too old. Sign in with your password."))
    portal = portals().get(portal_name)
    return redirect(url_for(portal.login_endpoint) if portal is not None else f"{request.script_root}/", 303)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="hand-over")
