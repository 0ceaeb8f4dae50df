"""What operations refuse on the real database, and that it is left unchanged then."""

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from tenants.billing import errors
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.close import Close, close
from tenants.billing.disable import Disable, disable
from tenants.billing.enable import Enable, enable
from tenants.billing.hold import Hold, hold
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.models import FeeRecord, Order
from tenants.billing.move import Move, move
from tenants.billing.never_expires import SetNeverExpires, set_never_expires
from tenants.billing.refund import Refund, refund
from tenants.billing.resume import Resume, resume
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.review import review
from tenants.billing.settle import Settle, settle
from tenants.billing.top_up import TopUp, top_up
from tenants.kernel.errors import NotFound
from tenants.kernel.money import BadAmount
from tests.fixtures.billing import CLERK, OWNER, Counter

OPENED, LATER = "2015-04-15 12:00:00", "2015-04-20 12:00:00"


@pytest.fixture(autouse=True)
def _the_ledger_agrees(counter: Counter) -> object:
    yield
    if counter.scope.session.is_active:
        assert check_ledger(counter.scope).findings == []


def test_never_expires_refuses_what_needs_an_expiry(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.run(set_never_expires, SetNeverExpires(account), LATER)
    assert counter.expiry(account) == "2100-01-01 00:00:00"
    for operation, command in (
        (change_plan, ChangePlan(account, counter.plan("3M month"))),
        (hold, Hold(account)),
    ):
        with pytest.raises(errors.AccountNeverExpires):
            counter.run(operation, command, LATER)
    with pytest.raises(errors.AccountNeverExpires):
        counter.buy(account, "2M month", LATER)


def test_a_manual_expiry_of_2100_means_never_and_another_one_ends_it(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.run(manual_change, ManualChange(account, expires_at=counter.at("2100-01-01 00:00:00")), LATER)
    assert counter.account(account).never_expires
    with pytest.raises(errors.AccountNeverExpires):
        counter.buy(account, "2M month", LATER)
    with pytest.raises(errors.BadExpiry):
        counter.run(manual_change, ManualChange(account, expires_at=counter.at("2100-01-01 00:00:01")), LATER)
    counter.run(manual_change, ManualChange(account, expires_at=counter.at("2015-05-01 00:00:00")), LATER)
    assert not counter.account(account).never_expires
    counter.buy(account, "2M month", LATER)
    assert counter.expiry(account) == "2015-06-01 00:00:00"


def test_states_refuse_each_other(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    with pytest.raises(errors.NotHeld):
        counter.run(resume, Resume(account), LATER)
    with pytest.raises(errors.NotDisabled):
        counter.run(enable, Enable(account), LATER)
    counter.run(disable, Disable(account), LATER)
    for operation, command in ((hold, Hold(account)), (disable, Disable(account)), (refund, Refund(account))):
        with pytest.raises(errors.AccountDisabled):
            counter.run(operation, command, LATER)
    counter.run(enable, Enable(account), LATER)
    counter.run(hold, Hold(account), LATER)
    with pytest.raises(errors.AccountHeld):
        counter.run(refund, Refund(account), LATER)
    with pytest.raises(errors.AccountHeld):
        counter.buy(account, "2M month", LATER)
    with pytest.raises(errors.NowBeforeOrder):
        counter.run(resume, Resume(account), "2015-04-20 11:59:59")
    counter.run(resume, Resume(account), LATER)
    with pytest.raises(errors.AccountExpired):
        counter.run(hold, Hold(account), "2015-05-15 12:00:00")


def test_nobody_in_arrears_is_held_refunded_or_closed(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.buy(account, "2M month", LATER, method="arrears")
    for operation, command in ((hold, Hold(account)), (refund, Refund(account)), (close, Close(account))):
        with pytest.raises(errors.InArrears):
            counter.run(operation, command, LATER)


def test_operations_before_the_account_existed_are_refused(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    with pytest.raises(errors.NowBeforeAccount):
        counter.buy(account, "2M month", "2015-04-15 11:59:59")
    with pytest.raises(NotFound):
        counter.buy(account + 1000, "2M month", LATER)


def test_plans_that_are_refused(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.add_plan("hidden", "2M", kind="month", price="1.00", visible=False)
    counter.add_plan("new only", "2M", kind="month", price="1.00", usage="new")
    counter.add_plan("renew only", "2M", kind="month", price="1.00", usage="renew")
    with pytest.raises(errors.PlanNotForSale):
        counter.buy(account, "hidden", LATER, actor=CLERK)
    counter.buy(account, "hidden", LATER, actor=OWNER)
    with pytest.raises(errors.PlanNotForUse):
        counter.buy(account, "new only", LATER)
    with pytest.raises(errors.PlanNotForUse):
        counter.open("renew only", OPENED)
    with pytest.raises(errors.SamePlan):
        counter.run(change_plan, ChangePlan(account, counter.plan("hidden")), LATER)


@pytest.mark.parametrize("bad", [Decimal("1.005"), Decimal("NaN"), Decimal("1e15")])
def test_bad_amounts_book_nothing(counter: Counter, bad: Decimal) -> None:
    account = counter.open("2M month", OPENED)
    before = counter.scope.session.scalar(select(func.count()).select_from(Order))
    for operation, command in (
        (top_up, TopUp(account, bad)),
        (hold, Hold(account, fee=bad)),
        (manual_change, ManualChange(account, amount=bad)),
        (refund, Refund(account, amount=bad)),
        (move, Move(account, fee=bad)),
    ):
        with pytest.raises(BadAmount):
            counter.run(operation, command, LATER)
    assert counter.scope.session.scalar(select(func.count()).select_from(Order)) == before


def test_reversal_window_belongs_to_the_clerk_not_to_the_owner(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.buy(account, "2M month", LATER)
    with pytest.raises(errors.ReversalWindowOver):
        counter.run(reverse, Reverse(account), "2015-04-20 13:00:01", actor=CLERK)
    counter.run(reverse, Reverse(account), "2015-04-20 13:00:00", actor=CLERK)
    assert counter.expiry(account) == "2015-05-15 12:00:00"
    counter.buy(account, "2M month", LATER)
    counter.run(reverse, Reverse(account), "2015-08-20 13:00:01", actor=OWNER)
    assert counter.expiry(account) == "2015-05-15 12:00:00"


def test_settled_orders_are_frozen_for_everybody(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.buy(account, "2M month", LATER, actor=CLERK)
    now = counter.at("2015-04-20 12:10:00")
    done = settle(counter.scope, Settle(CLERK.id, now), actor=OWNER, now=now)
    assert (done.records, done.cash) == (1, Decimal(50))
    with pytest.raises(errors.OrderSettled):
        counter.run(reverse, Reverse(account), "2015-04-20 12:20:00", actor=OWNER)
    with pytest.raises(errors.AlreadySettled):
        settle(counter.scope, Settle(CLERK.id, now), actor=OWNER, now=now)


def test_review_is_done_once_and_by_somebody_else(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.buy(account, "2M month", LATER, actor=CLERK)
    fee = counter.scope.session.scalar(select(FeeRecord.id).where(FeeRecord.operator_id == CLERK.id))
    assert fee is not None
    now = counter.at(LATER)
    with pytest.raises(errors.OwnReview):
        review(counter.scope, fee, actor=CLERK, now=now)
    review(counter.scope, fee, actor=OWNER, now=now, note="fine")
    with pytest.raises(errors.AlreadyReviewed):
        review(counter.scope, fee, actor=OWNER, now=now)


def test_only_the_latest_order_is_reversed(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    first = counter.buy(account, "2M month", LATER)
    counter.buy(account, "2M month", LATER)
    assert first.order is not None
    with pytest.raises(errors.NotLatestOrder):
        counter.run(reverse, Reverse(account, order_number=first.order.number), LATER)
    with pytest.raises(errors.OrderNotFound):
        counter.run(reverse, Reverse(account, order_number="D0"), LATER)
    for _ in range(3):
        counter.run(reverse, Reverse(account), LATER)
    with pytest.raises(errors.NothingToReverse):
        counter.run(reverse, Reverse(account), LATER)
