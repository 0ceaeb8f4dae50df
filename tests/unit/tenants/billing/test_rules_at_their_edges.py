"""Rules of money at the instants and amounts where they turn, each with its arithmetic beside it."""

from datetime import datetime
from decimal import Decimal

import pytest

from tenants.billing import errors
from tenants.billing.rules import (
    PlanTerms,
    change_mode,
    check_group,
    check_quantity,
    new_expiry,
    period_start,
    prepaid_due,
    price_difference,
    quota_days,
)
from tenants.billing.rules_arrears import inherited
from tenants.billing.rules_promotion import DiscountRule, best_discount
from tenants.billing.rules_purchase import price_purchase
from tests.fixtures.billing_terms import plan, promotion
from tests.fixtures.local_time import SHANGHAI, at, show

GIB = 1024**3


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


def test_quota_bought_several_times_stands_for_several_periods() -> None:
    old = plan("traffic", "30.00", quota_octets=10 * GIB, validity_days=30)
    assert quota_days(old, 30 * GIB, 15 * GIB) == 45  # half of 3 * 30 days
    assert quota_days(old, 30 * GIB, 20 * GIB) == 30  # a third of 3 * 30 days, not 29.99…
    assert quota_days(old, 30 * GIB, 30 * GIB) == 0
    assert quota_days(old, 15 * GIB, 6 * GIB) == 18  # 5 GB were a gift: 9 / 15 * 30


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
