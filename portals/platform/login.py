"""Sign in to the platform console and out of it."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.platform.blueprint import blueprint, database, present
from portals.shared.access import public, signed_in
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.login import after_login, sign_in, sign_out, visitor
from portals.shared.security import limiter
from tenants.registry.platform_operators import try_log_in


@blueprint.route("/login", methods=["GET", "POST"])
@limiter.limit("10 per minute", methods=["POST"])
@public
def log_in() -> str | Response | tuple[str, int]:
    """E-mail and password; both outcomes are in the platform's log."""
    home = url_for("platform.show_overview")
    if visitor() is not None:
        return redirect(after_login(home))
    labels = {"email": _("E-mail"), "password": _("Password")}
    if request.method == "GET":
        return _page(Form(None, labels))
    form = Form(request.form, labels)
    email = form.text("email", required=True, longest=254)
    password = form.text("password", required=True, longest=128, strip=False)
    if form.ok:
        with form.refusals():
            found = try_log_in(database(), email, password, address=request.remote_addr or "", now=present())
            sign_in(found.id, found.session_epoch)
            return redirect(after_login(home), 303)
    return _page(form), 422


def _page(form: Form) -> str:
    return render_template("platform/login.html", form=form, next=request.values.get("next", ""))


@blueprint.post("/logout")
@signed_in
def log_out() -> Response:
    """Forget the login."""
    sign_out()
    return redirect(url_for("platform.log_in"), 303)
