"""Worked examples beyond the golden cases, each with its arithmetic beside it."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tenants.billing import errors
from tenants.billing.rules import (
    PlanTerms,
    change_mode,
    check_group,
    check_quantity,
    daily_price,
    new_expiry,
    period_start,
    prepaid_due,
    price_difference,
    quota_days,
)
from tenants.billing.rules_arrears import Owed, cancel_until, cut_off, inherited, reversal_until, spread
from tenants.billing.rules_promotion import DiscountRule, PromotionTerms, best_discount
from tenants.billing.rules_purchase import price_purchase
from tenants.billing.rules_refund import proposed_refund, unused_share

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
GIB = 1024**3


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def show(instant: datetime, zone: ZoneInfo = SHANGHAI) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def plan(kind: str, price: str = "50.00", **more: object) -> PlanTerms:
    return PlanTerms(1, f"{kind} {price}", 1, kind, Decimal(price), **more)  # type: ignore[arg-type]


def promotion(kind: str, value: str, minimum: int = 1, *, first: bool = False, number: int = 1) -> PromotionTerms:
    begins, ends = at("2015-01-01 00:00:00"), at("2016-01-01 00:00:00")
    return PromotionTerms(number, f"gift {kind}", kind, Decimal(value), minimum, first, begins, ends)


# (kind, price): price / days of the period, half-up to 2 decimals
DAILY = [
    ("month", "50.00", "1.64"),  # 50 / 30.5 = 1.6393
    ("month", "60.00", "1.97"),  # 60 / 30.5 = 1.9672
    ("quarter", "140.00", "1.53"),  # 140 / 91.5 = 1.5300
    ("quarter", "170.00", "1.86"),  # 170 / 91.5 = 1.8579
    ("half-year", "270.00", "1.48"),  # 270 / 183 = 1.4754
    ("year", "500.00", "1.37"),  # 500 / 366 = 1.3661
    ("year", "1.83", "0.01"),  # 1.83 / 366 = 0.005 -> half up
    ("day", "2.00", "2.00"),  # 2 / 1
    ("week", "13.00", "1.86"),  # 13 / 7 = 1.8571
    ("prepaid-month", "30.50", "1.00"),  # 30.5 / 30.5
    ("natural-day", "3.00", "3.00"),  # 3 / 1
    ("natural-month", "40.00", "1.31"),  # 40 / 30.5 = 1.3115
]


@pytest.mark.parametrize(("kind", "price", "daily"), DAILY)
def test_daily_price(kind: str, price: str, daily: str) -> None:
    assert daily_price(plan(kind, price)) == Decimal(daily)


# (start, kind, quantity, validity, hour, end); the purchase is made at its start
EXPIRIES = [
    ("2015-01-31 10:00:00", "month", 1, None, None, "2015-02-28 10:00:00"),  # 31 Jan + 1 -> 28 Feb
    ("2016-01-31 10:00:00", "month", 1, None, None, "2016-02-29 10:00:00"),  # leap year
    ("2015-01-31 10:00:00", "month", 3, None, None, "2015-04-30 10:00:00"),  # not 28 Apr: one step
    ("2015-01-31 10:00:00", "quarter", 1, None, None, "2015-04-30 10:00:00"),  # 3 months
    ("2015-08-31 00:00:01", "half-year", 1, None, None, "2016-02-29 00:00:01"),  # 6 months into a leap February
    ("2016-02-29 12:00:00", "year", 1, None, None, "2017-02-28 12:00:00"),  # 12 months
    ("2016-02-29 12:00:00", "year", 4, None, None, "2020-02-29 12:00:00"),  # 48 months
    ("2015-12-31 23:59:59", "month", 2, None, None, "2016-02-29 23:59:59"),  # over the year's end
    ("2015-05-01 08:00:00", "day", 1, None, None, "2015-05-02 08:00:00"),
    ("2015-05-01 08:00:00", "day", 31, None, None, "2015-06-01 08:00:00"),
    ("2015-02-26 08:00:00", "week", 1, None, None, "2015-03-05 08:00:00"),  # 26 Feb + 7 d
    ("2015-05-01 00:00:00", "natural-day", 1, None, None, "2015-05-02 00:00:00"),  # begins at midnight: that day
    ("2015-05-01 23:59:59", "natural-day", 1, None, None, "2015-05-02 00:00:00"),  # one second for a day's price
    ("2015-05-01 12:00:00", "natural-day", 3, None, None, "2015-05-04 00:00:00"),
    ("2015-01-31 12:00:00", "natural-month", 1, None, None, "2015-02-01 00:00:00"),  # twelve hours
    ("2015-01-31 12:00:00", "natural-month", 2, None, None, "2015-03-01 00:00:00"),
    ("2016-02-01 00:00:00", "natural-month", 1, None, None, "2016-03-01 00:00:00"),
    ("2015-05-01 12:00:00", "natural-month", 1, None, 16, "2015-06-01 00:00:00"),  # 24:00 whatever the hour
    ("2015-05-01 12:10:00", "month", 1, None, 16, "2015-06-01 16:10:00"),  # hour only
    ("2015-05-01 20:10:00", "month", 1, None, 16, "2015-06-01 16:10:00"),  # earlier in the day, not before now
    ("2015-05-01 20:10:00", "day", 1, None, 0, "2015-05-02 00:10:00"),
    ("2015-05-01 12:00:00", "traffic", 1, 30, None, "2015-05-31 12:00:00"),  # 30 days of validity
    ("2015-05-01 12:00:00", "traffic", 2, 30, None, "2015-06-30 12:00:00"),  # 60 days
    ("2015-05-01 12:00:00", "hours", 1, 7, None, "2015-05-08 12:00:00"),
    ("2015-01-31 12:00:00", "hours-per-day", 1, None, None, "2015-02-28 12:00:00"),  # a month without validity
    ("2015-05-01 12:00:00", "traffic-per-month", 1, 10, None, "2015-05-11 12:00:00"),
]


@pytest.mark.parametrize(("start", "kind", "quantity", "validity", "hour", "end"), EXPIRIES)
def test_expiry(start: str, kind: str, quantity: int, validity: int | None, hour: int | None, end: str) -> None:
    bought = plan(kind, validity_days=validity)
    assert show(new_expiry(at(start), bought, quantity, hour, at(start), SHANGHAI)) == end


# The same in a zone with clock changes: 29 March and 25 October 2026.
EXPIRIES_WITH_DST = [
    ("2026-03-28 12:00:00", "day", 1, "2026-03-29 12:00:00"),  # 23 hours, the same wall clock
    ("2026-10-24 12:00:00", "day", 1, "2026-10-25 12:00:00"),  # 25 hours
    ("2026-03-28 02:30:00", "day", 1, "2026-03-29 03:30:00"),  # 02:30 does not exist that day
    ("2026-01-31 02:30:00", "month", 1, "2026-02-28 02:30:00"),
    ("2026-02-28 12:00:00", "month", 1, "2026-03-28 12:00:00"),
    ("2026-03-29 00:00:00", "natural-day", 1, "2026-03-30 00:00:00"),  # a day of 23 hours
    ("2026-10-31 12:00:00", "natural-month", 1, "2026-11-01 00:00:00"),
]


@pytest.mark.parametrize(("start", "kind", "quantity", "end"), EXPIRIES_WITH_DST)
def test_expiry_in_a_zone_with_clock_changes(start: str, kind: str, quantity: int, end: str) -> None:
    begin = at(start, BERLIN)
    assert show(new_expiry(begin, plan(kind), quantity, None, begin, BERLIN), BERLIN) == end


# (old, new, expiry, now, rounding, credit allowed) -> (charged, credited)
DIFFERENCES = [
    # 1.97 - 1.64 = 0.33 a day
    (("month", "50.00"), ("month", "60.00"), "2015-05-15 12:00:00", "2015-05-05 12:00:00", "whole", False, "3.00", "0"),
    (("month", "50.00"), ("month", "60.00"), "2015-05-15 12:00:00", "2015-05-05 12:00:00", "cents", False, "3.30", "0"),
    # 9 d 23:59:59 left: 9 whole days: 0.33 * 9 = 2.97 -> 3
    (("month", "50.00"), ("month", "60.00"), "2015-05-15 11:59:59", "2015-05-05 12:00:00", "cents", False, "2.97", "0"),
    # less than a day left: 0 days
    (("month", "50.00"), ("month", "60.00"), "2015-05-06 11:00:00", "2015-05-05 12:00:00", "cents", False, "0.00", "0"),
    # downgrade: 1.64 - 1.97 = -0.33 * 10 = -3.3 -> 0, or a credit of 3 / 3.30
    (("month", "60.00"), ("month", "50.00"), "2015-05-15 12:00:00", "2015-05-05 12:00:00", "whole", False, "0.00", "0"),
    (("month", "60.00"), ("month", "50.00"), "2015-05-15 12:00:00", "2015-05-05 12:00:00", "whole", True, "0.00", "3"),
    (
        ("month", "60.00"),
        ("month", "50.00"),
        "2015-05-15 12:00:00",
        "2015-05-05 12:00:00",
        "cents",
        True,
        "0.00",
        "3.30",
    ),
    # 500 / 366 = 1.37; 50 / 30.5 = 1.64: monthly costs more a day: 0.27 * 200 = 54
    (
        ("year", "500.00"),
        ("month", "50.00"),
        "2015-12-01 00:00:00",
        "2015-05-15 00:00:00",
        "whole",
        False,
        "54.00",
        "0",
    ),
    # day plan 2.00 a day against 1.64: -0.36 * 5 = -1.8 -> -2
    (("day", "2.00"), ("month", "50.00"), "2015-05-10 00:00:00", "2015-05-05 00:00:00", "whole", True, "0.00", "2"),
    # week 13 / 7 = 1.86: 0.22 * 7 = 1.54 -> 2
    (("month", "50.00"), ("week", "13.00"), "2015-05-12 00:00:00", "2015-05-05 00:00:00", "whole", False, "2.00", "0"),
    # exactly half: (1.69 - 1.64) * 10 = 0.50 -> 1
    (("month", "50.00"), ("month", "51.55"), "2015-05-15 00:00:00", "2015-05-05 00:00:00", "whole", False, "1.00", "0"),
    # expired: no days left
    (("month", "50.00"), ("month", "60.00"), "2015-05-01 00:00:00", "2015-05-05 00:00:00", "whole", False, "0.00", "0"),
]


@pytest.mark.parametrize(("old", "new", "expiry", "now", "rounding", "allowed", "charged", "credited"), DIFFERENCES)
def test_difference(
    old: tuple[str, str],
    new: tuple[str, str],
    expiry: str,
    now: str,
    rounding: str,
    allowed: bool,
    charged: str,
    credited: str,
) -> None:
    found = price_difference(
        plan(*old), plan(*new), expires_at=at(expiry), now=at(now), rounding=rounding, downgrade_credit=allowed
    )
    assert (found.amount, found.credit) == (Decimal(charged), Decimal(credited))


def test_difference_of_a_quota_plan_counts_the_smaller_rest() -> None:
    old, new = plan("traffic", "30.00", quota_octets=10 * GIB, validity_days=30), plan("month", "60.00")
    # 4 of 10 GB left = 0.4 * 30 days = 12 days, though 20 days of time are left
    days = quota_days(old, 10 * GIB, 6 * GIB)
    assert days == 12
    found = price_difference(
        old, new, expires_at=at("2015-05-25 00:00:00"), now=at("2015-05-05 00:00:00"), rounding="cents",
        downgrade_credit=False, quota_days_left=days,
    )  # fmt: skip
    assert found.amount == Decimal("11.64")  # (60 / 30.5 = 1.97 - 30 / 30 = 1.00) * 12


# (price, quantity, promotions, discount percent / fixed) -> (lines, total, hour of expiry); from 2015-05-01 12:00:00
PURCHASES = [
    ("50.00", 1, [], None, None, ["plan 50.00"], "50.00", "2015-06-01 12"),
    ("50.00", 3, [], None, None, ["plan 150.00"], "150.00", "2015-08-01 12"),
    ("10.00", 1, [], "15", None, ["plan 10.00", "discount -1.50"], "8.50", "2015-06-01 12"),
    ("0.05", 1, [], "50", None, ["plan 0.05", "discount -0.03"], "0.02", "2015-06-01 12"),  # 0.025 -> 0.03
    ("50.00", 2, [], None, "5.00", ["plan 100.00", "discount -10.00"], "90.00", "2015-07-01 12"),  # per unit
    ("50.00", 1, [], None, "80.00", ["plan 50.00", "discount -50.00"], "0.00", "2015-06-01 12"),  # never below 0
    ("50.00", 1, [], "150", None, ["plan 50.00", "discount -50.00"], "0.00", "2015-06-01 12"),  # over 100 %
    ("50.00", 1, [("amount", "20", 1)], None, None, ["plan 50.00", "promotion -20.00"], "30.00", "2015-06-01 12"),
    ("50.00", 1, [("amount", "70", 1)], None, None, ["plan 50.00", "promotion -50.00"], "0.00", "2015-06-01 12"),
    # promotion first, then percent of the rest: (50 - 20) * 10 % = 3
    ("50.00", 1, [("amount", "20", 1)], "10", None,
     ["plan 50.00", "promotion -20.00", "discount -3.00"], "27.00", "2015-06-01 12"),
    ("50.00", 12, [("months", "1", 12)], None, None, ["plan 600.00", "promotion 0.00"], "600.00", "2016-06-01 12"),
    ("50.00", 11, [("months", "1", 12)], None, None, ["plan 550.00"], "550.00", "2016-04-01 12"),  # not enough
    ("50.00", 1, [("days", "7", 1)], None, None, ["plan 50.00", "promotion 0.00"], "50.00", "2015-06-08 12"),
    ("50.00", 1, [("hours", "36", 1)], None, None, ["plan 50.00", "promotion 0.00"], "50.00", "2015-06-03 00"),
    ("50.00", 1, [("years", "1", 1)], None, None, ["plan 50.00", "promotion 0.00"], "50.00", "2016-06-01 12"),
    ("0.00", 1, [], "15", None, ["plan 0.00"], "0.00", "2015-06-01 12"),  # nothing to take off
]  # fmt: skip


@pytest.mark.parametrize(("price", "quantity", "gifts", "percent", "fixed", "lines", "total", "expiry"), PURCHASES)
def test_purchase(
    price: str,
    quantity: int,
    gifts: list[tuple[str, str, int]],
    percent: str | None,
    fixed: str | None,
    lines: list[str],
    total: str,
    expiry: str,
) -> None:
    now = at("2015-05-01 12:00:00")
    rule = DiscountRule(1, None, percent and Decimal(percent), fixed and Decimal(fixed), None)  # type: ignore[arg-type]
    priced = price_purchase(
        plan("month", price),
        quantity=quantity,
        start=now,
        now=now,
        zone=SHANGHAI,
        unified_hour=None,
        promotions=[promotion(*gift) for gift in gifts],
        discounts=[rule] if percent or fixed else [],
    )
    assert [f"{line.kind} {line.amount:.2f}" for line in priced.lines] == lines
    assert priced.total == Decimal(total) == sum(line.amount for line in priced.lines)
    assert show(priced.expires_at)[:13] == expiry


def test_first_purchase_promotions_and_their_span() -> None:
    gift = promotion("days", "7", first=True)
    begin = at("2015-05-01 12:00:00")

    def days(now: datetime, *, first: bool) -> int:
        priced = price_purchase(
            plan("month"), quantity=1, start=now, now=now, zone=SHANGHAI, unified_hour=None, promotions=[gift],
            first_purchase=first,
        )  # fmt: skip
        return priced.gift_seconds // 86_400

    assert days(begin, first=True) == 7
    assert days(begin, first=False) == 0
    assert days(at("2015-12-31 23:59:59"), first=True) == 7
    assert days(at("2016-01-01 00:00:00"), first=True) == 0  # from the very second of its end


def test_an_expired_discount_rule_gives_nothing_from_its_second_and_the_best_counts() -> None:
    ends = at("2015-06-01 00:00:00")
    rules = [
        DiscountRule(1, None, Decimal(15), None, ends),
        DiscountRule(2, 1, None, Decimal("4.00"), None),
        DiscountRule(3, 99, Decimal(90), None, None),  # of another plan
    ]

    def best(now: datetime) -> str:
        found = best_discount(rules, plan_id=1, price=Decimal("50.00"), quantity=1, now=now)
        return "none" if found is None else f"{found[0].id}: {found[1]:.2f}"

    assert best(at("2015-05-31 23:59:59")) == "1: 7.50"  # 15 % of 50
    assert best(ends) == "2: 4.00"


# (allowed days, cancel days, old expiry) -> (cut-off, cancel until)
ARREARS = [
    (3, 1, "2015-05-05 00:00:00", "2015-05-08 00:00:00", "2015-05-06 00:00:00"),  # G6, G6b
    (0, 0, "2015-05-05 11:00:00", "2015-05-05 11:00:00", "2015-05-05 11:00:00"),
    (31, 1, "2016-01-31 11:00:00", "2016-03-02 11:00:00", "2016-02-01 11:00:00"),  # 29 days of February
]


@pytest.mark.parametrize(("allowed", "cancel", "expiry", "cut", "until"), ARREARS)
def test_arrears_windows(allowed: int, cancel: int, expiry: str, cut: str, until: str) -> None:
    assert show(cut_off(at(expiry), allowed, SHANGHAI)) == cut
    assert show(cancel_until(at(expiry), cancel, SHANGHAI)) == until


# money that arrives, what is owed (oldest first) -> parts, rest
SPREADS = [
    ("100.00", ["60.00"], ["60.00"], "40.00"),
    ("50.00", ["60.00"], ["50.00"], "0.00"),
    ("100.00", ["60.00", "60.00"], ["60.00", "40.00"], "0.00"),
    ("0.01", ["60.00", "60.00"], ["0.01"], "0.00"),
    ("200.00", ["60.00", "60.00"], ["60.00", "60.00"], "80.00"),
    ("25.00", [], [], "25.00"),
]


@pytest.mark.parametrize(("money", "owed", "parts", "rest"), SPREADS)
def test_money_pays_the_oldest_first(money: str, owed: list[str], parts: list[str], rest: str) -> None:
    found, left = spread(Decimal(money), [Owed(i, Decimal(o)) for i, o in enumerate(owed)])
    assert [part for _, part in found] == [Decimal(p) for p in parts]
    assert left == Decimal(rest)


def test_what_is_inherited() -> None:
    lines = [
        ("plan", "50"),
        ("promotion", "-5"),
        ("install", "100"),
        ("difference", "10"),
        ("fee", "3"),
        ("inherited", "2"),
    ]
    assert inherited([(kind, Decimal(value)) for kind, value in lines]) == Decimal(115)  # 100 + 10 + 3 + 2


# (price, balance, start, expiry, now, gifted days, quota used of 100) -> proposal
REFUNDS = [
    ("50.00", "0", "2015-05-01", "2015-05-31", "2015-05-16", 0, None, "25.00"),  # half of 30 days
    ("50.00", "12.34", "2015-05-01", "2015-05-31", "2015-05-16", 0, None, "37.34"),  # + balance
    ("50.00", "0", "2015-05-01", "2015-05-31", "2015-05-31", 0, None, "0.00"),  # over
    ("50.00", "0", "2015-05-01", "2015-05-31", "2015-05-01", 0, None, "50.00"),  # just begun
    ("100.00", "0", "2015-05-01", "2015-05-31", "2015-05-11", 0, None, "66.67"),  # 20 / 30 = 66.666…
    ("50.00", "0", "2015-05-01", "2015-05-31", "2015-05-11", 10, None, "25.00"),  # (20 - 10) / (30 - 10)
    ("50.00", "0", "2015-05-01", "2015-05-31", "2015-05-25", 10, None, "0.00"),  # only gifted days are left
    ("30.00", "0", "2015-05-01", "2015-05-31", "2015-05-16", 0, 80, "6.00"),  # 20 % of the quota < 50 % of the time
    ("30.00", "0", "2015-05-01", "2015-05-31", "2015-05-28", 0, 10, "3.00"),  # 10 % of the time < 90 % of the quota
    ("30.00", "0", "2015-05-01", "2015-05-31", "2015-05-16", 0, 120, "0.00"),  # more used than sold
]


@pytest.mark.parametrize(("price", "balance", "start", "expiry", "now", "gifts", "used", "proposal"), REFUNDS)
def test_refund(
    price: str, balance: str, start: str, expiry: str, now: str, gifts: int, used: int | None, proposal: str
) -> None:
    share = unused_share(
        started_at=at(start),
        expires_at=at(expiry),
        now=at(now),
        gift_seconds=gifts * 86_400,
        quota=None if used is None else 100,
        used=used or 0,
    )
    assert proposed_refund(Decimal(balance), Decimal(price), share) == Decimal(proposal)


# (ordered at, window, cutoff hour) -> until
REVERSALS = [
    ("2015-05-01 12:00:00", 3600, 23, "2015-05-01 13:00:00"),
    ("2015-05-01 22:30:00", 3600, 23, "2015-05-01 23:00:00"),  # not after 23:00 of that day
    ("2015-05-01 23:30:00", 3600, 23, "2015-05-01 23:00:00"),  # never
    ("2015-05-01 23:30:00", 3600, None, "2015-05-02 00:30:00"),  # no daily limit
    ("2015-05-01 12:00:00", 0, 23, "2015-05-01 12:00:00"),
]


@pytest.mark.parametrize(("ordered", "window", "hour", "until"), REVERSALS)
def test_reversal_window(ordered: str, window: int, hour: int | None, until: str) -> None:
    assert show(reversal_until(at(ordered), window, hour, SHANGHAI)) == until


def test_prepaid_months_do_not_drift() -> None:
    first = at("2015-01-31 10:00:00")
    due, ends = first, []
    for _ in range(5):
        due, _ = prepaid_due(first, due, SHANGHAI)
        ends.append(show(due)[:10])
    assert ends == ["2015-02-28", "2015-03-31", "2015-04-30", "2015-05-31", "2015-06-30"]


@pytest.mark.parametrize(
    ("expiry", "now", "mode"),
    [
        ("2015-05-08 00:00:00", "2015-05-05 00:00:00", "buy"),  # exactly 3 days: inside
        ("2015-05-08 00:00:01", "2015-05-05 00:00:00", "change"),
        ("2015-05-05 00:00:00", "2015-05-05 00:00:00", "buy"),  # expired
    ],
)
def test_the_window_in_which_a_change_is_a_purchase(expiry: str, now: str, mode: str) -> None:
    assert change_mode(at(expiry), at(now), 259_200) == mode


def test_the_group_rule() -> None:
    old, other = plan("month"), PlanTerms(2, "other", 2, "month", Decimal(60))
    facts = {"expires_at": at("2015-06-01 00:00:00"), "now": at("2015-05-05 00:00:00"), "window_seconds": 259_200}
    check_group(old, old, bound=True, **facts)  # type: ignore[arg-type]
    check_group(None, other, bound=True, **facts)  # type: ignore[arg-type]
    with pytest.raises(errors.OtherGroup):
        check_group(old, other, bound=False, **facts)  # type: ignore[arg-type]
    facts["now"] = at("2015-07-01 00:00:00")
    check_group(old, other, bound=False, **facts)  # type: ignore[arg-type]
    with pytest.raises(errors.BoundToGroup):
        check_group(old, other, bound=True, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("quantity", [0, -1, 1000, 1_000_000, 1.5, "2", True, None])
def test_quantities_that_are_refused(quantity: object) -> None:
    with pytest.raises(errors.BadQuantity):
        check_quantity(quantity)


def test_buying_continues_at_the_old_expiry_until_its_very_second() -> None:
    expiry = at("2015-05-05 00:00:00")
    assert period_start(expiry, at("2015-05-04 23:59:59")) == expiry
    assert period_start(expiry, expiry) == expiry == at("2015-05-05 00:00:00")
    assert period_start(expiry, at("2015-05-05 00:00:01")) == at("2015-05-05 00:00:01")


def test_past_2100_is_refused() -> None:
    with pytest.raises(errors.PeriodTooFar):
        new_expiry(at("2015-05-05 00:00:00"), plan("year"), 85, None, at("2015-05-05 00:00:00"), SHANGHAI)
