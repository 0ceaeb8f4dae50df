"""G1–G7 of the billing rules, with the same figures, through the operations themselves."""

from decimal import Decimal

import pytest

from tenants.billing import errors
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.hold import Hold, hold
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.models import Order
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.resume import Resume, resume
from tests.fixtures.billing import CLERK, Counter


def amounts(result: object) -> dict[str, str]:
    order = result.order  # type: ignore[attr-defined]
    return {line.kind: str(line.amount) for line in order.lines}


def set_expiry(counter: Counter, account: int, expiry: str, at: str) -> None:
    counter.run(manual_change, ManualChange(account, expires_at=counter.at(expiry)), at)


def test_G1_difference_to_a_quarter_with_ten_days_left(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-15 12:00:00")  # to 2015-05-15 12:00:00
    result = counter.run(change_plan, ChangePlan(account, counter.plan("3M quarter")), "2015-05-05 11:00:00")
    # 50 / 30.5 = 1.64; 170 / 91.5 = 1.86; 0.22 * 10 = 2.2 -> 2
    assert amounts(result) == {"plan": "170.00", "difference": "2.00"}
    assert counter.expiry(account) == "2015-08-15 12:00:00"


def test_G2_change_to_60_a_month_with_thirty_days_left(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-15 11:30:00")
    set_expiry(counter, account, "2015-05-15 11:43:12", "2015-04-15 11:31:00")
    result = counter.run(change_plan, ChangePlan(account, counter.plan("3M month")), "2015-04-15 11:35:31")
    # (1.97 - 1.64) * 30 = 9.9 -> 10; 60 + 10 = 70
    assert amounts(result) == {"plan": "60.00", "difference": "10.00"}
    assert result.order is not None
    assert result.order.total == Decimal("70.00")
    assert counter.expiry(account) == "2015-06-15 11:43:12"


def test_G4_resume_adds_the_pause_to_the_second(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-15 11:30:00")
    set_expiry(counter, account, "2015-05-15 11:43:12", "2015-04-15 11:31:00")
    counter.run(hold, Hold(account), "2015-04-15 11:41:54")
    with pytest.raises(errors.AccountHeld):
        counter.run(hold, Hold(account), "2015-04-16 11:41:54")
    result = counter.run(resume, Resume(account, fee=Decimal(15)), "2015-04-30 11:42:02")
    assert counter.expiry(account) == "2015-05-30 11:43:20"  # 15 d 0 h 0 m 8 s
    assert amounts(result) == {"fee": "15.00"}
    with pytest.raises(errors.NotHeld):
        counter.run(resume, Resume(account), "2015-04-30 11:43:00")


def test_G6_and_G6b_arrears_windows(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-05 00:00:00")
    counter.buy(account, "2M month", "2015-05-01 09:00:00", method="arrears")
    row = counter.account(account)
    assert row.cut_off_at is not None
    assert counter.local(row.cut_off_at) == "2015-05-08 00:00:00"
    with pytest.raises(errors.ArrearsWindowOver):
        counter.run(cancel_arrears, CancelArrears(account), "2015-05-06 00:00:01", actor=CLERK)
    result = counter.run(cancel_arrears, CancelArrears(account), "2015-05-06 00:00:00", actor=CLERK)
    assert amounts(result) == {"plan": "-50.00"}
    assert counter.expiry(account) == "2015-05-05 00:00:00"
    row = counter.account(account)
    assert (row.receivable, row.cut_off_at) == (Decimal(0), None)
    assert check_ledger(counter.scope).findings == []


def test_G7_paying_by_changing_the_plan_inherits_the_difference(counter: Counter) -> None:
    # Arrears order: 4M month -> 2M month 50 + difference 10; old expiry 2015-08-28 14:53:59.
    counter.add_plan("4M month", "4M", kind="month", price="40.00")
    account = counter.open("4M month", "2015-07-28 14:53:59")
    owed = counter.run(
        change_plan,
        ChangePlan(account, counter.plan("2M month"), method="arrears", difference=Decimal(10)),
        "2015-08-05 22:58:28",
    )
    assert owed.order is not None
    assert owed.order.total == Decimal("60.00")
    assert counter.expiry(account) == "2015-09-28 14:53:59"
    paid = counter.run(pay_arrears, PayArrears(account, plan_id=counter.plan("2M quarter")), "2015-08-06 10:00:00")
    assert amounts(paid) == {"plan": "140.00", "inherited": "10.00"}
    assert paid.order is not None
    assert paid.order.total == Decimal("150.00")
    assert counter.expiry(account) == "2015-11-28 14:53:59"
    assert counter.account(account).receivable == Decimal(0)
    assert owed.order.id is not None
    replaced = counter.scope.session.get(Order, owed.order.id, populate_existing=True)
    assert replaced is not None
    assert replaced.state == "replaced"
    assert check_ledger(counter.scope).findings == []
