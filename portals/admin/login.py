"""Sign in and out (STF-4, STF-7)."""

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import blueprint, present
from portals.shared.access import public, signed_in
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.login import after_login, sign_in, sign_out, visitor
from portals.shared.security import limiter
from portals.shared.unit_of_work import installation
from tenants.staff.log_in import LogIn, try_log_in


@blueprint.route("/login", methods=["GET", "POST"])
@public
@limiter.limit("20 per minute", methods=["POST"])
def log_in() -> str | Response | tuple[str, int]:
    """User name (or e-mail) and password; a wrong one is written down and says only that something was wrong."""
    if visitor() is not None:
        return redirect(after_login(url_for("admin.home")))
    labels = {"username": _("User name or e-mail"), "password": _("Password")}
    if request.method == "GET":
        return _page(Form(None, labels))
    form = Form(request.form, labels)
    username, password = form.text("username"), form.text("password", strip=False)
    if form.ok:
        with form.refusals():
            asked = LogIn(username, password, request.remote_addr or "")
            found = try_log_in(installation().database, g.tenant, asked, now=present())
            sign_in(found.operator_id, found.session_epoch, login_id=found.login_id)
            return redirect(after_login(url_for("admin.home")))
    return _page(form), 422


def _page(form: Form) -> str:
    return render_template("admin/login.html", form=form, next=request.values.get("next", ""))


@blueprint.post("/logout")
@signed_in
def log_out() -> Response:
    """Forget the login."""
    sign_out()
    return redirect(url_for("admin.log_in"))
