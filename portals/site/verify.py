"""The link in the verification mail: opening it only shows a button, because mail scanners open links too."""

import time

from flask import g, render_template, session
from werkzeug.exceptions import NotFound as NotFoundPage

from portals.shared.access import public
from portals.shared.addresses import tenant_url
from portals.shared.errors import error_text
from portals.shared.hand_over import Ticket, ticket_path
from portals.shared.login import portals
from portals.shared.security import limiter
from portals.shared.unit_of_work import installation
from portals.site.portal import blueprint
from tenants.onboarding.verify import check_link, verify
from tenants.registry.errors import TokenExpired, TokenUnknown, TokenUsed

_FIRST_EPOCH = 1  # of an operator who was made a moment ago


@blueprint.get("/verify/<token>")
@limiter.limit("60 per hour")
@public
def show_verify(token: str) -> str | tuple[str, int]:
    """The button that makes the tenant, or why the link does not work any more."""
    if len(token) > 200:
        raise NotFoundPage
    try:
        check_link(installation().database, token, now=g.now)
    except (TokenUnknown, TokenExpired, TokenUsed) as refusal:
        return render_template("site/verify.html", token=token, refusal=refusal, sentence=error_text(refusal)), 410
    return render_template("site/verify.html", token=token, refusal=None)


@blueprint.post("/verify/<token>")
@limiter.limit("20 per hour")
@public
def send_verify(token: str) -> str | tuple[str, int]:
    """Make the tenant, show its addresses, and offer the way in without typing the password again."""
    began = time.monotonic()
    try:
        made = verify(installation().database, token, now=g.now)
    except (TokenUnknown, TokenExpired, TokenUsed) as refusal:
        return render_template("site/verify.html", token=token, refusal=refusal, sentence=error_text(refusal)), 422
    session.pop("sign_up_email", None)
    settings, slug = installation().settings, made.tenant.slug
    admin = portals().get("admin")
    ticket = Ticket(made.tenant.id, "admin", made.operator_id, _FIRST_EPOCH)
    return render_template(
        "site/ready.html",
        tenant=made.tenant,
        username=made.operator_username,
        admin_url=tenant_url(settings, slug, "/admin/"),
        selfcare_url=tenant_url(settings, slug),
        enter_url=tenant_url(settings, slug, ticket_path(ticket)) if admin is not None else "",
        seconds=time.monotonic() - began,
    )
