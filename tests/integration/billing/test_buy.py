"""Opening and buying on the real database: G3, methods, keys, previews."""

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from tenants.billing import errors
from tenants.billing.buy import Buy, buy
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.models import FeeRecord, Order
from tenants.billing.operation import preview
from tenants.ledger.check import check_balances, check_entries, totals
from tenants.ledger.errors import KeyReused
from tests.fixtures.billing import OWNER, Counter


def test_G3_renewing_nine_minutes_before_expiry_continues_at_the_old_expiry(counter: Counter) -> None:
    account = counter.open("2M month", "2015-03-15 11:43:12")
    assert counter.expiry(account) == "2015-04-15 11:43:12"
    result = counter.buy(account, "2M month", "2015-04-15 11:33:44")
    assert counter.expiry(account) == "2015-05-15 11:43:12"
    assert result.order is not None
    assert [(line.kind, line.amount) for line in result.order.lines] == [("plan", Decimal("50.00"))]
    assert result.order.total == Decimal("50.00")


def test_G5_unified_hour_replaces_only_the_hour(counter: Counter) -> None:
    counter.setting("unified_expiry_hour", "16")
    account = counter.open("2M month", "2015-04-01 12:10:00")
    assert counter.expiry(account) == "2015-05-01 16:10:00"


def test_G5_holds_for_an_expiry_that_is_typed_too(counter: Counter) -> None:
    counter.setting("unified_expiry_hour", "16")
    account = counter.open("2M month", "2015-04-01 12:10:00")
    for typed, kept in (
        ("2015-06-08 03:22:12", "2015-06-08 16:22:12"),
        ("2015-04-02 18:05:00", "2015-04-02 16:05:00"),
        ("2015-04-02 11:00:00", "2015-04-02 11:00:00"),  # in the past: it ends the period
        ("2100-01-01 00:00:00", "2100-01-01 00:00:00"),  # never
    ):
        counter.run(manual_change, ManualChange(account, expires_at=counter.at(typed)), "2015-04-02 12:00:00")
        assert counter.expiry(account) == kept


def test_buying_after_expiry_counts_from_now(counter: Counter) -> None:
    account = counter.open("2M month", "2015-03-15 11:43:12")
    counter.buy(account, "2M month", "2015-06-01 08:00:00", quantity=3)
    assert counter.expiry(account) == "2015-09-01 08:00:00"


def test_order_numbers_have_no_gaps_even_after_refusals_and_previews(counter: Counter) -> None:
    account = counter.open("2M month", "2015-03-15 11:43:12")
    now = counter.at("2015-04-10 10:00:00")
    with pytest.raises(errors.BalanceTooShort):
        counter.buy(account, "2M month", "2015-04-10 10:00:00", method="balance")
    shown = preview(counter.scope, buy, Buy(account, counter.plan("2M month")), actor=OWNER, now=now)
    assert shown.dry_run
    assert shown.order is not None
    assert shown.order.number is None
    booked = counter.buy(account, "2M month", "2015-04-10 10:00:00")
    assert booked.order is not None
    assert booked.order.number == "D20150410000002"
    assert booked.order.lines == shown.order.lines
    assert booked.after == shown.after


def test_same_key_same_content_returns_the_first_result(counter: Counter) -> None:
    account = counter.open("2M month", "2015-03-15 11:43:12")
    first = counter.buy(account, "2M month", "2015-04-10 10:00:00", key="k1")
    again = counter.buy(account, "2M month", "2015-04-10 10:05:00", key="k1")
    assert again.replayed
    assert again.order == first.order
    assert again.after == first.after
    assert counter.expiry(account) == "2015-05-15 11:43:12"
    with pytest.raises(KeyReused):
        counter.buy(account, "2M month", "2015-04-10 10:05:00", key="k1", quantity=2)


def test_arrears_open_a_receivable_and_limit_the_connection(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-05 00:00:00")
    counter.buy(account, "2M month", "2015-05-01 09:00:00", method="arrears")
    row = counter.account(account)
    assert row.receivable == Decimal("50.00")
    assert counter.expiry(account) == "2015-06-05 00:00:00"
    assert row.cut_off_at is not None
    assert counter.local(row.cut_off_at) == "2015-05-08 00:00:00"  # G6: 5 May + 3 days


def test_install_fee_is_a_line_of_its_own(counter: Counter) -> None:
    counter.setting("install_fee", "100.00")
    account = counter.open("2M month", "2015-04-05 00:00:00", install_fee=None)
    session = counter.scope.session
    order = session.scalars(select(Order).where(Order.account_id == account)).one()
    assert order.total == Decimal("150.00")
    assert session.scalar(select(func.sum(FeeRecord.amount)).where(FeeRecord.account_id == account)) == Decimal(150)


def test_the_ledger_agrees_with_itself(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-05 00:00:00")
    counter.buy(account, "2M month", "2015-05-01 09:00:00", method="arrears")
    assert check_entries(counter.scope) == []
    assert check_balances(counter.scope) == []
    sums = totals(counter.scope)
    assert sums.debits == sums.credits == Decimal("100.00")


@pytest.mark.parametrize("quantity", [0, -1, 1000, 1_000_000])
def test_quantities_that_are_refused(counter: Counter, quantity: int) -> None:
    account = counter.open("2M month", "2015-03-15 11:43:12")
    with pytest.raises(errors.BadQuantity):
        counter.buy(account, "2M month", "2015-04-15 11:33:44", quantity=quantity)
    assert counter.expiry(account) == "2015-04-15 11:43:12"


def test_other_group_outside_the_window_is_refused_and_inside_bought(counter: Counter) -> None:
    account = counter.open("2M month", "2015-03-15 11:43:12")
    with pytest.raises(errors.OtherGroup):
        counter.buy(account, "3M month", "2015-04-12 11:43:11")  # 3 days and a second before expiry
    counter.buy(account, "3M month", "2015-04-12 11:43:12")  # exactly 3 days
    assert counter.expiry(account) == "2015-05-15 11:43:12"
