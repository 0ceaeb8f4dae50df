"""The account's plan as it was sold to him: a price that changed since then does not change what he has (PLN-6)."""

from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select

from tenants.billing.context import Context
from tenants.billing.models import Order
from tenants.billing.rules import PlanTerms


def sold_terms(context: Context) -> PlanTerms | None:
    """The terms of the newest order that gave the present plan; the catalogue's where no order sold it.

    A plan that was given without a sale (manual change, move, import) has no other price than the present one.
    """
    terms = context.terms
    if terms is None:
        return None
    newest = (
        select(Order.plan_id, Order.plan_terms)
        .where(
            Order.account_id == context.account.id,
            Order.state == "booked",
            Order.undoes_id.is_(None) | (Order.kind == "pay-by-change"),
            or_(Order.plan_terms.is_not(None), Order.plan_id.is_distinct_from(Order.plan_before_id)),
        )
        .order_by(Order.id.desc())
        .limit(1)
    )
    row = context.scope.session.execute(newest).one_or_none()
    if row is None or row.plan_terms is None or row.plan_id != terms.id:
        return terms
    return read_terms(row.plan_terms)


def read_terms(stored: dict[str, Any]) -> PlanTerms:
    """The terms that an order keeps."""
    names = PlanTerms.__dataclass_fields__
    values = {name: value for name, value in stored.items() if name in names}
    return PlanTerms(**{**values, "price": Decimal(str(values["price"]))})
