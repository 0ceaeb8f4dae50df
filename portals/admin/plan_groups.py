"""Plan groups: a speed, a pool, DNS; a new speed reaches who is online at once (PLN-1, NET-5)."""

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
from tenants.access.apply_catalog import edit_plan_group_and_apply
from tenants.catalog.add_plan_group import AddPlanGroup, add_plan_group
from tenants.catalog.add_rate_profile import RATE_FIELDS, ensure_rate_profile
from tenants.catalog.delete_plan_group import delete_plan_group
from tenants.catalog.edit_plan_group import EditPlanGroup
from tenants.catalog.queries_pools import pool_names
from tenants.network.rules_replies import MOST_EXPIRING_DAYS
from tenants.subscribers.queries_plans import GroupRow, group_detail

_PLACES = ("expired", "expiring")  # for whom a plan group may have one of its own
_PLACE = ("pool", "address_list", "redirect_url")  # what may be said of it here


def _labels() -> dict[str, str]:
    names = {"pool": _("Address pool"), "address_list": _("Address list or ACL"), "redirect_url": _("Redirect to")}
    return {
        "name": _("Name"),
        "pool": _("Address pool"),
        "ipv6_pool": _("IPv6 pool"),
        "dns1": _("DNS server"),
        "dns2": _("Second DNS server"),
        "sort": _("Place in lists"),
        "extra": _("Extra attributes"),
        "expiring_days": _("Days before the end"),
        **{f"{place}_{field}": label for place in _PLACES for field, label in names.items()},
    } | rate_labels()


@blueprint.route("/plan-groups/new", methods=["GET", "POST"])
@requires("plans.add")
def add_group_page() -> str | Response | tuple[str, int]:
    """A name and a speed are enough."""
    form = Form(request.form if request.method == "POST" else None, _labels(), sort=0)
    if request.method == "POST":
        values = _read(form)
        if values is not None:
            with form.refusals():
                group = add_plan_group(scope(), values, actor=actor(), now=present())
                toast(_("Added the group %(name)s. Now add its plans.", name=group.name))
                return redirect_after(url_for("admin.list_plans"))
    return _panel(form, None)


@blueprint.route("/plan-groups/<int:group_id>/edit", methods=["GET", "POST"])
@requires("plans.edit")
def edit_group_page(group_id: int) -> str | Response | tuple[str, int]:
    """A new speed reaches its subscribers at once, a new pool from their next login."""
    group = group_detail(scope(), group_id)
    form = Form(
        request.form if request.method == "POST" else None,
        _labels(),
        name=group.name,
        pool=group.pool,
        ipv6_pool=group.ipv6_pool,
        dns1="" if group.dns1 is None else str(group.dns1),
        dns2="" if group.dns2 is None else str(group.dns2),
        sort=group.sort,
        **rate_values(group),
        extra=group.options.get("extra", ""),
        expiring_days=group.options.get("expiring_days") or "",
        **{
            f"{place}_{field}": (group.options.get(place) or {}).get(field, "") for place in _PLACES for field in _PLACE
        },
    )
    if request.method == "POST":
        values = _read(form, group)
        if values is not None:
            with form.refusals():
                edit_plan_group_and_apply(scope(), EditPlanGroup(group_id, values), actor=actor(), now=present())
                toast(_("Saved the group %(name)s.", name=values.name))
                return redirect_after(url_for("admin.list_plans"))
    return _panel(form, group)


@blueprint.post("/plan-groups/<int:group_id>/delete")
@requires("plans.delete")
def delete_group_page(group_id: int) -> Response:
    """A group that sells nothing any more; refused while it has plans."""
    group = group_detail(scope(), group_id)
    delete_plan_group(scope(), group_id, actor=actor(), now=present())
    toast(_("Deleted the group %(name)s.", name=group.name))
    return redirect(url_for("admin.list_plans"))


def _read(form: Form, group: GroupRow | None = None) -> AddPlanGroup | None:
    name = form.text("name", required=True, longest=60)
    texts: dict[str, Any] = {field: form.text(field, longest=64) for field in ("pool", "ipv6_pool", "dns1", "dns2")}
    sort = form.integer("sort", lowest=-1_000_000, highest=1_000_000, required=False) or 0
    days = form.integer("expiring_days", lowest=0, highest=MOST_EXPIRING_DAYS, required=False)
    rates = read_rates(form)
    if rates is None or not form.ok:
        return None
    if group is not None and all(getattr(group, field) == getattr(rates, field) for field in RATE_FIELDS):
        profile_id = group.rate_profile_id
    else:
        profile_id = ensure_rate_profile(scope(), rates, actor=actor(), now=present()).id
    options = dict(group.options) if group is not None else {}
    for place in _PLACES:
        had = dict(options.get(place) or {})
        options[place] = had | {field: form.text(f"{place}_{field}", longest=200) for field in _PLACE}
    options["expiring_days"] = days or 0
    options["extra"] = form.text("extra", longest=4_000).replace("\r\n", "\n")
    return AddPlanGroup(name=name, rate_profile_id=profile_id, sort=sort, options=options, **texts)


def _panel(form: Form, group: GroupRow | None) -> str | tuple[str, int]:
    page = render_template(
        "admin/plan_group_form.html",
        form=form,
        group=group,
        known_pools=pool_names(scope()),
        back=url_for("admin.list_plans"),
    )
    return page if form.ok else (page, 422)
