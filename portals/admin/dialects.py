"""An ISP's own dialects (NET-3): written as text, checked line by line, tried on an account before they are used."""

from functools import partial

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from infra.radius_text.dialects import dialect_text
from infra.radius_text.placeholders import SAMPLES
from portals.admin.attribute_trial import AttributeTrial
from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.toasts import toast
from tenants.access.preview_reply import preview_reply
from tenants.network.own_dialects import (
    LONGEST_TEXT,
    DialectRow,
    add_dialect,
    checked,
    delete_dialect,
    dialect_detail,
    edit_dialect,
    list_dialects,
)
from tenants.network.vendors import VENDORS


@blueprint.get("/dialects/")
@requires("nas.view")
def list_dialects_page() -> str:
    """The tenant's own, and what a new one can begin with."""
    return render_template("admin/dialects.html", dialects=list_dialects(scope()), vendors=_vendors())


@blueprint.route("/dialects/new", methods=["GET", "POST"])
@requires("nas.edit")
def add_dialect_page() -> str | Response | tuple[str, int]:
    """Begins with the text of a make."""
    if request.method == "GET":
        make = request.args.get("make", "standard")
        form = Form(None, _labels(), name="", text=dialect_text(make if make in VENDORS else "standard"))
        return _page(form, None, AttributeTrial(form, "text"))
    form = Form(request.form, _labels())
    trial = AttributeTrial(form, "text")
    name, text = form.text("name", required=True, longest=32), _text(form)
    if trial.asked:
        _try(trial, text)
    elif trial.attempt(lambda: add_dialect(scope(), name, text, actor=actor(), now=present())):
        toast(_("Added the dialect %(name)s. Choose it as make of a router.", name=name))
        return redirect(url_for("admin.list_dialects_page"))
    return _page(form, None, trial)


@blueprint.route("/dialects/<int:dialect_id>/edit", methods=["GET", "POST"])
@requires("nas.edit")
def edit_dialect_page(dialect_id: int) -> str | Response | tuple[str, int]:
    """Another text: the next login at its routers is answered by it."""
    row = dialect_detail(scope(), dialect_id)
    if request.method == "GET":
        form = Form(None, _labels(), name=row.name, text=row.text)
        return _page(form, row, AttributeTrial(form, "text"))
    form = Form(request.form, _labels())
    trial = AttributeTrial(form, "text")
    text = _text(form)
    if trial.asked:
        _try(trial, text)
    elif trial.attempt(lambda: edit_dialect(scope(), dialect_id, text, actor=actor(), now=present())):
        toast(_("Saved the dialect %(name)s. Its routers are answered by it from now on.", name=row.name))
        return redirect(url_for("admin.list_dialects_page"))
    return _page(form, row, trial)


@blueprint.post("/dialects/<int:dialect_id>/delete")
@requires("nas.edit")
def delete_dialect_page(dialect_id: int) -> Response:
    """Only one that no router speaks; else the sentence says how many do."""
    row = dialect_detail(scope(), dialect_id)
    delete_dialect(scope(), dialect_id, actor=actor(), now=present())
    toast(_("Deleted the dialect %(name)s.", name=row.name))
    return redirect_after(url_for("admin.list_dialects_page"))


def dialect_choices() -> list[tuple[str, str]]:
    """(key, label) of all makes and own dialects that a router can be of."""
    own = [(row.key, f"{row.title} ({row.name})") for row in list_dialects(scope())]
    return _vendors() + own


def _vendors() -> list[tuple[str, str]]:
    return [(key, vendor.label) for key, vendor in VENDORS.items()]


def _labels() -> dict[str, str]:
    return {"name": _("Name"), "text": _("Text"), "account": _("Account")}


def _text(form: Form) -> str:
    return form.text("text", required=True, longest=LONGEST_TEXT, strip=False).replace("\r\n", "\n")


def _try(trial: AttributeTrial, text: str) -> None:
    trial.show(lambda: partial(preview_reply, scope(), checked("preview", text)))


def _page(form: Form, row: DialectRow | None, trial: AttributeTrial) -> str | tuple[str, int]:
    back = url_for("admin.list_dialects_page")
    page = render_template(
        "admin/dialect_form.html", form=form, row=row, trial=trial, back=back, placeholders=sorted(SAMPLES)
    )
    return page if form.ok else (page, 422)
