"""The account's plan as it was sold to him: a price that changed since then does not change what he has (PLN-6)."""

import json
from decimal import Decimal
from typing import Any

from infra.db import ask, schema_name
from tenants.billing.context import Context
from tenants.billing.rules import PlanTerms

_NEWEST = """
SELECT plan_id, plan_terms FROM {schema}.orders
 WHERE account_id = $1::bigint AND state = 'booked' AND (undoes_id IS NULL OR kind = 'pay-by-change')
   AND (plan_terms IS NOT NULL OR plan_id IS DISTINCT FROM plan_before_id)
 ORDER BY id DESC LIMIT 1"""


def sold_terms(context: Context) -> PlanTerms | None:
    """The terms of the newest order that gave the present plan; the catalogue's where no order sold it.

    A plan that was given without a sale (manual change, move, import) has no other price than the present one.
    """
    terms = context.terms
    if terms is None:
        return None
    sql = _NEWEST.format(schema=schema_name(context.scope.tenant_id))  # made of a number
    newest = ask(context.scope.session, sql, (str(context.account.id),))
    plan_id, stored = newest[0] if newest else (None, None)
    sold = None if stored is None else json.loads(stored)
    if sold is None or plan_id != str(terms.id).encode():
        return terms
    return read_terms(sold)


def read_terms(stored: dict[str, Any]) -> PlanTerms:
    """The terms that an order keeps."""
    names = PlanTerms.__dataclass_fields__
    values = {name: value for name, value in stored.items() if name in names}
    return PlanTerms(**{**values, "price": Decimal(str(values["price"]))})
