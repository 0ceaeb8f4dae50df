"""Change the own password."""

from flask import render_template, url_for
from werkzeug.wrappers import Response

from portals.platform.blueprint import actor, blueprint, database, present
from portals.shared import own_password
from portals.shared.access import signed_in
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.login import here
from portals.shared.security import limiter
from tenants.registry.platform_password import change_platform_password
from tenants.registry.rules import SHORTEST_PASSWORD


@blueprint.route("/password", methods=["GET", "POST"])
@limiter.limit("10 per minute", methods=["POST"])
@signed_in
def change_password() -> str | Response | tuple[str, int]:
    """All other sign-ins of this person end."""
    return own_password.change_own_password(
        lambda old, new: change_platform_password(
            database(), here().id, old, new, address=actor().address, now=present()
        ),
        _page,
        done=_("Your password is changed. Other sign-ins with the old one have ended."),
        then=url_for("platform.show_overview"),
    )


def _page(form: Form) -> str:
    return render_template("platform/own_password.html", form=form, least=SHORTEST_PASSWORD)
