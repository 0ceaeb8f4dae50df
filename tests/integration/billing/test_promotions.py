"""Promotions and agents' discounts on booked orders: the money of each line lies where the chart says."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from tenants.billing.buy import Buy, buy
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.due import run_due
from tenants.billing.models import Order
from tenants.billing.refund import Refund, refund
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.rules_promotion import DiscountRule
from tenants.billing.top_up import TopUp, top_up
from tenants.catalog.models import Promotion
from tenants.ledger.models import JournalLine
from tests.fixtures.billing import Counter

OPENED, LATER = "2026-01-31 10:00:00", "2026-02-05 10:00:00"


@pytest.fixture(autouse=True)
def _the_ledger_agrees(counter: Counter) -> object:
    yield
    assert check_ledger(counter.scope).findings == []


def promote(counter: Counter, plan: str, kind: str, value: str, minimum: int = 1) -> None:
    counter.scope.session.add(
        Promotion(
            plan_id=counter.plan(plan),
            name=f"{kind} {value}",
            gift_kind=kind,
            gift_value=Decimal(value),
            minimum_quantity=minimum,
            first_purchase_only=False,
            starts_at=counter.at("2026-02-01 00:00:00"),
            ends_at=counter.at("2026-03-01 00:00:00"),
        )
    )
    counter.scope.session.flush()


def moved(counter: Counter, kind: str) -> Decimal:
    """Credits less debits of all ledger accounts of this kind."""
    lines = counter.scope.session.scalars(select(JournalLine).where(JournalLine.kind == kind))
    return sum((line.credit - line.debit for line in lines), Decimal(0))


def test_gifted_days_and_an_amount_off(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    promote(counter, "2M month", "days", "7")
    promote(counter, "2M month", "amount", "20")
    result = counter.buy(account, "2M month", LATER)
    assert result.order is not None
    assert [f"{line.kind} {line.amount}" for line in result.order.lines] == [
        "plan 50.00",
        "promotion 0.00",
        "promotion -20.00",
    ]
    assert result.order.total == Decimal("30.00")
    assert counter.expiry(account) == "2026-04-04 10:00:00"  # 28 February + 1 month + 7 days
    assert (moved(counter, "revenue.plan"), moved(counter, "promotion")) == (Decimal(100), Decimal(-20))
    counter.run(reverse, Reverse(account), LATER)
    assert counter.expiry(account) == "2026-02-28 10:00:00"
    assert (moved(counter, "revenue.plan"), moved(counter, "promotion")) == (Decimal(50), Decimal(0))


def test_a_purchase_that_costs_nothing_moves_no_cash(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    promote(counter, "2M month", "amount", "80")
    result = counter.buy(account, "2M month", LATER)
    assert result.order is not None
    assert result.order.total == Decimal("0.00")
    counter.run(reverse, Reverse(account), LATER)


def test_gifted_time_is_not_refunded(counter: Counter) -> None:
    promote(counter, "2M day", "days", "10")
    account = counter.open("2M day", "2026-02-05 00:00:00", quantity=10)  # 10 bought + 10 given = 20 days
    assert counter.expiry(account) == "2026-02-25 00:00:00"
    result = counter.run(refund, Refund(account), "2026-02-10 00:00:00")
    # 15 days left less 10 given = 5 of 10 bought: 20 * 0.5
    assert result.order is not None
    assert result.order.total == Decimal("-10.00")


def test_gifted_traffic(counter: Counter) -> None:
    promote(counter, "10 GB", "octets", str(2**30))
    account = counter.open("10 GB", LATER)
    assert counter.account(account).quota_octets == 11 * 2**30


def test_a_renewal_from_the_balance_gets_the_promotion_of_its_due_instant(counter: Counter) -> None:
    account = counter.open("2M prepaid", OPENED)
    promote(counter, "2M prepaid", "amount", "5")  # until 1 March: holds on 28 February, not on 31 March
    counter.run(top_up, TopUp(account, Decimal(95)), LATER)
    run_due(counter.scope, now=counter.at("2026-04-15 00:00:00"))
    totals = counter.scope.session.scalars(
        select(Order.total).where(Order.account_id == account, Order.kind == "renew").order_by(Order.id)
    ).all()
    assert totals == [Decimal("45.00"), Decimal("50.00")]
    assert counter.balance(account) == "0.00"


def test_an_agent_pays_the_discounted_price_from_the_wallet(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    rule = DiscountRule(3, None, Decimal(15), None, counter.at("2026-03-01 00:00:00"))
    command = Buy(account, counter.plan("2M month"), method="wallet", discounts=(rule,), agent_id=9)
    result = counter.run(buy, command, LATER)
    assert result.order is not None
    assert result.order.total == Decimal("42.50")  # 50 less 15 %
    assert (moved(counter, "wallet"), moved(counter, "discount")) == (Decimal("-42.50"), Decimal("-7.50"))
    stored = counter.scope.session.get_one(Order, result.order.id)
    assert stored.discount_rule is not None
    assert stored.discount_rule["percent"] == "15"
    counter.run(reverse, Reverse(account), LATER)
    assert moved(counter, "wallet") == Decimal(0)  # exactly what was debited
    late = counter.run(buy, command, "2026-03-01 00:00:00")
    assert late.order is not None
    assert late.order.total == Decimal("50.00")  # the rule ended with that second


def test_a_change_that_buys_no_period_earns_no_gift(counter: Counter) -> None:
    counter.setting("difference_only", "on")
    account = counter.open("2M month", OPENED)
    promote(counter, "10 GB", "octets", str(5 * 2**30))
    counter.run(change_plan, ChangePlan(account, counter.plan("10 GB")), LATER)
    assert counter.account(account).quota_octets == 10 * 2**30
