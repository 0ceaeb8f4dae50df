"""G1–G7 and G6b as literal figures on the pure rules."""

from decimal import Decimal

from tenants.billing.rules import PlanTerms, daily_price, new_expiry, period_start, price_difference
from tenants.billing.rules_arrears import cancel_until, cut_off, inherited
from tests.fixtures.local_time import SHANGHAI, at

MONTH_50 = PlanTerms(1, "2M month", 1, "month", Decimal("50.00"))
MONTH_60 = PlanTerms(2, "3M month", 2, "month", Decimal("60.00"))
QUARTER_170 = PlanTerms(3, "3M quarter", 2, "quarter", Decimal("170.00"))
QUARTER_140 = PlanTerms(4, "2M quarter", 1, "quarter", Decimal("140.00"))


def difference(old: PlanTerms, new: PlanTerms, expiry: str, now: str, **more: object) -> Decimal:
    options = {"rounding": "whole", "downgrade_credit": False, **more}
    return price_difference(old, new, expires_at=at(expiry), now=at(now), **options).amount  # type: ignore[arg-type]


def test_G1() -> None:
    assert daily_price(MONTH_50) == Decimal("1.64")  # 50 / 30.5 = 1.639…
    assert daily_price(QUARTER_170) == Decimal("1.86")  # 170 / 91.5 = 1.857…
    # (1.86 - 1.64) * 10 = 2.2 -> 2
    assert difference(MONTH_50, QUARTER_170, "2015-05-15 12:00:00", "2015-05-05 12:00:00") == Decimal("2.00")


def test_G2() -> None:
    assert daily_price(MONTH_60) == Decimal("1.97")  # 60 / 30.5 = 1.967…
    # 30 d 0 h 7 m left: (1.97 - 1.64) * 30 = 9.9 -> 10; 60 + 10 = 70
    charged = difference(MONTH_50, MONTH_60, "2015-05-15 11:43:12", "2015-04-15 11:35:31")
    assert charged == Decimal("10.00")
    assert MONTH_60.price + charged == Decimal("70.00")
    ends = new_expiry(at("2015-05-15 11:43:12"), MONTH_60, 1, None, at("2015-04-15 11:35:31"), SHANGHAI)
    assert ends == at("2015-06-15 11:43:12")


def test_G3() -> None:
    now = at("2015-04-15 11:33:44")
    start = period_start(at("2015-04-15 11:43:12"), now)
    assert new_expiry(start, MONTH_50, 1, None, now, SHANGHAI) == at("2015-05-15 11:43:12")


def test_G4() -> None:
    pause = at("2015-04-30 11:42:02") - at("2015-04-15 11:41:54")
    assert at("2015-05-15 11:43:12") + pause == at("2015-05-30 11:43:20")


def test_G5() -> None:
    now = at("2015-04-01 12:10:00")
    assert new_expiry(now, MONTH_50, 1, 16, now, SHANGHAI) == at("2015-05-01 16:10:00")
    now = at("2015-05-08 03:22:12")
    assert new_expiry(now, MONTH_50, 1, 16, now, SHANGHAI) == at("2015-06-08 16:22:12")


def test_G6_and_G6b() -> None:
    assert cut_off(at("2015-05-05 00:00:00"), 3, SHANGHAI) == at("2015-05-08 00:00:00")
    assert cancel_until(at("2015-05-05 00:00:00"), 1, SHANGHAI) == at("2015-05-06 00:00:00")


def test_G7() -> None:
    taken_over = inherited([("plan", Decimal("50.00")), ("difference", Decimal("10.00"))])
    assert QUARTER_140.price + taken_over == Decimal("150.00")
    now = at("2015-09-05 22:58:28")
    assert new_expiry(at("2015-08-28 14:53:59"), QUARTER_140, 1, None, now, SHANGHAI) == at("2015-11-28 14:53:59")
