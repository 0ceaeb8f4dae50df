"""Unused value of the current period, and the proposal of a refund (billing-rules.md, "Refund"). Pure."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tenants.kernel.money import ZERO, cents

_NOTHING, _TICK = timedelta(0), timedelta(microseconds=1)


def unused_share(
    *,
    started_at: datetime | None,
    expires_at: datetime,
    now: datetime,
    gift_seconds: int = 0,
    quota: int | None = None,
    used: int = 0,
) -> Fraction:
    """The unused share of a period, 0 … 1: by time, by quota where there is one; the smaller where both.

    Gifted time comes last and is worth nothing: it is taken off the rest and off the whole. A fraction, because a
    share of 10/84 cut off after however many digits makes 18.17 of the 18.175 that are half-up 18.18.
    """
    if started_at is None or expires_at <= now:
        return Fraction(0)
    gift = timedelta(seconds=gift_seconds)
    whole, left = expires_at - started_at - gift, expires_at - max(now, started_at) - gift
    if whole <= _NOTHING:
        return Fraction(0)
    share = min(Fraction(1), max(Fraction(0), Fraction(left // _TICK, whole // _TICK)))
    if quota:
        share = min(share, Fraction(max(0, quota - used), quota))
    return share


def unused_value(price_paid: Decimal, share: Fraction) -> Decimal:
    """What the unused share was paid with, not rounded: it is a step, not a line."""
    value = Fraction(price_paid) * share
    return Decimal(value.numerator) / value.denominator  # divided last: what lies at half a fen stays there


def proposed_refund(balance: Decimal, price_paid: Decimal, share: Fraction, gifts: Decimal = ZERO) -> Decimal:
    """Balance + price paid × unused share − gifts, half-up to 2 decimals, never below 0."""
    return max(ZERO, cents(balance + unused_value(price_paid, share) - gifts))
