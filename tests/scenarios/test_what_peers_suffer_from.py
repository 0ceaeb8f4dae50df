"""What users of other billing systems suffer from, each as a story that must end well here (billing-rules.md).

Told elsewhere: overdraft by parallel purchases (phpnuxbill Balance.php) in integration/billing/test_concurrency.py, a
crash between activation and payment (phpnuxbill cron.php) in integration/billing/test_crash_points.py.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.due import run_due
from tenants.billing.hold import Hold, hold
from tenants.billing.models import FeeRecord, Order
from tenants.billing.refund import Refund, refund
from tenants.billing.resume import Resume, resume
from tenants.billing.rules import PlanTerms
from tenants.billing.rules_promotion import DiscountRule, PromotionTerms
from tenants.billing.rules_purchase import price_purchase
from tenants.billing.top_up import TopUp, top_up
from tenants.kernel.money import ZERO
from tests.fixtures.billing import Counter

SHANGHAI = ZoneInfo("Asia/Shanghai")


def orders(counter: Counter, account: int, kind: str) -> list[Order]:
    chosen = select(Order).where(Order.account_id == account, Order.kind == kind).order_by(Order.id)
    return list(counter.scope.session.scalars(chosen))


def test_money_that_is_announced_twice_is_credited_once(counter: Counter) -> None:
    """paghiper/whmcs#54, lago-api#5870 (a repeated notice), magnusbilling#14 and #189 (a second click)."""
    account = counter.open("2M month", "2026-01-10 12:00:00")
    for at in ("2026-01-11 09:00:00", "2026-01-11 09:00:03", "2026-01-12 09:00:00"):
        counter.run(top_up, TopUp(account, Decimal("100")), at, key="notice-4711")
    assert counter.balance(account) == "100.00"
    assert len(orders(counter, account, "top-up")) == 1


def test_a_month_from_the_31st_ends_with_the_short_month(counter: Counter) -> None:
    account = counter.open("2M month", "2026-01-31 08:15:00")
    assert counter.expiry(account) == "2026-02-28 08:15:00"  # not 3 March
    leap = counter.open("2M month", "2028-01-31 08:15:00")
    assert counter.expiry(leap) == "2028-02-29 08:15:00"


def test_proration_counts_the_days_that_are_left_and_no_more(counter: Counter) -> None:
    """lms#2154: the price of the whole month was asked although the service ended in ten days."""
    account = counter.open("2M month", "2026-04-15 12:00:00")  # to 15 May 12:00
    result = counter.run(change_plan, ChangePlan(account, counter.plan("3M month")), "2026-05-05 11:00:00")
    assert result.order is not None
    # (1.97 - 1.64) * 10 = 3.3 -> 3; + 60
    assert result.order.total == Decimal("63.00")


def test_a_held_account_is_not_billed(counter: Counter) -> None:
    """lms#2462: suspended services were charged on."""
    account = counter.open("2M prepaid", "2026-01-10 12:00:00")
    counter.run(top_up, TopUp(account, Decimal("200")), "2026-01-11 12:00:00")
    counter.run(hold, Hold(account), "2026-01-20 12:00:00")
    for day in range(1, 28):
        run_due(counter.scope, now=counter.at(f"2026-02-{day:02} 12:00:00"))
    assert counter.balance(account) == "200.00"
    counter.run(resume, Resume(account), "2026-03-20 12:00:00")  # 59 days later
    assert counter.expiry(account) == "2026-04-10 12:00:00"  # 10 February + 59 days
    run_due(counter.scope, now=counter.at("2026-04-10 12:00:01"))
    assert counter.balance(account) == "150.00"


def test_after_an_upgrade_the_month_is_charged_once_a_month(counter: Counter) -> None:
    """ASTPP#245: the monthly fee was deducted every day after an upgrade."""
    counter.add_plan("3M prepaid", "3M", kind="prepaid-month", price="60.00")
    account = counter.open("2M prepaid", "2026-01-10 12:00:00")
    counter.run(top_up, TopUp(account, Decimal("200")), "2026-01-11 12:00:00")
    counter.run(change_plan, ChangePlan(account, counter.plan("3M prepaid")), "2026-01-20 12:00:00")
    first = counter.account(account).expires_at
    for day in range(60):  # to 29 April
        run_due(counter.scope, now=first - timedelta(days=10) + timedelta(days=day))
    renewed = [order.at for order in orders(counter, account, "renew")]
    assert [counter.local(at) for at in renewed] == ["2026-03-10 12:00:00", "2026-04-10 12:00:00"]
    assert counter.balance(account) == "80.00"  # 200 - 2 * 60


