"""The own data: profile, renewal by itself, the bound device (SLF-4, SLF-10)."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.selfcare.blueprint import account_id, actor, blueprint, present, read_account, scope
from portals.shared.access import requires, signed_in
from portals.shared.currency import currency_sign
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.operate import operate
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import toast
from tenants.billing.auto_renew import SetAutoRenew, set_auto_renew
from tenants.subscribers.bind import Unbind, unbind
from tenants.subscribers.edit_own_profile import OwnProfile, edit_own_profile


@blueprint.get("/me")
@signed_in
def show_me() -> str:
    """Everything that is kept about the own account, and where to change it."""
    return render_template("selfcare/me.html", account=read_account(), settings=tenant_settings(), sign=currency_sign())


@blueprint.route("/me/profile", methods=["GET", "POST"])
@signed_in
def edit_profile() -> str | Response | tuple[str, int]:
    """Phone, e-mail and address; the name stays with the provider."""
    account = read_account()
    labels = {"phone": _("Phone"), "email": _("E-mail"), "address": _("Address")}
    if request.method == "GET":
        form = Form(None, labels, phone=account.phone, email=account.email, address=account.address)
        return render_template("selfcare/profile.html", form=form, account=account)
    form = Form(request.form, labels)
    profile = OwnProfile(form.text("phone", longest=40), form.text("email", longest=254), form.text("address"))
    if form.ok:
        with form.refusals():
            edit_own_profile(scope(), profile, actor=actor(), now=present())
            toast(_("Saved."))
            return redirect(url_for("selfcare.show_me"), 303)
    return render_template("selfcare/profile.html", form=form, account=account), 422


@blueprint.post("/me/auto-renew")
@signed_in
def switch_auto_renew() -> Response:
    """Renew from the balance when the period ends, or do not."""
    on = request.form.get("on") == "1"
    if read_account().auto_renew != on:
        operate(set_auto_renew, SetAutoRenew(account_id(), on))
    if on:
        toast(_("From now on the plan renews itself from your balance."))
    else:
        toast(_("The plan no longer renews itself."))
    return redirect(url_for("selfcare.show_me"), 303)


@blueprint.post("/me/unbind")
@requires("op.unbind")
def unbind_device() -> Response:
    """Let go of the bound device; the next one that connects is bound."""
    unbind(scope(), Unbind(account_id(), "mac", learn_again=True), actor=actor(), now=present())
    toast(_("The old device is unbound. Connect with the new one now."))
    return redirect(url_for("selfcare.show_me"), 303)
