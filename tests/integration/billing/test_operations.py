"""Each operation on the real database: what it books, what it refuses, what is left unchanged."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from tenants.billing import errors
from tenants.billing.add_pack import AddPack, add_pack
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.close import Close, close
from tenants.billing.first_login import activate
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.models import Pack
from tenants.billing.move import Move, move
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.refund import Refund, refund
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.top_up import TopUp, top_up
from tenants.kernel.errors import BusinessError, Forbidden
from tenants.subscribers.show_account import show_account
from tenants.usage.models import QuotaUse
from tenants.usage.rules_quota import WHOLE_PERIOD
from tests.fixtures.billing import CLERK, Counter

OPENED, LATER = "2015-04-15 12:00:00", "2015-04-20 12:00:00"


def lines(result: object) -> dict[str, str]:
    return {line.kind: str(line.amount) for line in result.order.lines}  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _the_ledger_agrees(counter: Counter) -> object:
    yield
    if counter.scope.session.is_active:
        assert check_ledger(counter.scope).findings == []


def test_top_up_pays_the_oldest_arrears_first(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.buy(account, "2M month", LATER, method="arrears")
    counter.buy(account, "2M month", "2015-04-21 12:00:00", method="arrears")
    result = counter.run(top_up, TopUp(account, Decimal("70")), "2015-04-22 12:00:00")
    assert [(line.kind, str(line.amount)) for line in result.order.lines] == [  # type: ignore[union-attr]
        ("arrears", "50.00"),
        ("arrears", "20.00"),
    ]
    row = counter.account(account)
    assert (row.receivable, row.balance) == (Decimal(30), Decimal(0))
    assert row.cut_off_at is not None  # the second one is still owed
    result = counter.run(top_up, TopUp(account, Decimal("100")), "2015-04-23 12:00:00")
    assert lines(result) == {"arrears": "30.00", "top-up": "70.00"}
    row = counter.account(account)
    assert (row.receivable, row.balance, row.cut_off_at) == (Decimal(0), Decimal(70), None)


def test_deduction_and_its_limit(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.run(top_up, TopUp(account, Decimal("30")), LATER)
    result = counter.run(top_up, TopUp(account, Decimal("-20")), LATER)
    assert lines(result) == {"deduction": "-20.00"}
    with pytest.raises(errors.BalanceTooShort) as refused:
        counter.run(top_up, TopUp(account, Decimal("-10.01")), LATER)
    assert refused.value.params == {"balance": "10.00", "needed": "10.01", "missing": "0.01"}
    assert counter.balance(account) == "10.00"


def test_buying_from_the_balance(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.run(top_up, TopUp(account, Decimal("49.99")), LATER)
    with pytest.raises(errors.BalanceTooShort):
        counter.buy(account, "2M month", LATER, method="balance")
    counter.run(top_up, TopUp(account, Decimal("0.01")), LATER)
    counter.buy(account, "2M month", LATER, method="balance")
    assert counter.balance(account) == "0.00"


def test_partial_payment_of_arrears_then_the_rest(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.buy(account, "2M month", LATER, method="arrears")
    counter.run(pay_arrears, PayArrears(account, amount=Decimal("20")), LATER)
    with pytest.raises(errors.PaysTooMuch):
        counter.run(pay_arrears, PayArrears(account, amount=Decimal("30.01")), LATER)
    assert counter.account(account).cut_off_at is not None
    counter.run(pay_arrears, PayArrears(account), LATER)
    assert counter.account(account).cut_off_at is None
    with pytest.raises(errors.NoArrears):
        counter.run(pay_arrears, PayArrears(account), LATER)


def test_cancelling_partly_paid_arrears_gives_the_paid_part_to_the_balance(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.buy(account, "2M month", LATER, method="arrears")
    counter.run(pay_arrears, PayArrears(account, amount=Decimal("20")), LATER)
    counter.run(cancel_arrears, CancelArrears(account), LATER)
    row = counter.account(account)
    assert (row.receivable, row.balance) == (Decimal(0), Decimal(20))
    assert counter.expiry(account) == "2015-05-15 12:00:00"


@pytest.mark.parametrize("give_up", ["cancel", "replace"])
def test_giving_up_a_later_arrears_order_keeps_what_was_paid_for_an_earlier_one(counter: Counter, give_up: str) -> None:
    """What was paid counts for a refund, though the order that is given up was booked before the payment."""
    account, other = counter.open("2M month", OPENED), counter.open("2M month", OPENED)
    for one in (account, other):
        counter.buy(one, "2M month", LATER, method="arrears")
    day_after = "2015-04-21 12:00:00"
    counter.run(pay_arrears, PayArrears(other), day_after)
    counter.buy(account, "2M month", day_after, method="arrears")
    counter.run(pay_arrears, PayArrears(account, amount=Decimal(50)), day_after)
    if give_up == "cancel":
        counter.run(cancel_arrears, CancelArrears(account), day_after)
    else:
        counter.run(pay_arrears, PayArrears(account, plan_id=counter.plan("2M quarter")), day_after)
        counter.buy(other, "2M quarter", day_after)
    one, same = counter.account(account), counter.account(other)
    assert (one.expires_at, one.receivable, one.period_price) == (same.expires_at, Decimal(0), same.period_price)
    totals = [counter.run(refund, Refund(one), "2015-04-25 12:00:00").order.total for one in (account, other)]  # type: ignore[union-attr]
    assert totals[0] == totals[1]


def test_a_later_purchase_keeps_arrears_from_being_cancelled(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.buy(account, "2M month", LATER, method="arrears")
    counter.buy(account, "2M month", LATER)
    with pytest.raises(errors.NotLatestOrder):
        counter.run(cancel_arrears, CancelArrears(account), LATER)


def test_arrears_of_an_opening_paid_by_changing_inherit_the_install_fee(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, method="arrears", install_fee=Decimal(100))
    assert counter.account(account).receivable == Decimal(150)
    result = counter.run(pay_arrears, PayArrears(account, plan_id=counter.plan("2M quarter")), LATER)
    assert lines(result) == {"plan": "140.00", "inherited": "100.00"}
    assert counter.expiry(account) == "2015-07-15 12:00:00"


def test_manual_change_of_expiry_with_an_expense(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    command = ManualChange(account, expires_at=counter.at("2015-06-01 00:00:00"), amount=Decimal("-5"), reason="sorry")
    result = counter.run(manual_change, command, LATER)
    assert lines(result) == {"manual": "-5.00"}
    assert counter.expiry(account) == "2015-06-01 00:00:00"
    with pytest.raises(errors.NothingToDo):
        counter.run(manual_change, ManualChange(account), LATER)
    with pytest.raises(errors.BadExpiry):
        counter.run(manual_change, ManualChange(account, expires_at=counter.at("2015-04-15 11:59:59")), LATER)
    with pytest.raises(errors.BadMethod):
        counter.run(manual_change, ManualChange(account, amount=Decimal(1), method="arrears"), LATER)


def test_refund_pays_balance_and_unused_time(counter: Counter) -> None:
    account = counter.open("2M month", "2015-05-01 00:00:00")  # 31 days to 2015-06-01
    counter.run(top_up, TopUp(account, Decimal("12.34")), "2015-05-02 00:00:00")
    result = counter.run(refund, Refund(account), "2015-05-16 12:00:00")
    # 15.5 of 31 days left: 50 * 0.5 + 12.34 = 37.34
    assert lines(result) == {"refund": "-37.34"}
    assert counter.expiry(account) == "2015-05-16 12:00:00"
    assert counter.balance(account) == "0.00"


def test_refund_of_another_amount_needs_the_right(counter: Counter) -> None:
    account = counter.open("2M month", "2015-05-01 00:00:00")
    counter.run(top_up, TopUp(account, Decimal("10")), "2015-05-02 00:00:00")
    weak = type(CLERK)("operator", 2, "clerk", CLERK.permissions - {"op.edit_refund"})
    with pytest.raises(Forbidden):
        counter.run(refund, Refund(account, amount=Decimal(1)), "2015-05-16 12:00:00", actor=weak)
    counter.run(refund, Refund(account, amount=Decimal(0)), "2015-05-16 12:00:00")
    assert counter.balance(account) == "0.00"  # given up, booked as other income


def test_close_and_reverse_the_closing(counter: Counter) -> None:
    account = counter.open("2M month", "2015-05-01 00:00:00")
    counter.run(close, Close(account), "2015-05-16 12:00:00")
    assert counter.account(account).state == "closed"
    with pytest.raises(errors.AccountClosed):
        counter.buy(account, "2M month", "2015-05-16 12:10:00")
    counter.run(reverse, Reverse(account), "2015-05-16 12:30:00")
    row = counter.account(account)
    assert (row.state, counter.expiry(account)) == ("active", "2015-06-01 00:00:00")


def test_move_with_fee_and_new_name(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    other = counter.open("2M month", OPENED)
    taken = counter.account(other).username
    result = counter.run(move, Move(account, fee=Decimal(30), new_username="moved"), LATER)
    assert lines(result) == {"fee": "30.00"}
    assert counter.account(account).username == "moved"
    assert counter.expiry(account) == "2015-05-15 12:00:00"
    with pytest.raises(BusinessError) as refused:
        counter.run(move, Move(account, new_username=taken), LATER)
    assert refused.value.code == "username_taken"
    with pytest.raises(errors.NothingToDo):
        counter.run(move, Move(account), LATER)


def test_first_login_starts_the_period_at_the_accept(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login")
    assert counter.account(account).activated_at is None
    with pytest.raises(errors.AccountNotActivated):
        counter.buy(account, "2M month", LATER)
    accepted = counter.at("2015-05-31 08:00:01")
    late = counter.at("2015-05-31 09:00:00")
    assert activate(counter.scope, account, accepted_at=accepted, now=late)
    assert counter.expiry(account) == "2015-06-30 08:00:01"
    assert not activate(counter.scope, account, accepted_at=late, now=late)
    assert counter.expiry(account) == "2015-06-30 08:00:01"


def test_difference_only_mode_keeps_the_expiry(counter: Counter) -> None:
    counter.setting("difference_only", "true")
    account = counter.open("2M month", OPENED)
    result = counter.run(change_plan, ChangePlan(account, counter.plan("3M month")), "2015-05-05 12:00:00")
    assert lines(result) == {"difference": "3.00"}  # (1.97 - 1.64) * 10 = 3.3 -> 3
    assert counter.expiry(account) == "2015-05-15 12:00:00"
    assert counter.account(account).plan_id == counter.plan("3M month")


def test_downgrade_credit_goes_to_the_balance(counter: Counter) -> None:
    counter.setting("downgrade_credit", "true")
    counter.setting("difference_rounding", "cents")
    account = counter.open("3M month", OPENED)
    result = counter.run(change_plan, ChangePlan(account, counter.plan("2M month")), "2015-05-05 12:00:00")
    assert lines(result) == {"plan": "50.00", "difference": "0.00"}
    assert result.order is not None
    assert result.order.computed_difference == Decimal("-3.30")  # (1.64 - 1.97) * 10
    assert counter.balance(account) == "3.30"


def test_a_change_inside_the_window_is_a_purchase(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    with pytest.raises(errors.DifferenceNotDue):
        counter.run(
            change_plan,
            ChangePlan(account, counter.plan("3M month"), difference=Decimal(1)),
            "2015-05-14 12:00:00",
        )
    result = counter.run(change_plan, ChangePlan(account, counter.plan("3M month")), "2015-05-14 12:00:00")
    assert lines(result) == {"plan": "60.00"}
    assert counter.expiry(account) == "2015-06-15 12:00:00"


def test_editing_the_difference_needs_right_and_setting(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    command = ChangePlan(account, counter.plan("3M month"), difference=Decimal("1.23"))
    weak = type(CLERK)("operator", 2, "clerk", CLERK.permissions - {"op.edit_difference"})
    with pytest.raises(Forbidden):
        counter.run(change_plan, command, LATER, actor=weak)
    result = counter.run(change_plan, command, LATER)
    assert result.order is not None
    assert (result.order.computed_difference, result.order.charged_difference) == (Decimal("8.00"), Decimal("1.23"))


def test_packs_extend_a_quota_plan(counter: Counter) -> None:
    account = counter.open("10 GB", OPENED)
    result = counter.run(add_pack, AddPack(account, octets=5 * 2**30, price=Decimal(9)), LATER)
    assert lines(result) == {"pack": "9.00"}
    assert counter.account(account).pack_octets == 5 * 2**30
    with pytest.raises(errors.PackNeedsQuotaPlan):
        counter.run(add_pack, AddPack(account, seconds=3600), LATER)
    counter.run(add_pack, AddPack(account, plan_id=counter.plan("10 GB")), LATER)
    assert counter.account(account).pack_octets == 15 * 2**30
    counter.run(reverse, Reverse(account), LATER)
    assert counter.account(account).pack_octets == 5 * 2**30


def use(counter: Counter, account: int, octets: int) -> None:
    """What accounting stores of the present quota."""
    epoch, session = counter.account(account).quota_epoch, counter.scope.session
    session.expire_all()
    counts = {"octets": octets, "seconds": 0, "over_octets": 0, "over_seconds": 0}
    session.merge(
        QuotaUse(tenant_id=counter.scope.tenant_id, account_id=account, epoch=epoch, window_on=WHOLE_PERIOD, **counts)
    )
    session.flush()


def test_a_reversal_goes_on_with_what_was_used_of_the_quota(counter: Counter) -> None:
    account = counter.open("10 GB", OPENED)
    use(counter, account, 9 * 2**30)
    counter.run(change_plan, ChangePlan(account, counter.plan("100 hours")), LATER)
    use(counter, account, 2**29)  # a new count: nothing was used of the hours
    counter.run(reverse, Reverse(account), LATER)
    left = show_account(counter.scope, account, counter.at(LATER))["quota_left_octets"]
    assert left == 2**29  # 10 GB - 9 GB - what was used meanwhile
    counter.run(change_plan, ChangePlan(account, counter.plan("100 hours")), LATER)
    counter.run(reverse, Reverse(account), LATER)  # nothing was reported in between
    assert show_account(counter.scope, account, counter.at(LATER))["quota_left_octets"] == left


def test_a_pack_gives_what_it_holds_however_much_was_used_beyond(counter: Counter) -> None:
    """Who goes on slower after his quota's end, or whose router obeyed late, bought all of the pack."""
    account = counter.open("10 GB", OPENED)
    for used in (30 * 2**30, 50 * 2**30):
        use(counter, account, used)
        counter.run(add_pack, AddPack(account, octets=2**30), LATER)
        assert show_account(counter.scope, account, counter.at(LATER))["quota_left_octets"] == 2**30


