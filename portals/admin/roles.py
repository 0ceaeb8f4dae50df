"""Roles and their rights: one matrix, grouped as people think, sensitive rights marked (STF-1)."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.toasts import toast
from tenants.staff.edit_role import RoleForm, add_role, delete_role, edit_role, give_new_rights
from tenants.staff.permissions import ALL, CATALOGUE
from tenants.staff.queries_staff import RoleRow, list_roles, role_detail


@blueprint.get("/roles/")
@requires("staff.view")
def list_roles_page() -> str:
    """Each role with the number of its rights and of those who have it."""
    return render_template("admin/roles.html", roles=list_roles(scope()), every=len(ALL))


@blueprint.route("/roles/new", methods=["GET", "POST"])
@requires("staff.edit")
def add_role_page() -> str | Response | tuple[str, int]:
    """A new role, empty or a copy of another one."""
    copied = _copied()
    initial = {"rights": sorted(copied.permissions) if copied else [], "name": ""}
    form = Form(request.form if request.method == "POST" else None, {"name": _("Name")}, **initial)
    if request.method == "POST":
        command = _read(form)
        if form.ok:
            with form.refusals():
                role_id = add_role(scope(), command, actor=actor(), now=present())
                toast(_("Added the role %(name)s.", name=command.name))
                return redirect(url_for("admin.edit_role_page", role_id=role_id))
    return _page(form, None)


@blueprint.route("/roles/<int:role_id>/", methods=["GET", "POST"])
@requires("staff.view")
def edit_role_page(role_id: int) -> str | Response | tuple[str, int]:
    """The matrix of one role; takes effect with the next click of those who have it."""
    role = role_detail(scope(), role_id)
    initial = {"rights": sorted(role.permissions), "name": role.name}
    form = Form(request.form if request.method == "POST" else None, {"name": _("Name")}, **initial)
    if request.method == "POST":
        command = _read(form, role)
        if form.ok:
            with form.refusals():
                edit_role(scope(), role_id, command, actor=actor(), now=present())
                toast(_("Saved the role %(name)s.", name=command.name))
                return redirect(url_for("admin.edit_role_page", role_id=role_id))
    return _page(form, role)


@blueprint.post("/roles/<int:role_id>/new-rights")
@requires("staff.edit")
def give_new_rights_page(role_id: int) -> Response:
    """What came with an update after the role was changed here, by one click."""
    role = role_detail(scope(), role_id)
    given = give_new_rights(scope(), role_id, actor=actor(), now=present())
    if given:
        toast(_("Saved the role %(name)s.", name=role.name))
    return redirect(url_for("admin.edit_role_page", role_id=role_id))


@blueprint.post("/roles/<int:role_id>/delete")
@requires("staff.edit")
def delete_role_page(role_id: int) -> Response:
    """Only a role that nobody has."""
    role = role_detail(scope(), role_id)
    delete_role(scope(), role_id, actor=actor(), now=present())
    toast(_("Deleted the role %(name)s.", name=role.name))
    return redirect(url_for("admin.list_roles_page"))


def _copied() -> RoleRow | None:
    wanted = request.args.get("copy", "")
    return next((role for role in list_roles(scope()) if str(role.id) == wanted), None)


def _read(form: Form, role: RoleRow | None = None) -> RoleForm:
    name = form.text("name", required=True, longest=60)
    rights = frozenset(code for code in form.values("rights") if code in ALL)
    return RoleForm(name, rights, dict(role.limits) if role is not None else {})


def _page(form: Form, role: RoleRow | None) -> str | tuple[str, int]:
    chosen = set(form.values("rights"))
    new = role.new_rights - chosen if role is not None else frozenset()
    page = render_template(
        "admin/role.html",
        form=form,
        role=role,
        roles=list_roles(scope()),
        catalogue=CATALOGUE,
        chosen=chosen,
        new_rights=[right.label for group in CATALOGUE for right in group.permissions if right.code in new],
        fixed=(role is not None and role.code == "owner") or not actor().may("staff.edit"),
    )
    return page if form.ok else (page, 422)
