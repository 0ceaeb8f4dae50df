"""The receipt of an order on paper: shown, then printed; each print is written down, a later one says so (FIN-4)."""

from flask import render_template

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.capital_amount import in_capitals
from portals.shared.i18n import current_language
from portals.shared.previews import lines_of
from portals.shared.tenancy import tenant_brand, tenant_settings
from tenants.billing.print_receipt import print_receipt, times_printed
from tenants.billing.queries_orders import OrderRow, order_by_number


@blueprint.get("/orders/<number>/receipt")
@requires("receipts.print")
def show_receipt(number: str) -> str:
    """As it will be on paper."""
    order = order_by_number(scope(), number, actor())
    return _page(order, copies=times_printed(scope(), order), print_now=False)


@blueprint.post("/orders/<number>/receipt")
@requires("receipts.print")
def print_receipt_page(number: str) -> str:
    """Written down, then the browser prints."""
    order = order_by_number(scope(), number, actor())
    copies = print_receipt(scope(), order, actor=actor(), now=present())
    return _page(order, copies=copies, print_now=True)


def _page(order: OrderRow, *, copies: int, print_now: bool) -> str:
    chinese_yuan = current_language() == "zh" and tenant_settings().currency == "CNY"
    return render_template(
        "admin/receipt.html",
        order=order,
        lines=lines_of(order.lines),
        capitals=in_capitals(order.total) if chinese_yuan else "",
        brand=tenant_brand(),
        contact=tenant_settings().contact_phone,
        copies=copies,
        print_now=print_now,
        may_print=actor().may("receipts.reprint" if copies else "receipts.print"),
    )
