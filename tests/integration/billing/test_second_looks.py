"""What the reference model of ``tests/reference/billing`` found: each story was booked otherwise than the rules say."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from tenants.billing import errors
from tenants.billing.add_pack import AddPack, add_pack
from tenants.billing.auto_renew import SetAutoRenew, set_auto_renew
from tenants.billing.buy import Buy, buy
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.due import run_due
from tenants.billing.first_login import activate
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.models import Receivable
from tenants.billing.move import Move, move
from tenants.billing.never_expires import SetNeverExpires, set_never_expires
from tenants.billing.operation import preview
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.refund import Refund, refund
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.top_up import TopUp, top_up
from tenants.catalog.add_promotion import AddPromotion, add_promotion
from tenants.subscribers.show_account import show_account
from tenants.usage.models import QuotaUse
from tests.fixtures.billing import OWNER, Counter

OPENED = "2026-01-31 10:00:00"
GB = 2**30


@pytest.fixture(autouse=True)
def _the_ledger_agrees(counter: Counter) -> object:
    yield
    assert check_ledger(counter.scope).findings == []


def used(counter: Counter, account: int, *, seconds: int = 0, octets: int = 0, day: str = "1970-01-01") -> None:
    """What accounting counted for the present quota."""
    epoch = counter.account(account).quota_epoch
    row = counter.scope.session.get(QuotaUse, (counter.scope.tenant_id, account), populate_existing=True)
    if row is None:
        row = QuotaUse(tenant_id=counter.scope.tenant_id, account_id=account, over_octets=0, over_seconds=0)
        counter.scope.session.add(row)
    row.epoch, row.window_on, row.octets, row.seconds = epoch, date.fromisoformat(day), octets, seconds
    counter.scope.session.flush()


def log_in(counter: Counter, account: int, at: str) -> None:
    assert activate(counter.scope, account, accepted_at=counter.at(at), now=counter.at(at))


def left(counter: Counter, account: int, at: str) -> tuple[int | None, int | None]:
    counter.scope.session.expire_all()
    shown = show_account(counter.scope, account, counter.at(at))
    return shown["quota_left_octets"], shown["quota_left_seconds"]


def worth(counter: Counter, account: int, at: str) -> str:
    """What a refund would pay out."""
    shown = preview(counter.scope, refund, Refund(account), actor=OWNER, now=counter.at(at)).order
    return "0.00" if shown is None else str(-shown.total)


def test_a_difference_of_0_that_is_typed_credits_nothing(counter: Counter) -> None:
    counter.setting("downgrade_credit", "on")
    account = counter.open("3M month", OPENED)
    command = ChangePlan(account, counter.plan("2M month"), difference=Decimal(0))
    result = counter.run(change_plan, command, "2026-02-10 10:00:00")
    assert result.order is not None
    # (1.64 - 1.97) * 18 d = -5.94 -> -6 would be credited
    assert (result.order.computed_difference, result.order.charged_difference) == (Decimal("-6.00"), Decimal("0.00"))
    assert counter.balance(account) == "0.00"


@pytest.mark.parametrize("start", ["now", "first-login"])
def test_prepaid_months_do_not_pass_2100_either(counter: Counter, start: str) -> None:
    with pytest.raises(errors.PeriodTooFar), counter.scope.session.begin_nested():
        counter.open("2M prepaid", OPENED, quantity=999, start=start)
    account = counter.open("2M prepaid", OPENED)
    with pytest.raises(errors.PeriodTooFar):
        counter.buy(account, "2M prepaid", "2026-02-01 10:00:00", quantity=999)


def test_a_plan_that_is_given_after_the_expiry_is_not_deducted_for_what_is_past(counter: Counter) -> None:
    later, expired = "2026-06-01 10:00:00", "2026-02-28 10:00:00"
    moved = counter.open("2M month", OPENED)
    typed = counter.open("2M prepaid", OPENED)
    taken_back = counter.open("2M prepaid", OPENED)
    for account in (moved, typed, taken_back):
        assert counter.expiry(account) == expired
    counter.run(top_up, TopUp(moved, Decimal(500)), "2026-02-01 10:00:00")
    run_due(counter.scope, now=counter.at(later))
    counter.run(move, Move(moved, plan_id=counter.plan("2M prepaid")), later)
    counter.run(top_up, TopUp(typed, Decimal(500)), "2026-03-01 10:00:00")
    counter.run(manual_change, ManualChange(typed, expires_at=counter.at("2026-04-01 10:00:00")), later)
    counter.buy(taken_back, "2M month", "2026-02-10 10:00:00", quantity=2)
    counter.run(top_up, TopUp(taken_back, Decimal(500)), "2026-02-11 10:00:00")
    counter.run(reverse, Reverse(taken_back), "2026-02-11 11:00:00")  # the top-up
    counter.run(reverse, Reverse(taken_back), "2026-03-10 10:00:00")  # the months: expired since February
    counter.run(top_up, TopUp(taken_back, Decimal(500)), "2026-03-10 11:00:00")
    assert run_due(counter.scope, now=counter.at(later) + timedelta(hours=1)).renewed == 0
    assert [counter.balance(one) for one in (moved, typed, taken_back)] == ["500.00"] * 3


def test_all_missed_periods_are_renewed_however_many(counter: Counter) -> None:
    account = counter.open("natural day", OPENED)
    counter.run(set_auto_renew, SetAutoRenew(account, True), OPENED)
    counter.run(top_up, TopUp(account, Decimal(300)), OPENED)  # 100 days of 3.00
    rounds = 0
    while run_due(counter.scope, now=counter.at("2026-04-30 12:00:00")).more:
        rounds += 1
        assert rounds < 5
    # February 28 + March 31 + April 30 = 89 days
    assert (counter.expiry(account), counter.balance(account)) == ("2026-05-01 00:00:00", "33.00")


def test_a_gifted_month_is_counted_where_the_period_ends(counter: Counter) -> None:
    began, ended = counter.at("2026-01-01 00:00:00"), counter.at("2027-01-01 00:00:00")
    gift = AddPromotion(counter.plan("2M month"), "one more", "months", "1", began, ended)
    add_promotion(counter.scope, gift, actor=OWNER, now=began)
    account = counter.open("2M month", "2026-01-10 10:00:00", start="first-login")  # 10 Feb + 1 month = 28 days
    log_in(counter, account, "2026-02-15 08:00:00")
    assert counter.expiry(account) == "2026-04-15 08:00:00"  # 15 Mar + 1 month = 31 days


def test_arrears_count_from_the_first_login_also_after_a_part_was_paid(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login", method="arrears")
    log_in(counter, account, "2026-02-10 20:00:00")
    counter.run(pay_arrears, PayArrears(account, amount=Decimal(20)), "2026-02-11 09:00:00")
    assert counter.account(account).cut_off_at == counter.at("2026-02-13 20:00:00")
    owed = counter.scope.session.scalars(select(Receivable).where(Receivable.account_id == account)).one()
    counter.scope.session.refresh(owed)
    assert owed.base_expiry == counter.at("2026-02-10 20:00:00")  # the days to cancel count from it, too
    counter.run(cancel_arrears, CancelArrears(account), "2026-02-11 10:00:00")
    assert counter.balance(account) == "20.00"


def test_arrears_of_a_second_try_count_from_the_login(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login", method="arrears")
    counter.run(cancel_arrears, CancelArrears(account), "2026-02-01 09:00:00")
    counter.buy(account, "2M month", "2026-03-01 09:00:00", method="arrears")  # waits for the first login again
    log_in(counter, account, "2026-03-05 20:00:00")
    assert counter.account(account).cut_off_at == counter.at("2026-03-08 20:00:00")


def test_paying_a_second_try_by_changing_before_the_login_still_waits(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login", method="arrears")
    counter.run(cancel_arrears, CancelArrears(account), "2026-02-01 09:00:00")
    counter.buy(account, "2M month", "2026-03-01 09:00:00", method="arrears")
    counter.run(pay_arrears, PayArrears(account, plan_id=counter.plan("2M quarter")), "2026-03-02 09:00:00")
    assert counter.account(account).activated_at is None
    log_in(counter, account, "2026-03-05 20:00:00")
    assert counter.expiry(account) == "2026-06-05 20:00:00"


def test_paying_by_changing_inherits_what_the_difference_is_worth(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    at = "2026-01-31 11:00:00"
    counter.run(change_plan, ChangePlan(account, counter.plan("3M month"), method="arrears", difference=Decimal(9)), at)
    counter.run(pay_arrears, PayArrears(account, plan_id=counter.plan("3M quarter")), at)
    assert worth(counter, account, at) == "228.93"  # 170 + 9 + 50 * 671 / 672 h


def test_paying_by_changing_begins_a_quota_that_had_ended_anew(counter: Counter) -> None:
    account = counter.open("10 GB", OPENED)
    used(counter, account, octets=10 * GB)
    counter.buy(account, "10 GB", "2026-02-10 10:00:00", quantity=3, method="arrears")
    counter.run(pay_arrears, PayArrears(account, plan_id=counter.plan("10 GB")), "2026-02-10 11:00:00")
    assert left(counter, account, "2026-02-10 11:00:00") == (10 * GB, None)


def test_an_expiry_that_is_typed_keeps_the_worth_of_what_had_not_begun(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login")
    at = "2026-02-10 10:00:00"
    counter.run(manual_change, ManualChange(account, expires_at=counter.at("2026-03-10 10:00:00")), at)
    assert worth(counter, account, at) == "50.00"


def test_never_expires_holds_up_the_reversal_of_what_began_with_a_login(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login")
    counter.run(set_never_expires, SetNeverExpires(account, True), "2026-02-01 10:00:00")
    with pytest.raises(errors.ChangedSince):
        counter.run(reverse, Reverse(account), "2026-02-01 10:30:00")


def test_extending_a_total_quota_loses_nothing_of_what_was_paid(counter: Counter) -> None:
    account = counter.open("10 GB", OPENED)  # 30.00
    used(counter, account, octets=5 * GB)
    assert worth(counter, account, OPENED) == "15.00"
    counter.buy(account, "10 GB", OPENED)
    assert worth(counter, account, OPENED) == "45.00"  # 15 of the half that is left + 30
    used(counter, account, octets=5 * GB + 5 * GB)
    assert worth(counter, account, OPENED) == "30.00"  # 10 of 15 GB are left: 45 * 2/3


def test_a_daily_quota_that_comes_back_another_day_is_whole(counter: Counter) -> None:
    account = counter.open("2 hours a day", OPENED)
    used(counter, account, seconds=7200, day="2026-02-01")
    counter.run(manual_change, ManualChange(account, plan_id=counter.plan("100 hours")), "2026-02-01 20:00:00")
    used(counter, account, seconds=3600)
    counter.run(reverse, Reverse(account), "2026-02-03 10:00:00")
    assert left(counter, account, "2026-02-03 10:00:00") == (None, 7200)


def test_what_was_used_meanwhile_counts_for_the_day(counter: Counter) -> None:
    account = counter.open("2 hours a day", OPENED)
    used(counter, account, seconds=7200, day="2026-02-01")
    counter.run(manual_change, ManualChange(account, plan_id=counter.plan("100 hours")), "2026-02-03 09:00:00")
    used(counter, account, seconds=3600)
    counter.run(reverse, Reverse(account), "2026-02-03 10:00:00")
    assert left(counter, account, "2026-02-03 10:00:00") == (None, 3600)


def test_a_count_comes_back_through_several_reversals(counter: Counter) -> None:
    account = counter.open("100 hours", OPENED)
    used(counter, account, seconds=100_000)
    counter.run(manual_change, ManualChange(account, plan_id=counter.plan("2M month")), "2026-02-01 10:00:00")
    counter.run(manual_change, ManualChange(account, plan_id=counter.plan("10 GB")), "2026-02-01 11:00:00")
    used(counter, account, octets=GB)
    counter.run(reverse, Reverse(account), "2026-02-01 11:30:00")
    counter.run(reverse, Reverse(account), "2026-02-01 11:30:00")
    assert left(counter, account, "2026-02-01 11:30:00") == (None, 260_000)


def test_a_count_of_an_earlier_quota_is_none_of_the_one_that_comes_back(counter: Counter) -> None:
    account = counter.open("100 hours", OPENED)
    used(counter, account, seconds=100_000)
    counter.run(manual_change, ManualChange(account, plan_id=counter.plan("2 hours a day")), "2026-02-01 10:00:00")
    counter.run(manual_change, ManualChange(account, plan_id=counter.plan("2M month")), "2026-02-01 11:00:00")
    counter.run(reverse, Reverse(account), "2026-02-01 11:30:00")
    assert left(counter, account, "2026-02-01 11:30:00") == (None, 7200)
    counter.run(reverse, Reverse(account), "2026-02-01 11:40:00")
    assert left(counter, account, "2026-02-01 11:40:00") == (None, 260_000)


def test_what_was_used_of_arrears_comes_back_with_their_replacement(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.run(buy, Buy(account, counter.plan("10 GB"), method="arrears"), "2026-02-27 10:00:00")
    used(counter, account, octets=2 * GB)
    counter.run(pay_arrears, PayArrears(account, plan_id=counter.plan("2M quarter")), "2026-02-27 11:00:00")
    counter.run(reverse, Reverse(account), "2026-02-27 11:30:00")
    assert left(counter, account, "2026-02-27 11:30:00") == (8 * GB, None)


def test_what_never_began_and_never_expires_keeps_its_worth_for_an_expiry_that_is_typed(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login")
    at = "2026-02-01 10:00:00"
    counter.run(set_never_expires, SetNeverExpires(account), at)
    counter.run(manual_change, ManualChange(account, expires_at=counter.at("2026-03-10 10:00:00")), at)
    assert worth(counter, account, at) == "50.00"


def test_a_share_that_has_no_end_as_a_decimal_loses_no_fen(counter: Counter) -> None:
    account = counter.open("2M week", OPENED)  # 13.00
    end = counter.at("2026-04-25 10:00:00")  # 84 days
    counter.run(manual_change, ManualChange(account, expires_at=end, amount=Decimal("139.67")), OPENED)
    assert worth(counter, account, "2026-04-15 10:00:00") == "18.18"  # 152.67 * 10 / 84 = 18.175


@pytest.mark.parametrize("hours_used", [100, 104, 110])
@pytest.mark.parametrize("late", [False, True])
def test_a_pack_whose_validity_is_over_is_reversed_like_any_order(
    counter: Counter, hours_used: int, late: bool
) -> None:
    account = counter.open("100 hours", OPENED)
    counter.run(add_pack, AddPack(account, seconds=36_000, price=Decimal(9), validity_days=3), "2026-02-01 10:00:00")
    used(counter, account, seconds=hours_used * 3600)
    if not late:
        run_due(counter.scope, now=counter.at("2026-02-05 10:00:00"))
    done = counter.run(reverse, Reverse(account), "2026-02-06 10:00:00")
    assert done.order is not None
    assert str(done.order.total) == "-9.00"
    run_due(counter.scope, now=counter.at("2026-02-07 10:00:00"))
    assert left(counter, account, "2026-02-07 10:00:00") == (None, 0)
    counter.run(add_pack, AddPack(account, seconds=7200, price=Decimal(2)), "2026-02-07 10:00:00")
    assert left(counter, account, "2026-02-07 10:00:00") == (None, 7200)


def test_a_pack_is_reversed_after_an_older_one_has_ended(counter: Counter) -> None:
    account = counter.open("100 hours", OPENED)
    counter.run(add_pack, AddPack(account, seconds=36_000, validity_days=1), "2026-02-01 10:00:00")
    counter.run(add_pack, AddPack(account, seconds=7200, price=Decimal(9)), "2026-02-01 10:00:00")
    run_due(counter.scope, now=counter.at("2026-02-03 10:00:00"))
    counter.run(reverse, Reverse(account), "2026-02-03 10:00:00")
    assert left(counter, account, "2026-02-03 10:00:00") == (None, 360_000)
    counter.run(reverse, Reverse(account), "2026-02-03 10:00:00")  # and the older one, of which nothing is left
    assert left(counter, account, "2026-02-03 10:00:00") == (None, 360_000)


@pytest.mark.parametrize("method", ["cash", "arrears"])
def test_a_credit_counts_as_no_longer_paid_however_the_new_plan_is_paid(counter: Counter, method: str) -> None:
    counter.setting("downgrade_credit", "on")
    account = counter.open("3M quarter", OPENED)  # 170.00, 1.86 a day
    counter.run(change_plan, ChangePlan(account, counter.plan("2M month"), method=method), OPENED)  # 1.64 a day
    assert counter.balance(account) == "20.00"  # 0.22 * 89 = 19.58
    if method == "arrears":
        counter.run(pay_arrears, PayArrears(account), OPENED)
    assert worth(counter, account, OPENED) == "220.00"  # 20 in the balance, 150 of the old time, 50 of the new


def test_a_pack_that_ended_meanwhile_does_not_come_back_with_its_quota(counter: Counter) -> None:
    account = counter.open("100 hours", OPENED)
    counter.run(add_pack, AddPack(account, seconds=7200, validity_days=3), "2026-02-01 10:00:00")
    counter.run(add_pack, AddPack(account, seconds=3600), "2026-02-01 10:00:00")
    used(counter, account, seconds=360_000 + 600)  # ten minutes out of the pack that ends first
    counter.run(manual_change, ManualChange(account, plan_id=counter.plan("2M month")), "2026-02-01 11:00:00")
    run_due(counter.scope, now=counter.at("2026-02-10 10:00:00"))
    counter.run(reverse, Reverse(account), "2026-02-10 10:00:00")
    assert left(counter, account, "2026-02-10 10:00:00") == (None, 3600)


def test_a_wish_to_renew_since_hinders_no_reversal(counter: Counter) -> None:
    account = counter.open("2M month", OPENED)
    counter.run(set_auto_renew, SetAutoRenew(account, True), OPENED)
    counter.run(refund, Refund(account), "2026-02-01 10:00:00")
    counter.run(set_auto_renew, SetAutoRenew(account, True), "2026-02-01 10:10:00")
    counter.run(reverse, Reverse(account), "2026-02-01 10:20:00")
    assert counter.account(account).auto_renew
    assert counter.expiry(account) == "2026-02-28 10:00:00"
