"""Rate profiles: a speed that several groups share; changing it reaches everybody who has it, at once (NET-5)."""

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.admin.rate_field import rate_labels, rate_values, read_rates
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.toasts import toast
from tenants.access.apply_catalog import edit_rate_profile_and_apply
from tenants.catalog.add_rate_profile import AddRateProfile, add_rate_profile
from tenants.catalog.delete_rate_profile import delete_rate_profile
from tenants.catalog.edit_rate_profile import EditRateProfile
from tenants.subscribers.queries_rates import RateRow, list_rates, rate_detail


@blueprint.get("/rates/")
@requires("plans.view")
def list_rates_page() -> str:
    """All rate profiles with what uses them."""
    return render_template("admin/rates.html", rates=list_rates(scope()))


@blueprint.route("/rates/new", methods=["GET", "POST"])
@requires("plans.add")
def add_rate_page() -> str | Response | tuple[str, int]:
    """A name and two speeds; a burst where the router knows one."""
    form = _form()
    if request.method == "POST" and (rates := _read(form)) is not None:
        with form.refusals():
            add_rate_profile(scope(), rates, actor=actor(), now=present())
            toast(_("Added the speed %(name)s.", name=rates.name))
            return redirect_after(url_for("admin.list_rates_page"))
    return _panel(form, None)


@blueprint.route("/rates/<int:rate_id>/edit", methods=["GET", "POST"])
@requires("plans.edit")
def edit_rate_page(rate_id: int) -> str | Response | tuple[str, int]:
    """The same panel, filled in; who is online follows within seconds."""
    rate = rate_detail(scope(), rate_id)
    form = _form(name=rate.name, **rate_values(rate))
    if request.method == "POST" and (rates := _read(form)) is not None:
        with form.refusals():
            edit_rate_profile_and_apply(scope(), EditRateProfile(rate_id, rates), actor=actor(), now=present())
            toast(_("Saved the speed %(name)s.", name=rates.name))
            return redirect_after(url_for("admin.list_rates_page"))
    return _panel(form, rate)


@blueprint.post("/rates/<int:rate_id>/delete")
@requires("plans.delete")
def delete_rate_page(rate_id: int) -> Response:
    """Only one that nothing uses; else the sentence says what does."""
    rate = rate_detail(scope(), rate_id)
    delete_rate_profile(scope(), rate_id, actor=actor(), now=present())
    toast(_("Deleted the speed %(name)s.", name=rate.name))
    return redirect(url_for("admin.list_rates_page"))


def _form(**values: Any) -> Form:
    return Form(request.form if request.method == "POST" else None, {"name": _("Name")} | rate_labels(), **values)


def _read(form: Form) -> AddRateProfile | None:
    return read_rates(form, form.text("name", required=True, longest=60))


def _panel(form: Form, rate: RateRow | None) -> str | tuple[str, int]:
    page = render_template("admin/rate_form.html", form=form, rate=rate, back=url_for("admin.list_rates_page"))
    return page if form.ok else (page, 422)
