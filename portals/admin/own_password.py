"""Change the own password; forced after the first sign-in with one that somebody else chose (STF-5)."""

from flask import render_template, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared import own_password
from portals.shared.access import signed_in
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.login import here
from portals.shared.security import limiter
from tenants.staff.change_password import ChangePassword, change_password


@blueprint.route("/password", methods=["GET", "POST"])
@limiter.limit("20 per minute", methods=["POST"])
@signed_in
def change_own_password() -> str | Response | tuple[str, int]:
    """All other sign-ins of this person end."""
    return own_password.change_own_password(
        lambda old, new: change_password(scope(), ChangePassword(old, new), actor=actor(), now=present()),
        _page,
        done=_("Your password is changed. Other sign-ins with the old one have ended."),
        then=url_for("admin.home"),
    )


def _page(form: Form) -> str:
    return render_template("admin/own_password.html", form=form, forced=here().must_change_password)
