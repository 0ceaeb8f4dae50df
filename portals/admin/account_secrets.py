"""A subscriber's password: set a new one, or look it up where the tenant allows that (OPS-9)."""

import secrets

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.account import read_account, require_open
from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.toasts import toast
from tenants.subscribers.password import query_password, reset_password

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


@blueprint.route("/accounts/<int:account_id>/password", methods=["GET", "POST"])
@requires("accounts.view")
def reset_secret(account_id: int) -> str | Response | tuple[str, int]:
    """A new password, proposed at random; it holds from the next login."""
    account = read_account(account_id)
    actor().require("op.reset_password")
    require_open(account)
    labels = {"new_secret": _("New password")}
    form = Form(request.form if request.method == "POST" else None, labels, new_secret=_proposal())
    if request.method == "POST":
        password = form.text("new_secret", required=True, longest=64, strip=False)
        if form.ok:
            with form.refusals(field="new_secret"):
                reset_password(scope(), account_id, password, actor=actor(), now=present())
        if form.ok:
            toast(_("%(name)s has a new password. It holds from the next login.", name=account.username))
            return redirect_after(url_for("admin.show_account", account_id=account_id))
    back = url_for("admin.show_account", account_id=account_id)
    page = render_template("admin/account_password.html", form=form, account=account, back=back)
    return page if form.ok else (page, 422)


@blueprint.route("/accounts/<int:account_id>/password/show", methods=["GET", "POST"])
@requires("accounts.view")
def query_secret(account_id: int) -> str | tuple[str, int]:
    """The password in plain text, after a button that says it is written down who looked."""
    account = read_account(account_id)
    actor().require("op.query_password")
    form = Form(request.form if request.method == "POST" else None)
    shown = ""
    if request.method == "POST":
        with form.refusals():
            shown = query_password(scope(), account_id, actor=actor(), now=present())
    back = url_for("admin.show_account", account_id=account_id)
    page = render_template("admin/account_password_shown.html", form=form, account=account, shown=shown, back=back)
    return page if form.ok else (page, 422)


def _proposal() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(8))
