"""Change the own password."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.platform.blueprint import actor, blueprint, database, present
from portals.shared.access import signed_in
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.login import here, sign_in
from portals.shared.security import limiter
from portals.shared.toasts import toast
from tenants.kernel.errors import BusinessError
from tenants.registry.platform_password import change_platform_password
from tenants.registry.rules import SHORTEST_PASSWORD


@blueprint.route("/password", methods=["GET", "POST"])
@limiter.limit("10 per minute", methods=["POST"])
@signed_in
def change_password() -> str | Response | tuple[str, int]:
    """Present password, new one twice; all other sign-ins of this person end."""
    labels = {
        "old_password": _("Present password"),
        "new_password": _("New password"),
        "new_password_again": _("New password again"),
    }
    if request.method == "GET":
        return _page(Form(None, labels))
    form = Form(request.form, labels)
    old = form.text("old_password", required=True, longest=128, strip=False)
    new = form.text("new_password", required=True, longest=128, strip=False)
    if form.text("new_password_again", required=True, longest=128, strip=False) != new:
        form.fail("new_password_again", _("The two new passwords differ."))
    if form.ok:
        try:
            epoch = change_platform_password(database(), here().id, old, new, address=actor().address, now=present())
        except BusinessError as error:
            form.reject(error)
        else:
            sign_in(here().id, epoch)
            toast(_("Your password is changed. Other sign-ins with the old one have ended."))
            return redirect(url_for("platform.show_overview"), 303)
    return _page(form), 422


def _page(form: Form) -> str:
    return render_template("platform/own_password.html", form=form, least=SHORTEST_PASSWORD)
