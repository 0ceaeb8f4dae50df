"""Offers on a plan: time, traffic or an amount on top, between two days (PLN-3)."""

from datetime import timedelta
from decimal import Decimal

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, local_date, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import toast
from tenants.catalog.add_promotion import GIFT_KINDS, AddPromotion, add_promotion
from tenants.catalog.end_promotion import end_promotion
from tenants.subscribers.queries_plans import plan_detail, promotion_detail


@blueprint.route("/plans/<int:plan_id>/offers/new", methods=["GET", "POST"])
@requires("plans.add")
def add_promotion_page(plan_id: int) -> str | Response | tuple[str, int]:
    """A panel: what is given, from when until when."""
    plan = plan_detail(scope(), plan_id)
    labels = {
        "name": _("Name"),
        "gift_kind": _("What is given"),
        "gift_value": _("How much"),
        "minimum_quantity": _("From a quantity of"),
        "starts_at": _("First day"),
        "ends_at": _("Last day"),
    }
    today = present().astimezone(scope().zone).date()
    initial = {"gift_kind": "amount", "minimum_quantity": 1, "starts_at": today, "ends_at": today + timedelta(days=30)}
    form = Form(request.form if request.method == "POST" else None, labels, **initial)
    if request.method == "POST":
        command = _read(form, plan_id)
        if command is not None:
            with form.refusals():
                add_promotion(scope(), command, actor=actor(), now=present())
                toast(_("Added the offer %(name)s.", name=command.name))
                return redirect_after(url_for("admin.show_plan", plan_id=plan_id))
    back = url_for("admin.show_plan", plan_id=plan_id)
    page = render_template("admin/promotion_form.html", form=form, plan=plan, back=back)
    return page if form.ok else (page, 422)


@blueprint.post("/offers/<int:promotion_id>/end")
@requires("plans.edit")
def end_promotion_page(promotion_id: int) -> Response:
    """Orders that used it keep what it gave."""
    promotion = promotion_detail(scope(), promotion_id)
    end_promotion(scope(), promotion_id, actor=actor(), now=present())
    toast(_("Ended the offer %(name)s.", name=promotion.name))
    return redirect_after(url_for("admin.show_plan", plan_id=promotion.plan_id))


def _read(form: Form, plan_id: int) -> AddPromotion | None:
    name = form.text("name", required=True, longest=60)
    kind = form.choice("gift_kind", GIFT_KINDS)
    value: Decimal | None = form.amount("gift_value")
    quantity = form.integer("minimum_quantity", lowest=1, highest=1000)
    days = {}
    for field, end in (("starts_at", False), ("ends_at", True)):
        day = local_date(form.text(field, required=True, longest=10), end=end)
        if day is None:
            form.fail(field, _("Enter a day such as 2026-11-30."))
        days[field] = day
    starts, ends = days["starts_at"], days["ends_at"]
    if not form.ok or value is None or quantity is None or starts is None or ends is None:
        return None
    if kind == "octets":
        value = value * int(tenant_settings().gigabyte)
    return AddPromotion(plan_id, name, kind, value, starts, ends, quantity, form.checked("first_purchase_only"))
