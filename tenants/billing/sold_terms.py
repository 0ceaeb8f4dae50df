"""The account's plan as it was sold to him: a price that changed since then does not change what he has (PLN-6)."""

from decimal import Decimal
from typing import Any

from tenants.billing.context import Context
from tenants.billing.rules import PlanTerms


def sold_terms(context: Context) -> PlanTerms | None:
    """The terms of the newest order that gave the present plan; the catalogue's where no order sold it.

    A plan that was given without a sale (manual change, move, import) has no other price than the present one.
    The operation says that it reads them (``reads="sold"``).
    """
    terms, sold = context.terms, context.beside.sold
    if terms is None or sold is None or sold.terms is None or sold.plan_id != terms.id:
        return terms
    return read_terms(sold.terms)


def read_terms(stored: dict[str, Any]) -> PlanTerms:
    """The terms that an order keeps."""
    names = PlanTerms.__dataclass_fields__
    values = {name: value for name, value in stored.items() if name in names}
    return PlanTerms(**{**values, "price": Decimal(str(values["price"]))})
