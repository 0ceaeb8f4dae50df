"""Change the own password, which is also the router's (SLF-4)."""

from flask import render_template, url_for
from werkzeug.wrappers import Response

from portals.selfcare.blueprint import actor, blueprint, present, scope
from portals.shared import own_password
from portals.shared.access import signed_in
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.security import limiter
from tenants.subscribers.change_own_password import SHORTEST_OWN_PASSWORD, ChangeOwnPassword, change_own_password


@blueprint.route("/me/password", methods=["GET", "POST"])
@limiter.limit("20 per minute", methods=["POST"])
@signed_in
def change_password() -> str | Response | tuple[str, int]:
    """All other sign-ins end; the router needs the new one from its next login."""
    return own_password.change_own_password(
        lambda old, new: change_own_password(scope(), ChangeOwnPassword(old, new), actor=actor(), now=present()),
        _page,
        done=_("Your password is changed. Type it into your router too."),
        then=url_for("selfcare.show_me"),
    )


def _page(form: Form) -> str:
    return render_template("selfcare/own_password.html", form=form, least=SHORTEST_OWN_PASSWORD)
