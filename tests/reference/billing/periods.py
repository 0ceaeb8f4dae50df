"""How long a plan lasts, what a day of it costs, what is unused of it: from billing-rules.md alone."""

import math
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from tests.reference.billing import wall_clock
from tests.reference.billing.facts import DAYS, MONTHS, TOTAL_QUOTA, ZERO, Gift, Plan, Quota, Settings, State, half_up

Left = tuple[int | None, int | None]  # octets and seconds that are left


def seconds_between(begin: datetime, end: datetime) -> Fraction:
    span = end - begin
    return Fraction(span.days * 86_400 + span.seconds) + Fraction(span.microseconds, 1_000_000)


def end_of(plan: Plan, quantity: int, base: datetime, s: Settings, anchor: tuple[datetime, int] | None) -> datetime:
    """Where ``quantity`` periods from ``base`` end, before the unified hour."""
    zone = s.zone
    if plan.kind == "prepaid-month":
        first, months = anchor or (base, 0)
        return wall_clock.plus_months(first, months + quantity, zone)
    if plan.kind in MONTHS:
        return wall_clock.plus_months(base, MONTHS[plan.kind] * quantity, zone)
    if plan.kind in DAYS:
        return wall_clock.plus_days(base, DAYS[plan.kind] * quantity, zone)
    if plan.kind == "natural-day":
        return wall_clock.end_of_days(base, quantity, zone)
    if plan.kind == "natural-month":
        return wall_clock.end_of_months(base, quantity, zone)
    if plan.validity_days:
        return wall_clock.plus_days(base, plan.validity_days * quantity, zone)
    return wall_clock.plus_months(base, quantity, zone)


def with_gift(end: datetime, gift: Gift | None, s: Settings) -> datetime:
    if gift is None:
        return end
    if gift.what in ("years", "months"):
        return wall_clock.plus_months(end, int(gift.value) * (12 if gift.what == "years" else 1), s.zone)
    if gift.what == "days":
        return wall_clock.plus_days(end, int(gift.value), s.zone)
    if gift.what == "hours":
        return end + wall_clock.timedelta(hours=int(gift.value))
    return end


def unify(end: datetime, plan: Plan | None, now: datetime, s: Settings) -> datetime:
    """The unified hour; natural days and months end at 24:00 whatever it is."""
    if plan is not None and plan.kind.startswith("natural"):
        return end
    return wall_clock.with_hour(end, s.unified_expiry_hour, now, s.zone)


def daily_price(plan: Plan) -> Decimal:
    return half_up(Fraction(plan.price) / plan.price_days, 2)


def difference(old: Plan, new: Plan, whole_days: int, s: Settings) -> Decimal:
    """(new daily - old daily) * whole days left, to whole units or cents; may be negative."""
    return half_up(
        Fraction(daily_price(new) - daily_price(old)) * whole_days, 0 if s.difference_rounding == "whole" else 2
    )


def whole_days_left(state: State, now: datetime, left: Left) -> int:
    """Of a total quota: not more days than what is left of it stands for."""
    days = max(0, math.floor(seconds_between(now, state.expiry) / 86_400))
    plan = state.plan
    if plan is None or plan.kind not in TOTAL_QUOTA or not plan.validity_days:
        return days
    quota = state.quota
    for remains, sold, ever in zip(left, (plan.octets, plan.seconds), quota.ever, strict=True):
        if remains is not None and sold and ever:
            periods = max(1, ever // sold)  # what was given on top is no period of its own
            days = min(days, math.floor(Fraction(remains, ever) * periods * plan.validity_days))
    return days


def unused_share(state: State, now: datetime, left: Left) -> Fraction:
    """Of the time that was paid: by seconds, by quota where there is one for the whole period, the smaller of both."""
    if state.since is None or state.expiry <= now:
        return Fraction(0)
    paid_until = seconds_between(state.since, state.expiry) - state.gift_seconds
    if paid_until <= 0:
        return Fraction(0)
    share = (seconds_between(now, state.expiry) - state.gift_seconds) / paid_until
    if state.plan is not None and state.plan.kind in TOTAL_QUOTA:
        for remains, granted in zip(left, state.quota.base, strict=True):
            if remains is not None and granted:
                share = min(share, Fraction(remains, granted))
    return min(Fraction(1), max(Fraction(0), share))


def unused_value(state: State, now: datetime, left: Left) -> Fraction:
    if state.waiting is not None:
        return state.value  # a bought period that has not begun is worth all
    return state.value * unused_share(state, state.held or now, left)


def granted(
    plan: Plan, quantity: int, gift: Gift | None, before: State, number: int, left: Left, goes_on: bool
) -> Quota:
    """The quota after a purchase; a total quota that still runs keeps what is left of it (``goes_on``)."""
    more = int(gift.value) if gift is not None and gift.what == "octets" else 0
    times = quantity if plan.kind in TOTAL_QUOTA else 1
    octets = None if plan.octets is None else plan.octets * times + more
    seconds = None if plan.seconds is None else plan.seconds * times
    ever = (octets or 0, seconds or 0)
    if goes_on and plan.kind in TOTAL_QUOTA:
        ever = (ever[0] + before.quota.ever[0], ever[1] + before.quota.ever[1])
        octets = None if octets is None else octets + (left[0] or 0)
        seconds = None if seconds is None else seconds + (left[1] or 0)
    return Quota(number, octets, seconds, (octets, seconds), ever)


def zero(state: State) -> State:
    return replace(state, value=Fraction(0), since=None, gift_seconds=Fraction(0))


def fen(value: Fraction) -> Decimal:
    return half_up(value, 2) if value > 0 else ZERO
