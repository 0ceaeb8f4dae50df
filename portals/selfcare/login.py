"""Sign in to self-service and out of it (SLF-1)."""

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.selfcare.blueprint import blueprint, present
from portals.shared.access import public, signed_in
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.login import after_login, sign_in, sign_out, visitor
from portals.shared.security import limiter
from portals.shared.tenancy import tenant_settings
from portals.shared.unit_of_work import installation
from tenants.subscribers.self_log_in import SelfLogIn, try_log_in


@blueprint.route("/login", methods=["GET", "POST"])
@limiter.limit("20 per minute", methods=["POST"])
@public
def log_in() -> str | Response | tuple[str, int]:
    """Account and password, the same that the router dials with."""
    if visitor() is not None:
        return redirect(after_login(url_for("selfcare.show_home")))
    labels = {"username": _("Account"), "password": _("Password")}
    if request.method == "GET":
        return _page(Form(None, labels))
    form = Form(request.form, labels)
    username = form.text("username", required=True, longest=63)
    password = form.text("password", required=True, longest=128, strip=False)
    if form.ok:
        with form.refusals():
            asked = SelfLogIn(username, password, request.remote_addr or "")
            found = try_log_in(installation().database, g.tenant, asked, now=present())
            sign_in(found.account_id, found.session_epoch, login_id=found.login_id)
            return redirect(after_login(url_for("selfcare.show_home")), 303)
    return _page(form), 422


def _page(form: Form) -> str:
    return render_template(
        "selfcare/login.html", form=form, next=request.values.get("next", ""), settings=tenant_settings()
    )


@blueprint.post("/logout")
@signed_in
def log_out() -> Response:
    """Forget the login."""
    sign_out()
    return redirect(url_for("selfcare.log_in"), 303)