def test_a_quota_that_was_reversed_leaves_no_count_behind(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.run(change_plan, ChangePlan(account, counter.plan("10 GB")), LATER)
    use(counter, account, 9 * 2**30)
    counter.run(reverse, Reverse(account), LATER)
    counter.run(change_plan, ChangePlan(account, counter.plan("10 GB")), LATER)
    assert show_account(counter.scope, account, counter.at(LATER))["quota_left_octets"] == 10 * 2**30


def test_a_pack_whose_arrears_are_cancelled_is_over(counter: Counter) -> None:
    def open_packs() -> list[int]:
        packs = select(Pack.octets).where(Pack.account_id == account, Pack.ended_at.is_(None))
        return list(counter.scope.session.scalars(packs))

    account = counter.open("10 GB", OPENED)
    counter.run(add_pack, AddPack(account, octets=5 * 2**30, price=Decimal(9), method="arrears"), LATER)
    counter.run(cancel_arrears, CancelArrears(account), LATER)
    assert (counter.account(account).pack_octets, open_packs()) == (0, [])
    counter.run(reverse, Reverse(account), LATER)  # the cancelling is taken back
    assert (counter.account(account).pack_octets, open_packs()) == (5 * 2**30, [5 * 2**30])


def test_arrears_that_a_pack_was_sold_on_top_of_stay(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.run(change_plan, ChangePlan(account, counter.plan("10 GB"), method="arrears"), LATER)
    counter.run(add_pack, AddPack(account, octets=5 * 2**30, price=Decimal(9)), LATER)
    with pytest.raises(errors.NotLatestOrder):
        counter.run(cancel_arrears, CancelArrears(account), LATER)


def test_buying_a_volume_again_adds_to_it(counter: Counter) -> None:
    account = counter.open("10 GB", OPENED)
    counter.buy(account, "10 GB", LATER, quantity=2)
    row = counter.account(account)
    assert row.quota_octets == 30 * 2**30
    assert counter.expiry(account) == "2015-07-14 12:00:00"  # 15 Apr + 30 + 60 days
    epoch = row.quota_epoch
    counter.buy(account, "10 GB", "2015-08-01 00:00:00")  # expired: a new count
    row = counter.account(account)
    assert (row.quota_octets, row.quota_epoch) == (10 * 2**30, epoch + 1)
