"""Change the own password; forced after the first sign-in with one that somebody else chose (STF-5)."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import signed_in
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.login import here, sign_in
from portals.shared.toasts import toast
from tenants.kernel.errors import BusinessError
from tenants.staff.change_password import ChangePassword, change_password


@blueprint.route("/password", methods=["GET", "POST"])
@signed_in
def change_own_password() -> str | Response | tuple[str, int]:
    """Present password, new one twice; all other sign-ins of this person end."""
    labels = {
        "old_password": _("Present password"),
        "new_password": _("New password"),
        "new_password_again": _("New password again"),
    }
    if request.method == "GET":
        return render_template("admin/own_password.html", form=Form(None, labels), forced=here().must_change_password)
    form = Form(request.form, labels)
    current = form.text("old_password", strip=False)
    password = form.text("new_password", strip=False)
    if form.text("new_password_again", strip=False) != password:
        form.fail("new_password_again", _("The two new passwords differ."))
    if form.ok:
        try:
            epoch = change_password(scope(), ChangePassword(current, password), actor=actor(), now=present())
        except BusinessError as error:
            form.reject(error)
        else:
            sign_in(here().id, epoch)
            toast(_("Your password is changed. Other sign-ins with the old one have ended."))
            return redirect(url_for("admin.home"))
    return render_template("admin/own_password.html", form=form, forced=here().must_change_password), 422
