"""Operators: who works here, with which role, in which regions (STF-2)."""

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, as_number, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.toasts import toast
from tenants.staff.add_operator import AddOperator, add_operator
from tenants.staff.edit_operator import EditOperator, edit_operator
from tenants.staff.queries_staff import OperatorRow, list_operators, list_roles, operator_detail
from tenants.subscribers.queries_regions import list_regions


def _labels() -> dict[str, str]:
    return {
        "username": _("User name"),
        "name": _("Full name"),
        "email": _("E-mail"),
        "phone": _("Phone"),
        "role": _("Role"),
        "password": _("Password"),
        "new_password": _("New password"),
        "regions": _("Regions"),
    }


@blueprint.get("/staff/")
@requires("staff.view")
def list_operators_page() -> str:
    """Everybody who can sign in here."""
    return render_template("admin/operators.html", operators=list_operators(scope()))


@blueprint.route("/staff/new", methods=["GET", "POST"])
@requires("staff.add")
def add_operator_page() -> str | Response | tuple[str, int]:
    """The first password is for one sign-in: a new one is asked for then."""
    form = Form(request.form if request.method == "POST" else None, _labels())
    if request.method == "POST":
        values = _read(form)
        username = form.text("username", required=True, longest=63)
        password = form.text("password", required=True, longest=128, strip=False)
        if form.ok:
            with form.refusals():
                command = AddOperator(username=username, password=password, **values)
                add_operator(scope(), command, actor=actor(), now=present())
                toast(_("Added %(name)s. The first sign-in asks for a new password.", name=username))
                return redirect(url_for("admin.list_operators_page"))
    return _page(form, None)


@blueprint.route("/staff/<int:operator_id>/edit", methods=["GET", "POST"])
@requires("staff.edit")
def edit_operator_page(operator_id: int) -> str | Response | tuple[str, int]:
    """Disabling or a new password ends every sign-in of this person."""
    operator = operator_detail(scope(), operator_id)
    initial: dict[str, Any] = {name: getattr(operator, name) for name in ("name", "email", "phone")}
    initial |= {
        "role": operator.role_id,
        "own_accounts_only": operator.own_accounts_only,
        "disabled": operator.disabled_at is not None,
        "regions": list(operator.region_ids) if not operator.all_regions else [],
    }
    form = Form(request.form if request.method == "POST" else None, _labels(), **initial)
    if request.method == "POST":
        values = _read(form, operator)
        password = form.text("new_password", longest=128, strip=False)
        disabled = form.checked("disabled")
        if form.ok:
            with form.refusals():
                command = EditOperator(operator_id=operator_id, disabled=disabled, new_password=password, **values)
                edit_operator(scope(), command, actor=actor(), now=present())
                toast(_("Saved %(name)s.", name=operator.username))
                return redirect(url_for("admin.list_operators_page"))
    return _page(form, operator)


def _read(form: Form, operator: OperatorRow | None = None) -> dict[str, Any]:
    roles = [str(role.id) for role in list_roles(scope())]
    role = str(operator.role_id) if operator is not None and operator.is_owner else form.choice("role", roles)
    known = {str(region.id) for region in list_regions(scope())}
    regions = tuple(int(value) for value in form.values("regions") if value in known)
    return {
        "role_id": as_number(role) or 0,
        "name": form.text("name", longest=60),
        "email": form.text("email", longest=254),
        "phone": form.text("phone", longest=40),
        "region_ids": regions or None,
        "own_accounts_only": form.checked("own_accounts_only"),
    }


def _page(form: Form, operator: OperatorRow | None) -> str | tuple[str, int]:
    roles = [(role.id, role.name) for role in list_roles(scope()) if role.code != "owner"]
    page = render_template(
        "admin/operator_form.html", form=form, operator=operator, roles=roles, regions=list_regions(scope())
    )
    return page if form.ok else (page, 422)
