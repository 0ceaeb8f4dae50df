"""Regions: what permissions, plans and reminders refer to (NET-1)."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.toasts import toast
from tenants.network.add_region import RegionForm, add_region, delete_region, edit_region
from tenants.subscribers.queries_regions import RegionRow, list_regions, region_detail


def _labels() -> dict[str, str]:
    return {
        "name": _("Name"),
        "title": _("Title in messages"),
        "content": _("Text in messages"),
        "address": _("Address"),
        "phone": _("Phone"),
    }


@blueprint.get("/regions/")
@requires("regions.view")
def list_regions_page() -> str:
    """All regions with what stands in them."""
    return render_template("admin/regions.html", regions=list_regions(scope()))


@blueprint.route("/regions/new", methods=["GET", "POST"])
@requires("regions.add")
def add_region_page() -> str | Response | tuple[str, int]:
    """A panel with five fields; only the name is needed."""
    form = Form(request.form if request.method == "POST" else None, _labels())
    if request.method == "POST":
        command = _read(form)
        if form.ok:
            with form.refusals():
                add_region(scope(), command, actor=actor(), now=present())
        if form.ok:
            toast(_("Added the region %(name)s.", name=command.name))
            return redirect_after(url_for("admin.list_regions_page"))
    return _panel(form, None)


@blueprint.route("/regions/<int:region_id>/edit", methods=["GET", "POST"])
@requires("regions.edit")
def edit_region_page(region_id: int) -> str | Response | tuple[str, int]:
    """The same panel, filled in."""
    region = region_detail(scope(), region_id)
    values = {name: getattr(region, name) for name in _labels()}
    form = Form(request.form if request.method == "POST" else None, _labels(), **values)
    if request.method == "POST":
        command = _read(form)
        if form.ok:
            with form.refusals():
                edit_region(scope(), region_id, command, actor=actor(), now=present())
        if form.ok:
            toast(_("Saved the region %(name)s.", name=command.name))
            return redirect_after(url_for("admin.list_regions_page"))
    return _panel(form, region)


@blueprint.post("/regions/<int:region_id>/delete")
@requires("regions.delete")
def delete_region_page(region_id: int) -> Response:
    """Only a region that nothing refers to; else the sentence says what does."""
    region = region_detail(scope(), region_id)
    delete_region(scope(), region_id, actor=actor(), now=present(), accounts=region.accounts)
    toast(_("Deleted the region %(name)s.", name=region.name))
    return redirect(url_for("admin.list_regions_page"))


def _read(form: Form) -> RegionForm:
    return RegionForm(
        name=form.text("name", required=True, longest=60),
        title=form.text("title", longest=60),
        content=form.text("content", longest=500),
        address=form.text("address", longest=200),
        phone=form.text("phone", longest=40),
    )


def _panel(form: Form, region: RegionRow | None) -> str | tuple[str, int]:
    page = render_template("admin/region_form.html", form=form, region=region, back=url_for("admin.list_regions_page"))
    return page if form.ok else (page, 422)
