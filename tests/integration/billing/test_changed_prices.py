"""What a change of plan costs after prices have changed: past sales keep their price (PLN-6)."""

from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.reverse import Reverse, reverse
from tenants.catalog.add_plan import PlanValues
from tenants.catalog.edit_plan import EditPlan, edit_plan
from tests.fixtures.billing import OWNER, Counter

LATER = "2015-04-20 12:00:00"


def lines(result: object) -> dict[str, str]:
    return {line.kind: str(line.amount) for line in result.order.lines}  # type: ignore[attr-defined]


def reprice(counter: Counter, plan: str, kind: str, price: str) -> None:
    values = PlanValues(name=plan, kind=kind, price=price)
    edit_plan(counter.scope, EditPlan(counter.plan(plan), values), actor=OWNER, now=counter.at(LATER))


def test_a_change_counts_the_old_plan_with_the_price_it_was_sold_at(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-15 12:00:00")
    reprice(counter, "2M month", "month", "80.00")  # after the sale: his daily price stays 50 / 30.5 = 1.64
    result = counter.run(change_plan, ChangePlan(account, counter.plan("3M quarter")), "2015-05-05 11:00:00")
    # (170 / 91.5 = 1.86; 1.86 - 1.64 = 0.22) * 10 = 2.2 -> 2, not (1.86 - 2.62) < 0 -> 0
    assert lines(result) == {"plan": "170.00", "difference": "2.00"}


def test_a_renewal_at_the_new_price_is_what_the_next_change_counts_with(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-15 12:00:00")
    reprice(counter, "2M month", "month", "80.00")
    renewed = counter.buy(account, "2M month", "2015-05-14 12:00:00")  # 80.00, to 2015-06-15 12:00:00
    counter.run(reverse, Reverse(account, renewed.order.number), "2015-05-14 12:10:00")  # type: ignore[union-attr]
    counter.buy(account, "2M month", "2015-05-14 12:20:00")
    result = counter.run(change_plan, ChangePlan(account, counter.plan("3M quarter")), "2015-05-16 11:00:00")
    # 80 / 30.5 = 2.62; (1.86 - 2.62) * 30 < 0 -> 0
    assert lines(result) == {"plan": "170.00", "difference": "0.00"}


def test_after_a_reversal_the_earlier_sale_counts_again(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-15 12:00:00")
    reprice(counter, "2M month", "month", "80.00")
    renewed = counter.buy(account, "2M month", "2015-05-04 12:00:00")
    counter.run(reverse, Reverse(account, renewed.order.number), "2015-05-04 12:10:00")  # type: ignore[union-attr]
    result = counter.run(change_plan, ChangePlan(account, counter.plan("3M quarter")), "2015-05-05 11:00:00")
    assert lines(result) == {"plan": "170.00", "difference": "2.00"}  # as in G1


def test_a_plan_given_by_hand_counts_with_the_catalogues_price(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-15 12:00:00")
    reprice(counter, "2M month", "month", "80.00")
    counter.run(manual_change, ManualChange(account, counter.plan("2M quarter")), LATER)
    counter.run(manual_change, ManualChange(account, counter.plan("2M month")), LATER)
    result = counter.run(change_plan, ChangePlan(account, counter.plan("3M quarter")), "2015-05-05 11:00:00")
    assert lines(result) == {"plan": "170.00", "difference": "0.00"}  # (1.86 - 2.62) < 0
