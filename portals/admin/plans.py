"""Plans: groups with their plans, add and change, the page of one plan (PLN-1, PLN-2, PLN-6)."""

from decimal import Decimal
from functools import partial
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, as_number, blueprint, local_midnight, present, scope
from portals.admin.rate_field import rate_field, rate_text
from portals.shared.access import requires
from portals.shared.currency import currency_sign
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import toast
from portals.shared.words import PLAN_KINDS, word
from tenants.access.apply_catalog import add_plan_and_apply, edit_plan_and_apply
from tenants.billing.queries_plan_sales import sales_of_plan
from tenants.catalog.add_plan import AddPlan, PlanValues
from tenants.catalog.delete_plan import delete_plan
from tenants.catalog.edit_plan import EditPlan
from tenants.catalog.models import PLAN_KINDS as KINDS
from tenants.kernel.units import gigabytes, hours
from tenants.subscribers import queries_plans
from tenants.subscribers.queries_list import AccountFilter, list_accounts, list_choices
from tenants.subscribers.queries_plans import PlanRow
from tenants.subscribers.queries_rates import throttle_of


def _labels() -> dict[str, str]:
    return {
        "group": _("Plan group"),
        "name": _("Name"),
        "kind": _("Kind"),
        "price": _("Price"),
        "max_sessions": _("Sessions at once"),
        "concurrency": _("One session too many"),
        "usage": _("Sold for"),
        "visible": _("Shown in self-service"),
        "sort": _("Place in lists"),
        "quota_octets": _("Traffic in GB"),
        "quota_seconds": _("Hours"),
        "validity_days": _("Valid for days"),
        "quota_end": _("At the end of the quota"),
        "throttle_up": _("Speed up after that"),
        "throttle_down": _("Speed down after that"),
        "regions": _("Regions"),
    }


@blueprint.get("/plans/")
@requires("plans.view")
def list_plans() -> str:
    """Every group with its plans."""
    groups = queries_plans.list_groups(scope())
    return render_template("admin/plans.html", groups=groups, count=sum(len(group.plans) for group in groups))


@blueprint.get("/plans/<int:plan_id>/")
@requires("plans.view")
def show_plan(plan_id: int) -> str:
    """Sales, subscribers and price history of one plan."""
    plan = queries_plans.plan_detail(scope(), plan_id)
    group = queries_plans.group_detail(scope(), plan.group_id)
    accounts = list_accounts(scope(), AccountFilter(plan_id=plan_id), actor(), present(), size=8)
    return render_template(
        "admin/plan.html",
        plan=plan,
        group=group,
        accounts=accounts,
        prices=queries_plans.price_history(scope(), plan_id),
        promotions=queries_plans.open_promotions(scope(), plan_id, present()),
        sales=sales_of_plan(scope(), plan_id, since=local_midnight(29)),
        may_see_accounts=actor().may("accounts.view"),
    )


@blueprint.route("/plans/new", methods=["GET", "POST"])
@requires("plans.add")
def add_plan_page() -> str | Response | tuple[str, int]:
    """A plan in one of the groups."""
    if request.method == "GET":
        chosen = request.args.get("group", "")
        initial = {"group": chosen, "kind": "month", "max_sessions": 1, "concurrency": "refuse", "usage": "both"}
        initial |= {"visible": "1", "sort": 0, "quota_end": "cut"}
        return _form_page(Form(None, _labels(), **initial), None)
    form = Form(request.form, _labels())
    group_id, values = _read(form)
    if form.ok and values is not None and group_id is not None:
        with form.refusals():
            plan = add_plan_and_apply(scope(), AddPlan(group_id, values), actor=actor(), now=present())
            toast(_("Added the plan %(name)s.", name=plan.name))
            return redirect(url_for("admin.list_plans"))
    return _form_page(form, None), 422


@blueprint.route("/plans/<int:plan_id>/edit", methods=["GET", "POST"])
@requires("plans.edit")
def edit_plan_page(plan_id: int) -> str | Response | tuple[str, int]:
    """Past orders keep what they sold; the kind stays as it is."""
    plan = queries_plans.plan_detail(scope(), plan_id)
    if request.method == "GET":
        return _form_page(Form(None, _labels(), **_filled_in(plan)), plan)
    form = Form(request.form, _labels())
    group_id, values = _read(form, kind=plan.kind)
    if form.ok and values is not None:
        with form.refusals():
            edit_plan_and_apply(scope(), EditPlan(plan_id, values, group_id), actor=actor(), now=present())
            toast(_("Saved the plan %(name)s.", name=values.name))
            return redirect(url_for("admin.show_plan", plan_id=plan_id))
    return _form_page(form, plan), 422


