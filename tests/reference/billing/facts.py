"""What the reference knows: plans, settings, one account with its orders, the refusals of a step."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from tests.reference.billing.wall_clock import Zone

ZERO = Decimal("0.00")
MONTHS = {"month": 1, "quarter": 3, "half-year": 6, "year": 12, "prepaid-month": 1}
DAYS = {"day": 1, "week": 7}
PRICE_DAYS = {
    "day": Fraction(1), "week": Fraction(7), "month": Fraction(61, 2), "quarter": Fraction(183, 2),
    "half-year": Fraction(183), "year": Fraction(366), "prepaid-month": Fraction(61, 2),
    "natural-day": Fraction(1), "natural-month": Fraction(61, 2),
}  # fmt: skip
TOTAL_QUOTA = ("traffic", "hours")


@dataclass(frozen=True)
class Gift:
    """A promotion: what, how much, from which quantity, only at the first purchase, from when until when."""

    what: str
    value: Decimal
    minimum: int
    first_only: bool
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Plan:
    name: str
    group: str
    kind: str
    price: Decimal
    octets: int | None = None
    seconds: int | None = None
    validity_days: int | None = None
    usage: str = "both"
    hidden: bool = False
    deleted: bool = False
    regions: tuple[str, ...] = ()
    gifts: tuple[Gift, ...] = ()

    @property
    def resets(self) -> str:
        """How often its quota begins anew: "", "day", "month" (the whole period for total quotas)."""
        return "day" if self.kind.endswith("-per-day") else "month" if self.kind.endswith("-per-month") else ""

    @property
    def price_days(self) -> Fraction:
        """The days that the price is divided by."""
        if self.kind in PRICE_DAYS:
            return PRICE_DAYS[self.kind]
        return Fraction(self.validity_days) if self.validity_days else Fraction(61, 2)


@dataclass
class Settings:
    zone: Zone
    not_a_change_seconds: int = 259_200
    bind_original_group: bool = False
    auto_difference: bool = True
    difference_only: bool = False
    difference_rounding: str = "whole"
    downgrade_credit: bool = False
    reversal_seconds: int = 3600
    reversal_cutoff_hour: int | None = 23
    arrears_days: int = 3
    arrears_cancel_days: int = 1
    unified_expiry_hour: int | None = None
    install_fee: Decimal = ZERO


@dataclass(frozen=True)
class Line:
    kind: str
    amount: Decimal


@dataclass(frozen=True)
class Debt:
    """What is owed on one order (its place in the list): ``plan_part`` of the amount is what the period costs."""

    order: int
    amount: Decimal
    plan_part: Decimal
    base: datetime  # the expiry that the windows count from
    cut: datetime  # until when the account may connect
    waits: bool = False  # its period begins with the first login
    paid: Decimal = ZERO

    @property
    def open(self) -> Decimal:
        return self.amount - self.paid


@dataclass(frozen=True)
class Pack:
    octets: int
    seconds: int
    expires: datetime | None  # None: with the plan


@dataclass(frozen=True)
class Quota:
    """What was granted of octets or seconds, None: no such quota. ``number`` tells grants apart."""

    number: int = 0
    octets: int | None = None
    seconds: int | None = None
    base: tuple[int | None, int | None] = (None, None)  # what was left of it when the paid time began
    ever: tuple[int, int] = (
        0,
        0,
    )  # all that was granted since it began, also what was used of it before it was extended


@dataclass(frozen=True)
class State:
    """All that an operation may change; an order keeps the one before it, so that a reversal restores it."""

    plan: Plan | None
    expiry: datetime
    opened: datetime
    region: str = "everywhere"
    username: str = ""
    balance: Decimal = ZERO
    held: datetime | None = None
    closed: bool = False
    disabled: bool = False
    never: bool = False
    auto_renew: bool = False
    activated: bool = True
    logged_in: datetime | None = None  # the first login that began a period
    waiting: tuple[Plan, int, Gift | None] | None = None  # bought, begins with the first login
    anchor: tuple[datetime, int] | None = None  # prepaid: the first instant and how many months since
    value: Fraction = Fraction(0)  # what was paid for the time that still runs
    since: datetime | None = None  # when that time began
    gift_seconds: Fraction = Fraction(0)  # of its end
    quota: Quota = Quota()
    packs: tuple[Pack, ...] = ()
    debts: tuple[Debt, ...] = ()
    undone: frozenset[int] = frozenset()  # orders that were reversed, cancelled or replaced

    @property
    def owed(self) -> Decimal:
        return sum((debt.open for debt in self.debts), ZERO)


@dataclass
class Order:
    kind: str
    at: datetime
    lines: tuple[Line, ...]
    before: State
    after: State
    method: str = "cash"
    sold: Plan | None = None  # what it gave, at the price of that day
    quantity: int = 1
    settled: bool = False

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


class Refused(Exception):
    """The step is refused; any of these codes is right."""

    def __init__(self, codes: Iterable[str]) -> None:
        self.codes = frozenset(codes)
        super().__init__(", ".join(sorted(self.codes)))


def half_up(value: Fraction, places: int) -> Decimal:
    """A shop-keeper's rounding, away from zero at exactly half, once."""
    scale = 10**places
    doubled = abs(value) * scale * 2
    whole = (doubled.numerator // doubled.denominator + 1) // 2
    rounded = Decimal(whole if value >= 0 else -whole) / scale
    return rounded.quantize(Decimal(1).scaleb(-2), ROUND_HALF_UP) + ZERO
