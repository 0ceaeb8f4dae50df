"""Orders and fee records, one order with its lines, and the own drawer (FIN-1, FIN-2, FIN-6)."""

from typing import Any

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, as_number, blueprint, local_date, present, scope
from portals.shared.access import requires
from portals.shared.currency import with_sign
from portals.shared.formats import money
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _, lazy
from portals.shared.lists import Column, ListView
from portals.shared.login import here
from portals.shared.previews import lines_of
from portals.shared.toasts import toast
from portals.shared.words import METHODS, ORDER_KINDS, word
from tenants.billing import queries_fees, queries_orders
from tenants.billing.queries_fees import FeeFilter
from tenants.billing.queries_orders import OrderFilter
from tenants.billing.review import review
from tenants.billing.settle import Settle, settle
from tenants.staff.queries_staff import list_operators
from tenants.subscribers.queries_list import list_choices

FEE_COLUMNS = (
    Column("at", lazy("Time"), phone="plain", fixed=True),
    Column("number", lazy("Order"), mono=True),
    Column("username", lazy("User name"), mono=True, phone="plain", fixed=True),
    Column("what", lazy("What"), phone="title", fixed=True),
    Column("change", lazy("What changed")),
    Column("method", lazy("Method")),
    Column("operator", lazy("Operator"), shown=False),
    Column("state", lazy("State")),
    Column("income", lazy("Income"), money=True, phone="right", fixed=True),
    Column("expense", lazy("Expense"), money=True, fixed=True),
)
ORDER_COLUMNS = (
    Column("at", lazy("Time"), phone="plain", fixed=True),
    Column("number", lazy("Order"), mono=True, fixed=True),
    Column("username", lazy("User name"), mono=True, phone="plain", fixed=True),
    Column("name", lazy("Name")),
    Column("what", lazy("What"), phone="title", fixed=True),
    Column("expires", lazy("Expiry")),
    Column("method", lazy("Method")),
    Column("operator", lazy("By")),
    Column("state", lazy("State")),
    Column("total", lazy("Amount"), money=True, phone="right", fixed=True),
)
FILTERS = ("operator", "method", "kind", "plan", "region", "settled", "reviewed", "since", "until")


@blueprint.get("/money/")
@requires("money.view")
def list_fees() -> str:
    """What money came and went, with the totals of the whole filter and the own drawer."""
    view = ListView.from_request("fees", FEE_COLUMNS, filters=FILTERS)
    wanted = wanted_fees(view)
    choices = _choices(view)
    return render_template(
        "admin/fees.html",
        view=view,
        page=queries_fees.list_fees(scope(), wanted, actor(), cursor=view.cursor, size=view.size),
        totals=queries_fees.total_fees(scope(), wanted, actor()),
        drawer=queries_fees.drawer_of(scope(), here().id),
        export_url=view.elsewhere(url_for("admin.export_fees_page")) if actor().may("money.export") else "",
        **choices,
    )


def wanted_fees(view: ListView) -> FeeFilter:
    """What the address asks for, as the business understands it."""
    yes_no = {"yes": True, "no": False}
    return FeeFilter(
        text=view.text,
        method=view.filter("method"),
        operator_id=as_number(view.filter("operator")),
        region_id=as_number(view.filter("region")),
        plan_id=as_number(view.filter("plan")),
        settled=yes_no.get(view.filter("settled")),
        reviewed=yes_no.get(view.filter("reviewed")),
        since=local_date(view.filter("since")),
        until=local_date(view.filter("until"), end=True),
    )


