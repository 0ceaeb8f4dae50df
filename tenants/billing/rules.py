"""What a purchase or a change of plan costs and until when it lasts (billing-rules.md). Pure: no session, no clock.

Every amount a person sees is rounded once, half-up, where it becomes a line.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from tenants.billing.errors import BadQuantity, BoundToGroup, OtherGroup, PeriodTooFar
from tenants.kernel.money import ZERO, cents, whole
from tenants.kernel.period import Period, add_period, is_never, unify_hour, whole_days_between

MONTH_DAYS = Decimal("30.5")  # W: quarter 91.5, half-year 183, year 366 = 12 x 30.5
MAX_QUANTITY = 999
BUY_OUT_MONTHS = {"month": 1, "quarter": 3, "half-year": 6, "year": 12, "prepaid-month": 1}
BUY_OUT_DAYS = {"day": 1, "week": 7}
NATURAL_KINDS = {"natural-day", "natural-month"}
TOTAL_QUOTA_KINDS = {"traffic", "hours"}

Mode = Literal["buy", "change"]


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What a plan promises, as it stood when it was sold; orders keep it, so that editing a plan changes no order."""

    id: int
    name: str
    group_id: int
    kind: str
    price: Decimal
    quota_octets: int | None = None
    quota_seconds: int | None = None
    validity_days: int | None = None

    @property
    def has_total_quota(self) -> bool:
        """One quota over the whole bought period (others repeat per day or month, or there is none)."""
        return self.kind in TOTAL_QUOTA_KINDS


@dataclass(frozen=True, slots=True)
class Difference:
    """The price difference of a change, with everything a plain reader needs to check it."""

    old_daily: Decimal
    new_daily: Decimal
    days_left: int
    raw: Decimal  # (new_daily - old_daily) x days_left, before rounding
    amount: Decimal  # what is charged (0 where a negative one is not credited), two decimals
    credit: Decimal  # what goes to the balance on a downgrade, two decimals, >= 0


def period_of(plan: PlanTerms) -> Period:
    """How long one unit of the plan lasts. Daily and monthly quotas without a validity of their own last a month."""
    if plan.kind in BUY_OUT_MONTHS:
        return Period("months", BUY_OUT_MONTHS[plan.kind])
    if plan.kind in BUY_OUT_DAYS:
        return Period("days", BUY_OUT_DAYS[plan.kind])
    if plan.kind == "natural-day":
        return Period("natural-day")
    if plan.kind == "natural-month":
        return Period("natural-month")
    if plan.validity_days is not None:
        return Period("days", plan.validity_days)
    return Period("none") if plan.kind in TOTAL_QUOTA_KINDS else Period("months", 1)


def nominal_days(plan: PlanTerms) -> Decimal | None:
    """Days of the plan's period for its daily price; None where it has no end."""
    period = period_of(plan)
    if period.unit in ("months", "natural-month"):
        return MONTH_DAYS * period.count
    return None if period.unit == "none" else Decimal(period.count)


def daily_price(plan: PlanTerms) -> Decimal:
    """Plan price ÷ days of its period, half-up to 2 decimals (50 a month → 1.64); 0 for a plan without end."""
    days = nominal_days(plan)
    return ZERO if days is None else cents(plan.price / days)


def check_quantity(quantity: object) -> int:
    """Raises :class:`BadQuantity` unless it is a whole number from 1 to 999."""
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= MAX_QUANTITY:
        raise BadQuantity(field="quantity", quantity=str(quantity)[:20])
    return quantity


def is_expired(expires_at: datetime, now: datetime) -> bool:
    """From its very second on an account is expired."""
    return expires_at <= now


def period_start(expires_at: datetime, now: datetime) -> datetime:
    """Where a purchase continues: at the old expiry while it runs, else now (G3)."""
    return now if is_expired(expires_at, now) else expires_at


def new_expiry(
    start: datetime, plan: PlanTerms, quantity: int, unified_hour: int | None, now: datetime, zone: ZoneInfo
) -> datetime:
    """End of ``quantity`` periods from ``start``, with the unified expiry hour (G5).

    Natural days and months end at 24:00, whatever the hour. Raises :class:`PeriodTooFar` past 2100.
    """
    period = period_of(plan)
    expiry = add_period(start, period, quantity, zone)
    if period.unit == "none":
        return expiry
    if is_never(expiry, zone):
        raise PeriodTooFar(field="quantity")
    return expiry if plan.kind in NATURAL_KINDS else unify_hour(expiry, unified_hour, now, zone)


def prepaid_due(first_due_at: datetime, after: datetime, zone: ZoneInfo) -> tuple[datetime, int]:
    """The first due time after ``after``, and which month after the first one it is.

    Each derives from the first (31 Jan → 28 Feb → 31 Mar), so clamping never drifts.
    """
    months = max(0, int((after - first_due_at).days // 31))
    while True:
        due = add_period(first_due_at, Period("months", 1), months, zone) if months else first_due_at
        if due > after:
            return due, months
        months += 1


def change_mode(expires_at: datetime, now: datetime, window_seconds: int) -> Mode:
    """Whether another plan is a *change* (with a difference) or, inside the window or when expired, a purchase."""
    return "change" if expires_at - now > timedelta(seconds=window_seconds) else "buy"


def check_group(
    old: PlanTerms | None, new: PlanTerms, *, expires_at: datetime, now: datetime, window_seconds: int, bound: bool
) -> None:
    """The same-group rule of buying. Raises :class:`OtherGroup` or :class:`BoundToGroup`."""
    if old is None or old.group_id == new.group_id:
        return
    if bound:
        raise BoundToGroup(field="plan", plan=new.name)
    if change_mode(expires_at, now, window_seconds) == "change":
        raise OtherGroup(field="plan", plan=new.name)


def quota_days(plan: PlanTerms, granted: int | None, used: int) -> int | None:
    """Days of the bought periods that the unused share of a total quota stands for, floored; None without one.

    Three times 10 GB for 30 days are 90 days: 15 GB left of them stand for 45.
    """
    days, unit = nominal_days(plan), plan.quota_octets or plan.quota_seconds
    if not plan.has_total_quota or not granted or not unit or days is None:
        return None
    periods = max(1, granted // unit)  # what a promotion gave on top is no period of its own
    return int(max(0, granted - used) * periods * days / granted)  # divided last: a third of 90 days is 30, not 29


def price_difference(
    old: PlanTerms,
    new: PlanTerms,
    *,
    expires_at: datetime,
    now: datetime,
    rounding: str,
    downgrade_credit: bool,
    quota_days_left: int | None = None,
) -> Difference:
    """(new daily − old daily) × whole days left, half-up to whole units or cents (G1, G2).

    Quota plans count the days that the unused quota stands for, if these are fewer. A negative difference is 0, or a
    credit where the tenant allows it.
    """
    days = whole_days_between(now, expires_at)
    if quota_days_left is not None:
        days = min(days, quota_days_left)
    old_daily, new_daily = daily_price(old), daily_price(new)
    raw = (new_daily - old_daily) * days
    rounded = cents(raw) if rounding == "cents" else whole(raw)
    credit = -rounded if rounded < 0 and downgrade_credit else ZERO
    return Difference(old_daily, new_daily, days, raw, max(rounded, ZERO), credit)
