"""Change what staff keep about a subscriber, and take bindings away (SUB-4, SUB-8)."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.account import read_account, require_open
from portals.admin.blueprint import actor, as_number, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.toasts import toast
from tenants.subscribers.bind import Unbind, unbind
from tenants.subscribers.edit_account import EditAccount, edit_account
from tenants.subscribers.rules import LEARN
from tenants.usage.queries_routers import list_routers, router_names

TEXTS = (
    "name",
    "phone",
    "email",
    "address",
    "building",
    "room",
    "customer_remark",
    "box",
    "port",
    "vlan",
    "remark",
    "max_sessions",
    "static_ip",
    "bind_mac",
    "bind_port",
)
LEARNED = ("bind_mac", "bind_port", "static_ip")  # may be left to the next login


def _labels() -> dict[str, str]:
    return {
        "name": _("Full name"),
        "phone": _("Phone"),
        "email": _("E-mail"),
        "address": _("Address"),
        "building": _("Building"),
        "room": _("Room"),
        "customer_remark": _("Remark on the customer"),
        "attribute": _("Kind of customer"),
        "access_type": _("Access"),
        "box": _("Box / OLT"),
        "port": _("Port"),
        "vlan": _("VLAN"),
        "remark": _("Remark"),
        "max_sessions": _("Sessions at once"),
        "static_ip": _("Fixed address"),
        "bind_mac": _("Bound MAC"),
        "bind_port": _("Bound port or VLAN"),
        "bind_nas_id": _("Bound router"),
    }


@blueprint.route("/accounts/<int:account_id>/edit", methods=["GET", "POST"])
@requires("accounts.view")
def edit_account_page(account_id: int) -> str | Response | tuple[str, int]:
    """One form over customer and account; plan, expiry and money are operations."""
    account = read_account(account_id)
    actor().require("accounts.edit")
    require_open(account)
    routers = _routers(account.bind_nas_id)
    if request.method == "GET":
        values = {name: getattr(account, name) for name in (*TEXTS, "attribute", "access_type")}
        values["static_ip"] = "" if account.static_ip is None else str(account.static_ip)
        if account.learns_address:
            values["static_ip"] = LEARN
        learns = {f"learn_{name}": values[name] == LEARN for name in LEARNED}
        values |= {name: "" for name in LEARNED if values[name] == LEARN}
        bound = LEARN if account.learns_router else account.bind_nas_id or ""
        form = Form(None, _labels(), **values, **learns, bind_nas_id=bound)
        return render_template("admin/account_edit.html", form=form, account=account, routers=routers)
    form = Form(request.form, _labels())
    changes = {name: form.text(name, longest=2000) for name in TEXTS}
    changes["attribute"] = form.choice("attribute", ("ordinary", "group", "internal"))
    changes["access_type"] = form.choice("access_type", ("EOC", "LAN", "FTTH", "AP"), required=False)
    changes |= {name: LEARN for name in LEARNED if not changes[name] and form.checked(f"learn_{name}")}
    bound = form.choice("bind_nas_id", [LEARN, *(str(nas_id) for nas_id, _name in routers)], required=False)
    if form.ok:
        with form.refusals():
            command = EditAccount(account_id, {**changes, "bind_nas_id": LEARN if bound == LEARN else as_number(bound)})
            edit_account(scope(), command, actor=actor(), now=present())
            toast(_("Saved the details of %(name)s.", name=account.username))
            return redirect(url_for("admin.show_account", account_id=account_id))
    return render_template("admin/account_edit.html", form=form, account=account, routers=routers), 422


@blueprint.route("/accounts/<int:account_id>/unbind", methods=["GET", "POST"])
@requires("accounts.view")
def unbind_account(account_id: int) -> str | Response | tuple[str, int]:
    """The panel that takes bindings away; the next login may bind again."""
    account = read_account(account_id)
    actor().require("op.unbind")
    require_open(account)
    form = Form(request.form if request.method == "POST" else None, what="all", learn_again=True)
    if request.method == "POST":
        what = form.choice("what", ("all", "mac", "port", "nas", "ip"))
        if form.ok:
            unbind(scope(), Unbind(account_id, what, form.checked("learn_again")), actor=actor(), now=present())
            toast(_("Unbound %(name)s.", name=account.username))
            return redirect_after(url_for("admin.show_account", account_id=account_id))
    routers, back = router_names(scope()), _back(account_id)
    page = render_template("admin/account_unbind.html", form=form, account=account, routers=routers, back=back)
    return page if form.ok else (page, 422)


def _routers(bound: int | None) -> list[tuple[int, str]]:
    """The routers that there are, and the one that is bound now, though it be gone."""
    names = {router.id: router.name for router in list_routers(scope())}
    if bound is not None and bound not in names:
        names[bound] = _("%(name)s (removed)", name=router_names(scope()).get(bound, bound))
    return sorted(names.items(), key=lambda item: item[1])


def _back(account_id: int) -> str:
    return url_for("admin.show_account", account_id=account_id)
