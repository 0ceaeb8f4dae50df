"""Accounts whose period begins with the first login, and what is undone around that moment (SUB-3)."""

from decimal import Decimal

import pytest

from tenants.billing import errors
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.check import check_ledger
from tenants.billing.close import Close, close
from tenants.billing.first_login import activate
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.refund import Refund, refund
from tenants.billing.reverse import Reverse, reverse
from tests.fixtures.billing import Counter

OPENED, ACCEPTED, LATER = "2026-01-31 10:00:00", "2026-02-10 20:30:00", "2026-02-11 09:00:00"


@pytest.fixture(autouse=True)
def _the_ledger_agrees(counter: Counter) -> object:
    yield
    assert check_ledger(counter.scope).findings == []


def log_in(counter: Counter, account: int) -> None:
    assert activate(counter.scope, account, accepted_at=counter.at(ACCEPTED), now=counter.at(LATER))


def test_gifted_time_and_quantity_count_from_the_accept(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login", quantity=2)
    log_in(counter, account)
    assert counter.expiry(account) == "2026-04-10 20:30:00"
    assert counter.account(account).period_started_at == counter.at(ACCEPTED)


def test_natural_month_ends_with_the_month_of_the_accept(counter: Counter) -> None:
    account = counter.open("natural month", OPENED, start="first-login")
    log_in(counter, account)
    assert counter.expiry(account) == "2026-03-01 00:00:00"


def test_prepaid_months_derive_from_the_accept(counter: Counter) -> None:
    account = counter.open("2M prepaid", OPENED, start="first-login")
    log_in(counter, account)
    row = counter.account(account)
    assert (counter.expiry(account), row.first_due_at) == ("2026-03-10 20:30:00", counter.at(ACCEPTED))


def test_on_arrears_the_allowed_days_count_from_the_accept(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login", method="arrears")
    log_in(counter, account)
    row = counter.account(account)
    assert row.cut_off_at == counter.at("2026-02-13 20:30:00")  # accept + 3 days
    counter.run(pay_arrears, PayArrears(account), LATER)
    assert counter.account(account).cut_off_at is None


def test_paying_by_changing_keeps_the_begun_period(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login", method="arrears")
    log_in(counter, account)
    counter.run(pay_arrears, PayArrears(account, plan_id=counter.plan("2M quarter")), LATER)
    assert counter.expiry(account) == "2026-05-10 20:30:00"
    assert counter.account(account).activated_at == counter.at(ACCEPTED)


def test_paying_by_changing_before_the_login_still_waits(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login", method="arrears")
    counter.run(pay_arrears, PayArrears(account, plan_id=counter.plan("2M quarter")), "2026-02-01 09:00:00")
    assert counter.account(account).activated_at is None
    log_in(counter, account)
    assert counter.expiry(account) == "2026-05-10 20:30:00"


def test_cancelling_the_arrears_of_the_opening_leaves_no_plan(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login", method="arrears")
    log_in(counter, account)
    counter.run(cancel_arrears, CancelArrears(account), LATER)
    row = counter.account(account)
    assert (row.plan_id, row.receivable, row.cut_off_at) == (None, Decimal(0), None)
    assert counter.expiry(account) == OPENED


def test_the_opening_is_reversed_after_the_login_too(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login")
    log_in(counter, account)
    counter.run(reverse, Reverse(account), LATER)
    assert counter.account(account).plan_id is None
    counter.buy(account, "2M month", LATER)  # sold again, and the period waits for the next login
    assert counter.account(account).plan_id is not None


def test_what_never_began_is_refunded_whole(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login", install_fee=Decimal(100))
    result = counter.run(refund, Refund(account), LATER)
    assert result.order is not None
    assert result.order.total == Decimal("-50.00")  # the install fee stays
    assert not activate(counter.scope, account, accepted_at=counter.at(LATER), now=counter.at(LATER))


def test_a_closed_account_is_not_started_by_a_late_login(counter: Counter) -> None:
    account = counter.open("2M month", OPENED, start="first-login")
    counter.run(close, Close(account), LATER)
    assert not activate(counter.scope, account, accepted_at=counter.at(ACCEPTED), now=counter.at(LATER))
    with pytest.raises(errors.AccountClosed):
        counter.buy(account, "2M month", LATER)


def test_editing_a_plan_changes_no_order(counter: Counter) -> None:
    from tenants.billing.models import Order
    from tenants.catalog.models import Plan

    account = counter.open("2M month", OPENED)
    plan = counter.scope.session.get_one(Plan, counter.plan("2M month"))
    plan.price, plan.name, plan.kind = Decimal("99.00"), "renamed", "year"
    counter.scope.session.flush()
    order = counter.scope.session.query(Order).filter(Order.account_id == account).one()
    assert (order.total, order.plan_name, order.plan_terms["price"], order.plan_terms["kind"]) == (
        Decimal("50.00"), "2M month", "50.00", "month",
    )  # fmt: skip
    # A change from it is computed with the price that the plan has now; what was booked stays.
    assert counter.expiry(account) == "2026-02-28 10:00:00"
