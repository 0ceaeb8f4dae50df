"""Add a promotion to a plan (PLN-3): time, traffic or an amount off, between two instants."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.errors import BadPeriodOfTime, OutOfRange
from tenants.catalog.find import find_plan
from tenants.catalog.models import Promotion
from tenants.catalog.rules import check_choice, check_name, check_number, parse_price
from tenants.kernel.actor import Actor

GIFT_KINDS = ("years", "months", "days", "hours", "octets", "amount")
_HIGHEST = {"years": 50, "months": 600, "days": 18_250, "hours": 438_000, "octets": 10**15}


@dataclass(frozen=True, slots=True)
class AddPromotion:
    """``gift_value`` counts units of ``gift_kind`` (an amount has two decimals); it holds from start to end."""

    plan_id: int
    name: str
    gift_kind: str
    gift_value: str | Decimal
    starts_at: datetime
    ends_at: datetime
    minimum_quantity: int = 1
    first_purchase_only: bool = False


def check_gift(kind: str, value: str | Decimal) -> Decimal:
    """The gift's value. Raises BadChoice, BadPrice, OutOfRange."""
    check_choice(kind, GIFT_KINDS, what="The gift", field="gift_kind")
    if kind == "amount":
        amount = parse_price(value, field="gift_value")
        if amount > 0:
            return amount
        raise OutOfRange(field="gift_value", what="The amount off", lowest=1, highest=1_000_000)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal(0)
    if not number.is_finite() or number != number.to_integral_value() or not 1 <= number <= _HIGHEST[kind]:
        raise OutOfRange(field="gift_value", what=f"The number of {kind}", lowest=1, highest=_HIGHEST[kind])
    return number


def add_promotion(scope: TenantScope, command: AddPromotion, *, actor: Actor, now: datetime) -> Promotion:
    """Store the promotion. Raises PlanNotFound, BadName, BadPeriodOfTime, OutOfRange, BadPrice, BadChoice."""
    actor.require("plans.add")
    plan = find_plan(scope, command.plan_id)
    if command.ends_at <= command.starts_at:
        raise BadPeriodOfTime(field="ends_at")
    promotion = Promotion(
        plan_id=plan.id,
        name=check_name(command.name),
        gift_kind=command.gift_kind,
        gift_value=check_gift(command.gift_kind, command.gift_value),
        minimum_quantity=check_number(
            command.minimum_quantity, 1, 1000, what="The least quantity", field="minimum_quantity"
        ),
        first_purchase_only=command.first_purchase_only,
        starts_at=command.starts_at,
        ends_at=command.ends_at,
    )
    scope.session.add(promotion)
    scope.session.flush()  # for the id that the log names
    record(
        scope,
        actor=actor,
        action="promotion.add",
        object_kind="promotion",
        object_id=promotion.id,
        object_label=promotion.name,
        after={
            "plan": plan.name,
            "gift_kind": promotion.gift_kind,
            "gift_value": str(promotion.gift_value),
            "minimum_quantity": promotion.minimum_quantity,
            "first_purchase_only": promotion.first_purchase_only,
            "starts_at": promotion.starts_at.isoformat(),
            "ends_at": promotion.ends_at.isoformat(),
        },
        now=now,
    )
    return promotion
