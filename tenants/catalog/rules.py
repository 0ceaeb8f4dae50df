"""What a plan may be: rates, prices, names, kinds and the fields each kind needs (PLN-1, PLN-2, PLN-5, NET-5). Pure."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal, InvalidOperation
from typing import Literal

from tenants.catalog.errors import (
    BadChoice,
    BadName,
    BadPlanKind,
    BadPrice,
    OutOfRange,
    PlanFieldForbidden,
    PlanFieldNeeded,
)
from tenants.kernel.errors import BusinessError

LONGEST_NAME = 60
HIGHEST_PRICE = Decimal("1000000000")
MOST_SESSIONS = 1000
LONGEST_VALIDITY_DAYS = 36_500

# How long a quota lasts before it begins anew (aaa.subscriber.quota_kind).
QUOTA_NONE, QUOTA_PERIOD, QUOTA_DAY, QUOTA_MONTH = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class KindRule:
    """What a plan of one kind measures and needs.

    ``quota``: what is measured out, if anything. ``quota_scope``: QUOTA_…: what one quota lasts for.
    ``validity``: whether the plan states its days itself ("needed"), may ("allowed": otherwise a calendar month), or
    must not because its kind says it ("no").
    """

    quota: Literal["octets", "seconds"] | None = None
    quota_scope: int = QUOTA_NONE
    validity: Literal["needed", "allowed", "no"] = "no"


KINDS: dict[str, KindRule] = {
    **dict.fromkeys(("day", "week", "month", "quarter", "half-year", "year", "prepaid-month"), KindRule()),
    "traffic": KindRule("octets", QUOTA_PERIOD, "needed"),
    "hours": KindRule("seconds", QUOTA_PERIOD, "needed"),
    "hours-per-day": KindRule("seconds", QUOTA_DAY, "allowed"),
    "hours-per-month": KindRule("seconds", QUOTA_MONTH, "allowed"),
    "traffic-per-day": KindRule("octets", QUOTA_DAY, "allowed"),
    "traffic-per-month": KindRule("octets", QUOTA_MONTH, "allowed"),
    **dict.fromkeys(("natural-day", "natural-month"), KindRule()),
}


def parse_price(value: str | int | Decimal, *, field: str = "price") -> Decimal:
    """An amount ≥ 0 with two decimals. Raises BadPrice (also for NaN, infinities, exponents, three decimals)."""
    try:
        price = Decimal(str(value).strip())
    except InvalidOperation:
        raise BadPrice(field=field, value=value) from None
    if not price.is_finite() or not 0 <= price < HIGHEST_PRICE or price != price.quantize(Decimal("0.01")):
        raise BadPrice(field=field, value=value)
    return abs(price).quantize(Decimal("0.01"))  # abs: "-0" is 0


def check_name(value: str, *, field: str = "name", longest: int = LONGEST_NAME) -> str:
    """The name without outer blanks. Raises BadName."""
    name = value.strip()
    if not 1 <= len(name) <= longest or not name.isprintable():
        raise BadName(field=field, longest=longest)
    return name


def check_choice(value: str, choices: tuple[str, ...], *, what: str, field: str) -> str:
    """The value, if it is one of those offered. Raises BadChoice."""
    if value not in choices:
        raise BadChoice(field=field, what=what, value=value, choices=", ".join(choices))
    return value


def check_number(value: int, lowest: int, highest: int, *, what: str, field: str) -> int:
    """The number, if it lies within the bounds, both included. Raises OutOfRange."""
    if not lowest <= value <= highest:
        raise OutOfRange(field=field, what=what, lowest=lowest, highest=highest)
    return value


def check_kind(value: str) -> KindRule:
    """The rule of a kind. Raises BadPlanKind."""
    rule = KINDS.get(value)
    if rule is None:
        raise BadPlanKind(field="kind", value=value, kinds=", ".join(KINDS))
    return rule


@dataclass(frozen=True, slots=True)
class PlanFields:
    """The fields whose presence depends on the kind (PLN-2, PLN-5)."""

    kind: str
    quota_octets: int | None = None
    quota_seconds: int | None = None
    validity_days: int | None = None
    quota_end: str = "cut"
    throttled: bool = False  # whether rates after the quota's end are given


def plan_field_errors(fields: PlanFields) -> list[BusinessError]:
    """Everything that is missing from, or does not belong to, a plan of this kind; empty when it is right."""
    try:
        rule = check_kind(fields.kind)
    except BadPlanKind as error:
        return [error]
    errors: list[BusinessError] = []

    def needed(field: str, what: str) -> None:
        errors.append(PlanFieldNeeded(field=field, kind=fields.kind, what=what))

    def forbidden(field: str, what: str) -> None:
        errors.append(PlanFieldForbidden(field=field, kind=fields.kind, what=what))

    for measured, field, what, value in (
        ("octets", "quota_gb", "a traffic quota (GB)", fields.quota_octets),
        ("seconds", "quota_hours", "a time quota (hours)", fields.quota_seconds),
    ):
        if rule.quota == measured:
            if value is None:
                needed(field, what)
            elif value <= 0:
                errors.append(OutOfRange(field=field, what=what, lowest=1, highest=1_000_000))
        elif value is not None:
            forbidden(field, what)
    if rule.validity == "needed" and fields.validity_days is None:
        needed("validity_days", "a validity in days")
    elif rule.validity == "no" and fields.validity_days is not None:
        forbidden("validity_days", "validity of its own")
    elif fields.validity_days is not None and not 1 <= fields.validity_days <= LONGEST_VALIDITY_DAYS:
        errors.append(
            OutOfRange(field="validity_days", what="The validity in days", lowest=1, highest=LONGEST_VALIDITY_DAYS)
        )
    if fields.quota_end not in ("cut", "throttle"):
        choices = "cut, throttle"
        errors.append(BadChoice(field="quota_end", what="The quota end", value=fields.quota_end, choices=choices))
    elif fields.quota_end == "throttle":
        if rule.quota is None:
            forbidden("quota_end", "quota that could end")
        elif not fields.throttled:
            needed("throttle_up", "both rates after the quota's end (throttle up and down)")
    elif fields.throttled:
        errors.append(
            PlanFieldForbidden(field="throttle_up", kind=fields.kind, what="throttle rates while its end is cut")
        )
    return errors


@dataclass(frozen=True, slots=True)
class Window:
    """A weekly window (PLN-7) in the tenant's zone; ``days`` bit 0 = Monday; ``ends`` ≤ ``starts`` crosses midnight."""

    days: int
    starts: time
    ends: time
    action: str = "allow"  # allow | rate
    rate_profile_id: int | None = None
