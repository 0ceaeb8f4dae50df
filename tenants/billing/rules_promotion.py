"""What lowers a price or lengthens a period: promotions (PLN-3) and agents' discount rules (AGT-2). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tenants.kernel.money import ZERO, cents
from tenants.kernel.period import add_days, add_months

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class PromotionTerms:
    """A gift on a purchase: time, octets, or an amount off. Once per purchase of at least the minimum."""

    id: int
    name: str
    gift_kind: str  # years | months | days | hours | octets | amount
    gift_value: Decimal
    minimum_quantity: int
    first_purchase_only: bool
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class DiscountRule:
    """An agent's rule: percent off or a fixed amount off per unit, for one plan or all (None), until an instant."""

    id: int
    plan_id: int | None
    percent: Decimal | None
    fixed: Decimal | None
    valid_until: datetime | None


def running(
    promotions: Sequence[PromotionTerms], *, now: datetime, quantity: int, first_purchase: bool
) -> list[PromotionTerms]:
    """The promotions that this purchase earns: begun, not ended (the end second is out), enough bought."""
    return [
        p
        for p in promotions
        if p.starts_at <= now < p.ends_at
        and quantity >= p.minimum_quantity
        and (first_purchase or not p.first_purchase_only)
    ]


def promotion_amount(promotion: PromotionTerms, remaining: Decimal) -> Decimal:
    """The amount off, never more than what is left to pay."""
    return min(cents(promotion.gift_value), remaining) if promotion.gift_kind == "amount" else ZERO


def gifted_expiry(expiry: datetime, kind: str, value: Decimal, zone: ZoneInfo) -> datetime:
    """The expiry with the gifted time added after the bought periods."""
    if kind in ("years", "months"):
        return add_months(expiry, int(value) * (12 if kind == "years" else 1), zone)
    if kind == "days":
        return add_days(expiry, int(value), zone)
    if kind == "hours":
        return expiry + timedelta(hours=int(value))
    return expiry


def discount_of(rule: DiscountRule, price: Decimal, quantity: int) -> Decimal:
    """What one rule takes off, between 0 and the price: 10.00 at 15 % off leaves 8.50."""
    off = price * rule.percent / HUNDRED if rule.percent is not None else (rule.fixed or ZERO) * quantity
    return max(ZERO, min(cents(off), price))


def best_discount(
    rules: Sequence[DiscountRule], *, plan_id: int, price: Decimal, quantity: int, now: datetime
) -> tuple[DiscountRule, Decimal] | None:
    """The valid rule that takes most off (the lowest id of equals); nothing from the very second of its end."""
    best: tuple[DiscountRule, Decimal] | None = None
    for rule in sorted(rules, key=lambda r: r.id):
        if rule.plan_id not in (None, plan_id) or (rule.valid_until is not None and now >= rule.valid_until):
            continue
        off = discount_of(rule, price, quantity)
        if off > 0 and (best is None or off > best[1]):
            best = (rule, off)
    return best