@blueprint.post("/plans/<int:plan_id>/delete")
@requires("plans.delete")
def delete_plan_page(plan_id: int) -> Response:
    """No longer sold; who has it keeps it until the next change."""
    plan = queries_plans.plan_detail(scope(), plan_id)
    delete_plan(scope(), plan_id, actor=actor(), now=present())
    toast(_("The plan %(name)s is no longer sold.", name=plan.name))
    return redirect(url_for("admin.list_plans"))


def _filled_in(plan: PlanRow) -> dict[str, Any]:
    names = ("name", "kind", "max_sessions", "concurrency", "usage", "visible", "sort", "validity_days", "quota_end")
    gigabyte = int(tenant_settings().gigabyte)
    choices = {choice.name: choice.id for choice in list_choices(scope(), actor())["regions"]}
    throttle = throttle_of(scope(), plan.id)
    return {
        **{name: getattr(plan, name) for name in names},
        "group": plan.group_id,
        "price": f"{plan.price:.2f}",
        "quota_octets": ""
        if plan.quota_octets is None
        else f"{Decimal(plan.quota_octets) / gigabyte:.3f}".rstrip("0").rstrip("."),
        "quota_seconds": ""
        if plan.quota_seconds is None
        else f"{Decimal(plan.quota_seconds) / 3600:.3f}".rstrip("0").rstrip("."),
        "throttle_up": rate_text(throttle.up_bps if throttle else None),
        "throttle_down": rate_text(throttle.down_bps if throttle else None),
        "regions": [choices[name] for name in plan.region_names if name in choices],
    }


def _read(form: Form, kind: str = "") -> tuple[int | None, PlanValues | None]:
    groups = [str(group.id) for group in list_choices(scope(), actor())["groups"]]
    group = form.choice("group", groups)
    kind = kind or form.choice("kind", KINDS)
    name = form.text("name", required=True, longest=60)
    price = form.amount("price")
    sessions = form.integer("max_sessions", lowest=0, highest=1000)
    sort = form.integer("sort", lowest=-1_000_000, highest=1_000_000, required=False) or 0
    validity = form.integer("validity_days", lowest=1, highest=3660, required=False)
    concurrency = form.choice("concurrency", ("refuse", "drop-oldest"))
    usage = form.choice("usage", ("new", "renew", "both"))
    quota_end = form.choice("quota_end", ("cut", "throttle"))
    gigabyte = int(tenant_settings().gigabyte)
    octets = form.converted("quota_octets", partial(gigabytes, gigabyte=gigabyte, field="quota_octets"))
    seconds = form.converted("quota_seconds", partial(hours, field="quota_seconds"))
    up, down = rate_field(form, "throttle_up"), rate_field(form, "throttle_down")
    known = {str(region.id) for region in list_choices(scope(), actor())["regions"]}
    regions = [int(value) for value in form.values("regions") if value in known]
    if not form.ok or price is None or sessions is None:
        return None, None
    values = PlanValues(
        name=name,
        kind=kind,
        price=price,
        max_sessions=sessions,
        concurrency=concurrency,
        usage=usage,
        visible=form.checked("visible"),
        sort=sort,
        regions=regions or None,
        quota_octets=octets,
        quota_seconds=seconds,
        validity_days=validity,
        quota_end=quota_end,
        throttle_up_bps=up if quota_end == "throttle" else None,
        throttle_down_bps=down if quota_end == "throttle" else None,
    )
    return as_number(group), values


def _form_page(form: Form, plan: PlanRow | None) -> str:
    choices = list_choices(scope(), actor())
    return render_template(
        "admin/plan_form.html",
        form=form,
        plan=plan,
        groups=choices["groups"],
        regions=choices["regions"],
        by_region=tenant_settings().prices_by_region,
        kinds=[(kind, word(PLAN_KINDS, kind)) for kind in KINDS],
        sign=currency_sign(),
    )
