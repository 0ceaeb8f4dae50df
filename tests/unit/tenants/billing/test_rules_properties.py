"""What must hold for all values, not only for examples."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tenants.billing.rules import PlanTerms, prepaid_due, price_difference
from tenants.billing.rules_arrears import Owed, spread
from tenants.billing.rules_promotion import DiscountRule, discount_of
from tenants.billing.rules_refund import proposed_refund, unused_share
from tenants.kernel.period import add_months
from tenants.ledger.chart import credit, debit
from tenants.ledger.errors import Unbalanced
from tenants.ledger.post import merged
from tenants.usage.rules_quota import Counter, count, left, packs_left

ZONE = ZoneInfo("Asia/Shanghai")
MONEY = st.integers(0, 10_000_000).map(lambda c: Decimal(c) / 100)
_FIRST, _LAST = datetime.fromisoformat("2001-01-01"), datetime.fromisoformat("2060-01-01")
INSTANTS = st.datetimes(_FIRST, _LAST).map(lambda d: d.replace(tzinfo=UTC, microsecond=0))


@given(MONEY, st.lists(MONEY, max_size=6))
def test_money_that_arrives_is_neither_lost_nor_made(money: Decimal, owed: list[Decimal]) -> None:
    parts, rest = spread(money, [Owed(i, o) for i, o in enumerate(owed)])
    assert sum((p for _, p in parts), rest) == money
    assert rest >= 0
    assert all(part <= owed[i] for i, part in parts)
    # Nobody is paid before somebody older is paid in full.
    assert all(part == owed[i] for i, part in parts[:-1])


@given(MONEY, st.integers(0, 300).map(Decimal), st.integers(1, 99))
def test_a_discount_never_turns_a_price_negative(price: Decimal, percent: Decimal, quantity: int) -> None:
    off = discount_of(DiscountRule(1, None, percent, None, None), price, quantity)
    assert Decimal(0) <= off <= price


@given(INSTANTS, st.integers(1, 10**8), st.integers(-(10**7), 2 * 10**8), MONEY, MONEY, st.integers(0, 10**6))
def test_a_refund_never_exceeds_what_was_paid(
    start: datetime, length: int, passed: int, price: Decimal, balance: Decimal, gifts: int
) -> None:
    share = unused_share(
        started_at=start,
        expires_at=start + timedelta(seconds=length),
        now=start + timedelta(seconds=passed),
        gift_seconds=gifts,
    )
    assert 0 <= share <= 1
    assert balance <= proposed_refund(balance, price, share) <= balance + price


@given(INSTANTS, st.integers(0, 60))
def test_prepaid_due_times_derive_from_the_first(first: datetime, month: int) -> None:
    after = add_months(first, month, ZONE)
    due, months = prepaid_due(first, after, ZONE)
    assert due == add_months(first, months, ZONE) > after
    assert add_months(first, months - 1, ZONE) <= after


@given(MONEY, MONEY, INSTANTS, INSTANTS, st.sampled_from(["whole", "cents"]), st.booleans())
def test_a_difference_is_charged_or_credited_never_both(
    old: Decimal, new: Decimal, now: datetime, expiry: datetime, rounding: str, credited: bool
) -> None:
    found = price_difference(
        PlanTerms(1, "a", 1, "month", old),
        PlanTerms(2, "b", 1, "month", new),
        expires_at=expiry,
        now=now,
        rounding=rounding,
        downgrade_credit=credited,
    )
    assert found.amount >= 0
    assert found.credit >= 0
    assert found.amount == 0 or found.credit == 0
    assert credited or found.credit == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), MONEY), max_size=8))
def test_entries_are_balanced_or_refused(parts: list[tuple[str, int, Decimal]]) -> None:
    lines = [debit(kind, subject, value) for kind, subject, value in parts]
    total = sum((value for _, _, value in parts), Decimal(0))
    final = merged([*lines, credit("pocket", 1, total)])
    assert sum(line.debit for line in final) == sum(line.credit for line in final) == total
    try:
        merged([*lines, credit("pocket", 1, total + Decimal("0.01"))])
    except Unbalanced:
        return
    raise AssertionError("an entry that does not balance was let through")


DAYS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 500)), max_size=30).map(sorted)


@given(DAYS, st.integers(1, 400), st.integers(0, 1000))
def test_daily_quotas_reset_by_comparison_and_packs_outlive_them(
    reports: list[tuple[int, int]], quota: int, packs: int
) -> None:
    counter: Counter | None = None
    for day, used in reports:
        counter = count(counter, 7, date(2026, 1, 1 + day), quota, used)
    days: dict[int, int] = {}
    for day, used in reports:
        days[day] = days.get(day, 0) + used
    today = max(days, default=0)
    beyond = sum(max(0, used - quota) for day, used in days.items() if day != today)
    window = date(2026, 1, 1 + today)
    # What went beyond the packs, too, is no debt of today.
    assert left(counter, 7, window, quota, packs) == max(0, quota - days.get(today, 0) + max(0, packs - beyond))
    tomorrow = date(2026, 1, 2 + today)
    over = sum(max(0, used - quota) for used in days.values())
    assert packs_left(counter, 7, tomorrow, quota, packs) == max(0, packs - over)
    assert left(counter, 7, tomorrow, quota, packs) == quota + max(0, packs - over)
    assert left(counter, 8, window, quota, packs) == quota + packs  # another epoch begins at 0
