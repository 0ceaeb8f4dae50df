"""Windows of arrears and of reversals (billing-rules.md, "Arrears", "Refund, close, reverse"). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tenants.kernel.money import ZERO
from tenants.kernel.period import add_days, end_of_day

INHERITED_KINDS = frozenset({"install", "difference", "inherited", "fee"})


@dataclass(frozen=True, slots=True)
class Owed:
    """An open receivable: what is still owed on an order."""

    id: int
    unpaid: Decimal


def cut_off(old_expiry: datetime, allowed_days: int, zone: ZoneInfo) -> datetime:
    """Until when an account in arrears may connect: old expiry + allowed days (G6: 5 May + 3 days = 8 May)."""
    return add_days(old_expiry, allowed_days, zone)


def cancel_until(old_expiry: datetime, cancel_days: int, zone: ZoneInfo) -> datetime:
    """Until when an ordinary operator may cancel the arrears (G6b: 5 May + 1 day = 6 May)."""
    return add_days(old_expiry, cancel_days, zone)


def spread(amount: Decimal, owed: Sequence[Owed]) -> tuple[list[tuple[int, Decimal]], Decimal]:
    """Money that arrived pays the oldest receivable first, fully or partly; the rest is left over for the balance.

    ``owed`` stands in order of age. Returns (receivable id, part) pairs and the rest.
    """
    parts: list[tuple[int, Decimal]] = []
    for debt in owed:
        part = min(amount, debt.unpaid)
        if part <= ZERO:
            continue
        parts.append((debt.id, part))
        amount -= part
    return parts, amount


def inherited(lines: Sequence[tuple[str, Decimal]]) -> Decimal:
    """What was not the plan's own price and is taken over when arrears are paid by changing the plan (G7)."""
    return sum((value for kind, value in lines if kind in INHERITED_KINDS), ZERO)


def reversal_until(ordered_at: datetime, window_seconds: int, cutoff_hour: int | None, zone: ZoneInfo) -> datetime:
    """The last instant at which an ordinary role may reverse: the window's end, at most ``cutoff_hour`` of that day."""
    until = ordered_at + timedelta(seconds=window_seconds)
    if cutoff_hour is None:
        return until
    if cutoff_hour >= 24:
        return min(until, end_of_day(ordered_at, zone))
    local = ordered_at.astimezone(zone)
    evening = local.replace(hour=cutoff_hour, minute=0, second=0, microsecond=0, fold=0)
    return min(until, evening.astimezone(ordered_at.tzinfo))
