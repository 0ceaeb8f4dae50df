"""Delete an account, see the deleted ones, bring one back within 30 days (SUB-9)."""

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.account import read_account
from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _, lazy
from portals.shared.lists import Column, ListView
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import toast
from tenants.subscribers import queries_list
from tenants.subscribers.delete_account import delete_account, restore_account
from tenants.subscribers.queries_list import AccountFilter
from tenants.subscribers.rules import NAME_KEPT_DAYS

COLUMNS = (
    Column("username", lazy("User name"), mono=True, phone="title", fixed=True),
    Column("name", lazy("Full name"), phone="plain"),
    Column("plan", lazy("Plan"), phone="plain"),
    Column("opened", lazy("Opened")),
    Column("restore", lazy("Actions"), phone="right", fixed=True),
)


@blueprint.get("/accounts/deleted")
@requires("accounts.delete")
def list_deleted() -> str:
    """Deleted accounts; their orders and money stay for ever."""
    view = ListView.from_request("deleted", COLUMNS)
    wanted = AccountFilter(text=view.text, deleted=True, expiring_days=tenant_settings().expiring_days)
    page = queries_list.list_accounts(scope(), wanted, actor(), present(), cursor=view.cursor, size=view.size)
    return render_template("admin/accounts_deleted.html", view=view, page=page, days=NAME_KEPT_DAYS)


@blueprint.route("/accounts/<int:account_id>/delete", methods=["GET", "POST"])
@requires("accounts.view")
def delete_account_page(account_id: int) -> str | Response | tuple[str, int]:
    """Confirmed by typing the user name; nothing with money left on it is deleted."""
    account = read_account(account_id)
    actor().require("accounts.delete")
    form = Form(request.form if request.method == "POST" else None, {"confirm": _("User name")})
    if request.method == "POST":
        if form.text("confirm") != account.username:
            form.fail("confirm", _("Type exactly %(identifier)s.", identifier=account.username))
        if form.ok:
            with form.refusals():
                delete_account(scope(), account_id, actor=actor(), now=present())
        if form.ok:
            toast(_("Deleted %(name)s. It can be brought back for %(days)s days.", name=account.username, days=30))
            return redirect_after(url_for("admin.list_accounts"))
    back = url_for("admin.show_account", account_id=account_id)
    page = render_template("admin/account_delete.html", form=form, account=account, back=back, days=NAME_KEPT_DAYS)
    return page if form.ok else (page, 422)


@blueprint.post("/accounts/<int:account_id>/restore")
@requires("accounts.view")
def restore_account_page(account_id: int) -> Response:
    """As it was, with its plan and expiry."""
    account = read_account(account_id)
    actor().require("accounts.delete")
    restore_account(scope(), account_id, actor=actor(), now=present())
    toast(_("Brought back %(name)s.", name=account.username))
    return redirect_after(url_for("admin.show_account", account_id=account_id))