def test_an_upgrade_leaves_the_balance_alone(counter: Counter) -> None:
    """lms#1610, ASTPP#219: an upgrade doubled the balance, or changed its sign."""
    account = counter.open("2M month", "2026-01-10 12:00:00")
    counter.run(top_up, TopUp(account, Decimal("33.33")), "2026-01-11 12:00:00")
    counter.run(change_plan, ChangePlan(account, counter.plan("3M quarter")), "2026-01-12 12:00:00")
    assert counter.balance(account) == "33.33"
    counter.run(change_plan, ChangePlan(account, counter.plan("2M day")), "2026-01-13 12:00:00")  # a downgrade
    assert counter.balance(account) == "33.33"
    assert check_ledger(counter.scope).findings == []


def test_numbers_are_unique_and_nothing_is_billed_at_zero(counter: Counter) -> None:
    """ASTPP#179: duplicate invoice numbers, and invoices over nothing."""
    account = counter.open("2M month", "2026-01-10 12:00:00")
    counter.run(hold, Hold(account), "2026-01-11 12:00:00")
    counter.run(resume, Resume(account), "2026-01-12 12:00:00")
    counter.buy(account, "2M month", "2026-01-13 12:00:00")
    numbers = [int(number[-6:]) for number in counter.scope.session.scalars(select(Order.number).order_by(Order.id))]
    assert numbers == list(range(numbers[0], numbers[0] + 4))
    assert counter.scope.session.scalar(select(func.count()).select_from(FeeRecord)) == 2  # the two that cost something


def test_pauses_never_lose_the_end_of_the_period(counter: Counter) -> None:
    """killbill#2306: resuming counted from the resumption, and the rest of the period was gone."""
    account = counter.open("2M month", "2026-01-10 12:00:00")  # to 10 February 12:00:00
    for begin, end in (("2026-01-11 00:00:00", "2026-01-11 00:00:01"), ("2026-01-12 23:59:59", "2026-01-20 00:00:00")):
        counter.run(hold, Hold(account), begin)
        counter.run(resume, Resume(account), end)
    assert counter.expiry(account) == "2026-02-17 12:00:02"  # + 1 s + 7 d 0 h 0 m 1 s


def test_the_parts_of_a_price_add_up_to_it(counter: Counter) -> None:
    """40 / 30 = 1.33 a day gave back 39.90 for the whole month."""
    counter.add_plan("forty", "2M", kind="month", price="40.00")
    account = counter.open("forty", "2026-04-01 00:00:00")
    result = counter.run(refund, Refund(account), "2026-04-01 00:00:00")
    assert result.order is not None
    assert result.order.total == Decimal("-40.00")


@pytest.mark.parametrize("percent", ["100", "150", "100000"])
def test_no_discount_makes_a_price_negative(percent: str) -> None:
    """lago-api#5867: more than 100 % off was accepted, and the shop paid the customer."""
    plan = PlanTerms(1, "2M", 1, "month", Decimal("50.00"))
    now = datetime(2026, 1, 10, tzinfo=UTC)
    gift = PromotionTerms(1, "gift", "amount", Decimal("30"), 1, False, now, now + timedelta(days=1))
    rule = DiscountRule(1, None, Decimal(percent), None, None)
    priced = price_purchase(
        plan,
        quantity=1,
        start=now,
        now=now,
        zone=SHANGHAI,
        unified_hour=None,
        promotions=[gift],
        discounts=[rule],
    )
    assert priced.total == ZERO  # 50 - 30 - 20
    assert [str(line.amount) for line in priced.lines] == ["50.00", "-30.00", "-20.00"]


def test_a_clock_that_goes_backwards_takes_nothing_away(counter: Counter) -> None:
    """grase-www-portal#61."""
    account = counter.open("2M prepaid", "2026-01-10 12:00:00")
    counter.run(top_up, TopUp(account, Decimal("200")), "2026-01-11 12:00:00")
    run_due(counter.scope, now=counter.at("2026-02-10 12:00:01"))
    assert (counter.expiry(account), counter.balance(account)) == ("2026-03-10 12:00:00", "150.00")
    report = run_due(counter.scope, now=counter.at("2026-01-01 00:00:00"))
    assert (report.renewed, report.expired) == (0, 0)
    run_due(counter.scope, now=counter.at("2026-02-10 12:00:02"))
    assert (counter.expiry(account), counter.balance(account)) == ("2026-03-10 12:00:00", "150.00")
    counter.buy(account, "2M prepaid", "2026-02-01 00:00:00", method="balance")
    assert counter.expiry(account) == "2026-04-10 12:00:00"
