"""The priced purchase: which lines it has, what it gives, until when it lasts (billing-rules.md, "Buy"). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tenants.billing.rules import PlanTerms, new_expiry
from tenants.billing.rules_promotion import (
    DiscountRule,
    PromotionTerms,
    best_discount,
    gifted_expiry,
    promotion_amount,
    running,
)
from tenants.kernel.money import ZERO, cents


@dataclass(frozen=True, slots=True)
class PricedLine:
    """An amount with the figures it was computed from."""

    kind: str  # plan | promotion | discount
    amount: Decimal
    subject_id: int
    explanation: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PricedPurchase:
    """What ``quantity`` of a plan cost and give."""

    lines: tuple[PricedLine, ...]
    total: Decimal
    expires_at: datetime
    gift_seconds: int
    gift_octets: int
    discount: DiscountRule | None


def price_purchase(
    plan: PlanTerms,
    *,
    quantity: int,
    start: datetime,
    now: datetime,
    zone: ZoneInfo,
    unified_hour: int | None,
    promotions: Sequence[PromotionTerms] = (),
    discounts: Sequence[DiscountRule] = (),
    first_purchase: bool = False,
    bought_until: datetime | None = None,
) -> PricedPurchase:
    """Price × quantity − promotion − discount, never below 0, and the expiry with gifts.

    ``bought_until`` overrides the end of the bought periods (prepaid months derive from their first due time).
    """
    price = cents(plan.price * quantity)
    lines = [PricedLine("plan", price, plan.id, {"plan": plan.name, "price": plan.price, "quantity": quantity})]
    rest = price
    until = bought_until or new_expiry(start, plan, quantity, unified_hour, now, zone)
    expires_at, gift_octets = until, 0
    for promotion in running(promotions, now=now, quantity=quantity, first_purchase=first_purchase):
        off = promotion_amount(promotion, rest)
        facts = {"promotion": promotion.name, "gift": promotion.gift_kind, "value": promotion.gift_value}
        lines.append(PricedLine("promotion", ZERO - off, plan.id, facts))
        rest -= off
        expires_at = gifted_expiry(expires_at, promotion.gift_kind, promotion.gift_value, zone)
        gift_octets += int(promotion.gift_value) if promotion.gift_kind == "octets" else 0
    chosen = best_discount(discounts, plan_id=plan.id, price=rest, quantity=quantity, now=now)
    if chosen is not None:
        rule, off = chosen
        facts = {"rule": rule.id, "percent": rule.percent, "fixed": rule.fixed, "list_price": rest}
        lines.append(PricedLine("discount", ZERO - off, rule.id, facts))
        rest -= off
    gift_seconds = int((expires_at - until).total_seconds())
    return PricedPurchase(
        tuple(lines), rest, expires_at, gift_seconds, gift_octets, None if chosen is None else chosen[0]
    )
