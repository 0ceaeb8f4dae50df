"""Routers: list, add, change, remove, secret (NET-2)."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, as_number, blueprint, present, scope
from portals.admin.dialects import dialect_choices
from portals.shared.access import requires
from portals.shared.errors import error_text
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _, lazy, ngettext
from portals.shared.lists import Column, ListView, StateTab
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import toast
from portals.shared.uploads import form_with_files
from tenants.network.add_nas import AddNas, add_nas, checked_columns
from tenants.network.edit_nas import EditNas, check_edit, delete_nas, edit_nas, renew_secret
from tenants.network.import_nas import COLUMNS as IMPORT_COLUMNS
from tenants.network.import_nas import ImportedRow, import_nas, summary
from tenants.network.queries_radsec import radsec_endings
from tenants.registry.rules_stale import MOST_MINUTES
from tenants.subscribers.queries_list import list_choices
from tenants.subscribers.queries_router_plans import bound_accounts
from tenants.usage import queries_routers

COLUMNS = (
    Column("name", lazy("Name"), sort="name", phone="title", fixed=True),
    Column("identifier", lazy("Identifier"), mono=True, phone="plain"),
    Column("vendor", lazy("Make")),
    Column("region", lazy("Region")),
    Column("state", lazy("State"), phone="right"),
    Column("online", lazy("Online"), sort="online", number=True, phone="plain", phone_label=lazy("Online")),
    Column("last", lazy("Last packet"), sort="last"),
    Column("source", lazy("Source"), mono=True),
)
SORTS: dict[str, Callable[[queries_routers.Router], Any]] = {
    "name": lambda router: router.name.casefold(),
    "online": lambda router: router.sessions,
    "last": lambda router: router.last_packet_at or datetime.min.replace(tzinfo=UTC),
}
_DOTS = {"": "", "good": "normal", "silent": "expired", "waiting": "not_activated"}
CHOICES = ("vendor", "auth_mode", "message_authenticator")
FORM_FIELDS = ("name", "identifier", "address", "ddns_name", "timezone", "remark")


def _labels() -> dict[str, str]:
    return {
        "name": _("Name"),
        "vendor": _("Make"),
        "identifier": _("Identifier"),
        "secret": _("Shared secret"),
        "auth_mode": _("Recognised by"),
        "address": _("Address"),
        "ddns_name": _("DNS name"),
        "coa_port": _("Port for disconnects"),
        "message_authenticator": _("Message-Authenticator"),
        "region": _("Region"),
        "timezone": _("Time zone"),
        "remark": _("Remark"),
        "stale_minutes": _("Silent sessions end after"),
        "invert_directions": _("Directions"),
    }


@blueprint.get("/routers/")
@requires("nas.view")
def list_routers() -> str:
    """All routers with their health."""
    view = ListView.from_request("routers", COLUMNS, sorts=tuple(SORTS), filters=("region", "make"))
    choices = list_choices(scope(), actor())
    names = {str(region.id): region.name for region in choices["regions"]}
    view.chip("region", _("Region"), names.get(view.filter("region"), "?"))
    makes = dialect_choices()
    view.chip("make", _("Make"), dict(makes).get(view.filter("make"), "?"))
    region_id, make = as_number(view.filter("region")), view.filter("make")
    every = queries_routers.list_routers(scope(), text=view.text, region_id=region_id)
    found = [router for router in every if make in ("", router.vendor)]
    health = Counter(router.health(present()) for router in found)
    tabs = {"": _("All"), "good": _("working"), "silent": _("silent"), "waiting": _("waiting for its first packet")}
    counts = {"": len(found)} | health
    there = [key for key in tabs if counts.get(key) or not key]
    view.tabs = [StateTab(key, tabs[key], counts[key], _DOTS[key]) for key in there]
    routers = [router for router in found if view.state in ("", router.health(present()))]
    routers.sort(key=SORTS[view.sort.removeprefix("-")], reverse=view.sort.startswith("-"))
    endings = radsec_endings(scope(), {router.id: router.last_packet_at for router in routers}, now=present())
    return render_template(
        "admin/routers.html",
        view=view,
        routers=routers,
        endings=endings,
        all=len(every),
        regions=choices["regions"],
        makes=makes,
    )


@blueprint.route("/routers/new", methods=["GET", "POST"])
@requires("nas.add")
def add_router() -> str | Response | tuple[str, int]:
    """Name and make are enough: identifier and secret are made here."""
    if request.method == "GET":
        initial = {"vendor": "mikrotik", "auth_mode": "identifier", "message_authenticator": "required"}
        return _form_page(Form(None, _labels(), **initial), None)
    form = Form(request.form, _labels())
    wanted = AddNas(**_read(form), secret=form.text("secret", longest=60))
    if not form.ok:
        with form.refusals():  # what else is wrong with it
            checked_columns(scope(), wanted)
    else:
        with form.refusals():
            added = add_nas(scope(), wanted, actor=actor(), now=present())
            toast(_("Registered %(name)s. Now paste the script into the router.", name=added.identifier))
            return redirect(url_for("admin.onboard_router", nas_id=added.nas_id))
    return _form_page(form, None), 422


@blueprint.route("/routers/import", methods=["GET", "POST"])
@requires("nas.add")
def import_routers() -> str | Response | tuple[str, int]:
    """Many at once: the table is checked row by row, and written as a whole or not at all."""
    labels = {"table": _("Table")}
    form = form_with_files(labels, ("table",)) if request.method == "POST" else Form(None, labels)
    rows: tuple[ImportedRow, ...] = ()
    written = False
    if form.sent:
        table = form.text("table", required=True, longest=500_000, strip=False)
        dry_run = request.form.get("do") == "check"
        if form.ok:
            with form.refusals():
                rows = import_nas(scope(), table, actor=actor(), now=present(), dry_run=dry_run)
        good, bad = summary(rows)
        written = bool(rows) and not bad and not dry_run
        if bad:
            form.fail("table", ngettext("%(num)s row is wrong.", "%(num)s rows are wrong.", bad))
        if written:
            toast(ngettext("Registered %(num)s router.", "Registered %(num)s routers.", good))
    page = render_template(
        "admin/routers_import.html",
        form=form,
        rows=rows,
        written=written,
        columns=IMPORT_COLUMNS,
        error_text=error_text,
    )
    return page if form.ok else (page, 422)


@blueprint.route("/routers/<int:nas_id>/edit", methods=["GET", "POST"])
@requires("nas.edit")
def edit_router(nas_id: int) -> str | Response | tuple[str, int]:
    """Everything but the secret."""
    router = queries_routers.router_detail(scope(), nas_id)
    if request.method == "GET":
        names = (*FORM_FIELDS, *CHOICES, "coa_port", "stale_minutes", "invert_directions")
        values = {name: getattr(router, name) for name in names}
        return _form_page(Form(None, _labels(), **values, region=router.region_id or ""), router)
    form = Form(request.form, _labels())
    values = _read(form)
    wanted = EditNas(nas_id, **values | {"coa_port": values["coa_port"] or router.coa_port})
    if not form.ok:
        with form.refusals():
            check_edit(scope(), wanted)
    else:
        with form.refusals():
            edit_nas(scope(), wanted, actor=actor(), now=present())
            toast(_("Saved %(name)s.", name=wanted.name))
            return redirect(url_for("admin.onboard_router", nas_id=nas_id))
    return _form_page(form, router), 422


@blueprint.route("/routers/<int:nas_id>/secret", methods=["GET", "POST"])
@requires("nas.secret")
def renew_router_secret(nas_id: int) -> str | Response | tuple[str, int]:
    """A new shared secret; until the router has it too, its packets are refused."""
    router = queries_routers.router_detail(scope(), nas_id)
    form = Form(request.form if request.method == "POST" else None, {"secret": _("Shared secret")})
    if request.method == "POST":
        secret = form.text("secret", longest=60)
        with form.refusals():
            renew_secret(scope(), nas_id, actor=actor(), now=present(), secret=secret)
        if form.ok:
            toast(_("%(name)s has a new secret. Paste the script into the router again.", name=router.name))
            return redirect_after(url_for("admin.onboard_router", nas_id=nas_id))
    back = url_for("admin.onboard_router", nas_id=nas_id)
    page = render_template("admin/router_secret.html", form=form, router=router, back=back)
    return page if form.ok else (page, 422)


@blueprint.route("/routers/<int:nas_id>/remove", methods=["GET", "POST"])
@requires("nas.delete")
def remove_router(nas_id: int) -> str | Response | tuple[str, int]:
    """Confirmed by typing its identifier: from then on its packets are refused."""
    router = queries_routers.router_detail(scope(), nas_id)
    form = Form(request.form if request.method == "POST" else None, {"confirm": _("Identifier")})
    if request.method == "POST":
        if form.text("confirm") != router.identifier:
            form.fail("confirm", _("Type exactly %(identifier)s.", identifier=router.identifier))
        if form.ok:
            delete_nas(scope(), nas_id, actor=actor(), now=present())
            toast(_("Removed %(name)s. Its packets are refused from now on.", name=router.name))
            return redirect_after(url_for("admin.list_routers"))
    back = url_for("admin.onboard_router", nas_id=nas_id)
    bound = bound_accounts(scope(), nas_id)
    page = render_template("admin/router_remove.html", form=form, router=router, bound=bound, back=back)
    return page if form.ok else (page, 422)


def _read(form: Form) -> dict[str, Any]:
    regions = [str(region.id) for region in list_choices(scope(), actor())["regions"]]
    values: dict[str, Any] = {name: form.text(name, longest=253) for name in FORM_FIELDS}
    values["vendor"] = form.choice("vendor", [key for key, _label in dialect_choices()])
    values["auth_mode"] = form.choice("auth_mode", ("identifier", "address", "ddns"))
    values["message_authenticator"] = form.choice("message_authenticator", ("required", "optional"))
    values["coa_port"] = form.integer("coa_port", lowest=1, highest=65535, required=False)
    values["stale_minutes"] = form.integer("stale_minutes", lowest=0, highest=MOST_MINUTES, required=False)
    values["region_id"] = as_number(form.choice("region", regions, required=False))
    values["invert_directions"] = form.checked("invert_directions")
    if not values["name"]:
        form.fail("name", _("Fill this in."))
    return values


def _form_page(form: Form, router: queries_routers.Router | None) -> str:
    return render_template(
        "admin/router_form.html",
        form=form,
        router=router,
        vendors=dialect_choices(),
        regions=list_choices(scope(), actor())["regions"],
        prefix=scope().tenant.nas_prefix,
        settings=tenant_settings(),
    )
