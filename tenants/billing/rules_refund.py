"""Unused value of the current period, and the proposal of a refund (billing-rules.md, "Refund"). Pure."""

from datetime import datetime
from decimal import Decimal

from tenants.kernel.money import ZERO, cents


def unused_share(
    *,
    started_at: datetime | None,
    expires_at: datetime,
    now: datetime,
    gift_seconds: int = 0,
    quota: int | None = None,
    used: int = 0,
) -> Decimal:
    """The unused share of a period, 0 … 1: by seconds, by quota where there is one; the smaller where both.

    Gifted time comes last and is worth nothing: it is taken off the rest and off the whole.
    """
    if started_at is None or expires_at <= now:
        return Decimal(0)
    whole_seconds = Decimal((expires_at - started_at).total_seconds()) - gift_seconds
    left_seconds = Decimal((expires_at - max(now, started_at)).total_seconds()) - gift_seconds
    if whole_seconds <= 0:
        return Decimal(0)
    share = min(Decimal(1), max(Decimal(0), left_seconds / whole_seconds))
    if quota:
        share = min(share, Decimal(max(0, quota - used)) / quota)
    return share


def unused_value(price_paid: Decimal, share: Decimal) -> Decimal:
    """What the unused share was paid with, not rounded: it is a step, not a line."""
    return price_paid * share


def proposed_refund(balance: Decimal, price_paid: Decimal, share: Decimal, gifts: Decimal = ZERO) -> Decimal:
    """Balance + price paid × unused share − gifts, half-up to 2 decimals, never below 0."""
    return max(ZERO, cents(balance + unused_value(price_paid, share) - gifts))
