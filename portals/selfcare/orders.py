"""Bills: every order of the own account, and one of them with its lines (SLF-4)."""

from flask import render_template, request

from portals.selfcare.blueprint import account_id, blueprint, read_account, scope
from portals.selfcare.words import method, order_title
from portals.shared.access import signed_in
from portals.shared.currency import currency_sign
from portals.shared.previews import lines_of
from tenants.billing.queries_selfcare import own_order, own_orders


@blueprint.get("/orders/")
@signed_in
def list_orders() -> str:
    """Newest first."""
    page = own_orders(scope(), account_id(), cursor=request.args.get("cursor", "")[:500])
    return render_template(
        "selfcare/orders.html",
        account=read_account(),
        page=page,
        sign=currency_sign(),
        order_title=order_title,
        method=method,
    )


@blueprint.get("/orders/<number>")
@signed_in
def show_order(number: str) -> str:
    """What one order changed and what it cost."""
    order, lines = own_order(scope(), account_id(), number)
    return render_template(
        "selfcare/order.html",
        order=order,
        lines=lines_of(lines),
        sign=currency_sign(),
        title=order_title(order.kind, order.total),
        method=method,
    )
