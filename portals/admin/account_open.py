"""Open an account: customer, account and first purchase in one form, with what will be booked (SUB-2, OPS-13)."""

import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, as_number, blueprint, present, scope
from portals.admin.operation_fields import methods
from portals.admin.operations import total_of
from portals.shared.access import requires
from portals.shared.currency import currency_sign
from portals.shared.formats import local, money
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.previews import lines_of
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import ToastAction, toast
from portals.shared.words import PLAN_KINDS, word
from tenants.billing.open_account import OpenAccount, open_account
from tenants.billing.operation import preview
from tenants.catalog.queries import sellable_plans
from tenants.kernel.errors import BusinessError
from tenants.subscribers.create_account import CreateAccount
from tenants.subscribers.queries_list import list_choices

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # no 0/o, 1/l: it is read out at a counter
DETAILS = ("name", "phone", "address", "building", "room", "access_type", "box", "port", "vlan", "remark")


class OpenForm(Form):
    """The form of a new account: its password is made here and has to be read and written down."""

    def value(self, name: str) -> str:
        """The text of the field, the password's too."""
        return self._raw(name)


def _labels() -> dict[str, str]:
    return {
        "username": _("User name"),
        "password": _("Password"),
        "name": _("Full name"),
        "phone": _("Phone"),
        "address": _("Address"),
        "building": _("Building"),
        "room": _("Room"),
        "region": _("Region"),
        "plan": _("Plan"),
        "quantity": _("Quantity"),
        "method": _("Paid by"),
        "install_fee": _("Install fee"),
        "start": _("The period begins"),
        "access_type": _("Access"),
        "box": _("Box / OLT"),
        "port": _("Port"),
        "vlan": _("VLAN"),
        "remark": _("Remark"),
        "bind_mac": _("Bound MAC"),
        "static_ip": _("Fixed address"),
    }


@blueprint.route("/accounts/new", methods=["GET", "POST"])
@requires("accounts.open")
def open_account_page() -> str | Response | tuple[str, int]:
    """The quick form; what is wrong stands beside its field and what was typed stays."""
    if request.method == "GET":
        initial = _initial()
        return _page(OpenForm(None, _labels(), **initial), initial)
    form = OpenForm(request.form, _labels())
    command = _read(form)
    if form.ok and command is not None:
        with form.refusals():
            result = open_account(scope(), command, actor=actor(), now=present(), key=form.key)
            text = _("Opened %(name)s.", name=command.account.username)
            actions = []
            if result.order is not None and result.order.number:
                url = url_for("admin.show_order", number=result.order.number)
                actions.append(ToastAction(_("Receipt"), url, "printer"))
            toast(text, *actions)
            return redirect(url_for("admin.show_account", account_id=result.account_id))
    return _page(form, request.form), 422


@blueprint.post("/accounts/new/preview")
@requires("accounts.open")
def preview_open_account() -> str:
    """What opening would book, as the form changes."""
    return render_template("admin/account_open_preview.html", **_preview(request.form))


@blueprint.get("/accounts/new/plans")
@requires("accounts.open")
def plans_of_region() -> str:
    """The plans that a region may buy, when another region is chosen."""
    form = Form(request.args, _labels())
    return render_template("admin/account_open_plans.html", form=form, plans=_plans(as_number(form.value("region"))))


def _initial() -> dict[str, Any]:
    settings = tenant_settings()
    regions = list_choices(scope(), actor())["regions"]
    plans = _plans(regions[0].id if regions else None)
    open_methods = [name for name, _label, closed in methods("renew") if not closed]
    return {
        "password": "".join(secrets.choice(_LETTERS) for _ in range(8)),
        "region": regions[0].id if regions else "",
        "plan": plans[0][0] if plans else "",
        "quantity": 1,
        "method": open_methods[0] if open_methods else "",
        "start": "first-login" if settings.first_login_timing else "now",
        "install_fee": money(settings.install_fee),
    }


def _plans(region_id: int | None) -> list[tuple[int, str, str, str, bool]]:
    found = sellable_plans(scope(), region_id=region_id, usage="new")
    return [(plan.id, plan.name, word(PLAN_KINDS, plan.kind), money(plan.price), False) for plan in found]


def _read(form: Form) -> OpenAccount | None:
    regions = list_choices(scope(), actor())["regions"]
    username = form.text("username", required=True, longest=63)
    password = form.text("password", required=True, longest=64, strip=False)
    region = form.choice("region", [str(choice.id) for choice in regions])
    plans = _plans(as_number(region))
    plan = form.choice("plan", [str(p[0]) for p in plans], required=not tenant_settings().open_without_plan)
    quantity = form.integer("quantity", lowest=1, highest=999) or 1
    method = form.choice("method", [name for name, _label, closed in methods("renew") if not closed])
    start = form.choice("start", ("now", "first-login"))
    fee = form.amount("install_fee", required=False)
    fields = {name: form.text(name, longest=200) for name in (*DETAILS, "bind_mac", "static_ip")}
    if not form.ok:
        return None
    account = CreateAccount(
        username=username,
        password=password,
        region_id=as_number(region),
        plan_id=as_number(plan),
        fields={name: value for name, value in fields.items() if value},
    )
    return OpenAccount(
        account=account,
        plan_id=as_number(plan),
        quantity=quantity,
        method=method,
        start=start,
        install_fee=Decimal(0) if fee is None else fee,
    )


def _preview(data: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "lines": [],
        "total": None,
        "changes": [],
        "sign": currency_sign(),
        "problem": "",
        "deed": _("Open the account"),
    }
    # The price does not depend on the name: before one is typed the preview stands all the same.
    typed = {**data, "username": data.get("username") or f"preview-{secrets.token_hex(6)}"}
    typed["password"] = data.get("password") or "preview"
    asked = Form(typed, _labels())
    command = _read(asked)
    if command is None or not asked.ok:
        return shown
    try:
        result = preview(scope(), cast(Any, open_account), command, actor=actor(), now=present())
    except BusinessError as error:
        probe = Form({}, _labels())
        probe.reject(error)
        # A name that is taken is said beside its field when the form is sent; here only what concerns the money.
        if not set(probe.errors) & {"username", "password"}:
            shown["problem"] = " ".join(probe.errors.values())
        return shown
    shown["lines"] = lines_of(result.order.lines) if result.order is not None else []
    shown["total"] = total_of(result)
    expires = local(result.after.expires_at, True) if result.after.activated else _("from the first login")
    shown["changes"] = [(_("Plan"), "", result.after.plan_name or _("none")), (_("Expires"), "", expires)]
    if result.order is not None and result.order.total:
        total = f"{currency_sign()}{money(result.order.total)}"
        shown["deed"] = _("Open the account for %(sum)s", sum=total)
    return shown


def _page(form: Form, data: Mapping[str, Any]) -> str:
    regions = list_choices(scope(), actor())["regions"]
    return render_template(
        "admin/account_open.html",
        form=form,
        regions=regions,
        plans=_plans(as_number(form.value("region")) or (regions[0].id if regions else None)),
        methods=methods("renew"),
        **_preview(data),
    )
