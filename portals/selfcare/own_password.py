"""Change the own password, which is also the router's (SLF-4)."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.selfcare.blueprint import actor, blueprint, present, scope
from portals.shared.access import signed_in
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.login import here, sign_in
from portals.shared.security import limiter
from portals.shared.toasts import toast
from tenants.kernel.errors import BusinessError
from tenants.subscribers.change_own_password import SHORTEST_OWN_PASSWORD, ChangeOwnPassword, change_own_password


@blueprint.route("/me/password", methods=["GET", "POST"])
@limiter.limit("20 per minute", methods=["POST"])
@signed_in
def change_password() -> str | Response | tuple[str, int]:
    """Present password, new one twice; all other sign-ins end, the router needs the new one from its next login."""
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
            epoch = change_own_password(scope(), ChangeOwnPassword(old, new), actor=actor(), now=present())
        except BusinessError as error:
            form.reject(error)
        else:
            sign_in(here().id, epoch)
            toast(_("Your password is changed. Type it into your router too."))
            return redirect(url_for("selfcare.show_me"), 303)
    return _page(form), 422


def _page(form: Form) -> str:
    return render_template("selfcare/own_password.html", form=form, least=SHORTEST_OWN_PASSWORD)