@blueprint.get("/orders/")
@requires("orders.view")
def list_orders() -> str:
    """Every order of every channel."""
    view = ListView.from_request("orders", ORDER_COLUMNS, filters=FILTERS)
    wanted = OrderFilter(
        text=view.text,
        kind=view.filter("kind"),
        method=view.filter("method"),
        plan_id=as_number(view.filter("plan")),
        region_id=as_number(view.filter("region")),
        operator_id=as_number(view.filter("operator")),
        since=local_date(view.filter("since")),
        until=local_date(view.filter("until"), end=True),
    )
    choices = _choices(view)
    return render_template(
        "admin/orders.html",
        view=view,
        page=queries_orders.list_orders(scope(), wanted, actor(), cursor=view.cursor, size=view.size),
        totals=queries_orders.total_orders(scope(), wanted, actor()),
        **choices,
    )


@blueprint.get("/orders/<number>")
@requires("orders.view")
def show_order(number: str) -> str:
    """One order as a slip: each line says how it came about; fit for printing."""
    order = queries_orders.order_by_number(scope(), number, actor())
    return render_template("admin/order.html", order=order, lines=lines_of(order.lines))


@blueprint.route("/money/settle", methods=["GET", "POST"])
@requires("money.settle")
def settle_drawer() -> str | Response | tuple[str, int]:
    """Hand in the own takings: from then on their records are frozen."""
    drawer = queries_fees.drawer_of(scope(), here().id)
    form = Form(request.form if request.method == "POST" else None, {"counted": _("Cash counted")}, counted="")
    if request.method == "POST":
        counted = form.amount("counted", negative=True)
        note = form.text("note", longest=200)
        difference = None if counted is None else counted - drawer.cash
        if difference and not note:
            form.fail("note", _("The cash differs by %(sum)s; say why.", sum=money(difference)))
        if form.ok:
            with form.refusals():
                note = f"{note} ({money(difference)})" if difference else note
                done = settle(scope(), Settle(here().id, present(), note), actor=actor(), now=present())
                total = with_sign(done.cash)
                toast(_("Settled %(sum)s, %(number)s.", sum=total, number=done.number))
                return redirect_after(url_for("admin.list_fees"))
    page = render_template("admin/settle.html", form=form, drawer=drawer, back=url_for("admin.list_fees"))
    return page if form.ok else (page, 422)


@blueprint.get("/money/settlements")
@requires("money.view")
def list_settlements() -> str:
    """What was handed in, by whom and when."""
    view = ListView.from_request("settlements", ())
    page = queries_fees.list_settlements(scope(), actor(), cursor=view.cursor, size=view.size)
    return render_template("admin/settlements.html", view=view, page=page)


@blueprint.post("/money/<int:fee_id>/review")
@requires("money.review")
def review_fee(fee_id: int) -> Response:
    """Another person has looked at the record."""
    review(scope(), fee_id, actor=actor(), now=present())
    toast(_("Reviewed."))
    return redirect_after(request.referrer or url_for("admin.list_fees"))


def _choices(view: ListView) -> dict[str, Any]:
    choices = list_choices(scope(), actor())
    everybody = actor().may("money.view_all")
    operators = [(row.id, row.name or row.username) for row in list_operators(scope())] if everybody else []
    methods = [(code, word(METHODS, code)) for code in ("cash", "balance", "arrears", "online", "card")]
    kinds = [
        (code, word(ORDER_KINDS, code))
        for code in ("open", "buy", "change-plan", "top-up", "refund", "hold", "resume", "move", "manual", "reverse")
    ]
    for name, label, pairs in (
        ("operator", _("Operator"), operators),
        ("method", _("Method"), methods),
        ("kind", _("What"), kinds),
        ("plan", _("Plan"), choices["plans"]),
        ("region", _("Region"), choices["regions"]),
    ):
        shown = {str(value): str(text) for value, text in pairs}
        view.chip(name, label, shown.get(view.filter(name), "?"))
    for name, label in (("settled", _("Settled")), ("reviewed", _("Reviewed"))):
        view.chip(name, label, _("yes") if view.filter(name) == "yes" else _("no"))
    view.chip("since", _("From"), view.filter("since"))
    view.chip("until", _("Until"), view.filter("until"))
    return {"choices": choices, "operators": operators, "methods": methods, "kinds": kinds}
