"""Sign-ups that wait for their verification: send the link again, or drop them."""

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from portals.platform.blueprint import actor, blueprint, database, present
from portals.shared.access import signed_in
from portals.shared.i18n import _
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation
from tenants.kernel.errors import NotFound
from tenants.onboarding.delete_sign_up import delete_sign_up
from tenants.onboarding.resend import resend
from tenants.reports.queries_platform import list_sign_ups as read_sign_ups


@blueprint.get("/sign-ups/")
@signed_in
def list_sign_ups() -> str:
    """The newest first."""
    return render_template("platform/sign_ups.html", rows=read_sign_ups(database()))


@blueprint.post("/sign-ups/<int:sign_up_id>/resend")
@signed_in
def resend_sign_up(sign_up_id: int) -> Response:
    """A new link; the old one stops working."""
    row = next((row for row in read_sign_ups(database(), limit=500) if row.id == sign_up_id), None)
    if row is None:
        raise NotFound(what="sign-up", ref=sign_up_id)
    sent = resend(database(), row.email, now=present(), site_url=installation().settings.site_url)
    if sent is None:
        toast(_("This sign-up has expired; it has to be made anew."))
    else:
        toast(_("A new link is on its way to %(email)s; the old one no longer works.", email=row.email))
    return redirect(url_for("platform.list_sign_ups"), 303)


@blueprint.post("/sign-ups/<int:sign_up_id>/delete")
@signed_in
def drop_sign_up(sign_up_id: int) -> Response:
    """Its address is free again."""
    slug = delete_sign_up(database(), sign_up_id, actor=actor(), now=present())
    toast(_("The sign-up is deleted; the address %(slug)s is free again.", slug=slug))
    return redirect(url_for("platform.list_sign_ups"), 303)
