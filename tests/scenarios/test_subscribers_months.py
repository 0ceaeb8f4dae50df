"""Dated stories of subscribers, in two time zones, on the days on which months go wrong."""

from decimal import Decimal

import pytest

from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.due import run_due
from tenants.billing.hold import Hold, hold
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.refund import Refund, refund
from tenants.billing.resume import Resume, resume
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.settle import Settle, settle
from tenants.billing.top_up import TopUp, top_up
from tests.fixtures.billing import CLERK, OWNER, Counter, MakeShop

ZONES = ("Asia/Shanghai", "Europe/Berlin")


@pytest.fixture(params=ZONES)
def shop_in_zone(request: pytest.FixtureRequest, make_shop: MakeShop) -> TenantRef:
    return make_shop(request.param)


@pytest.fixture
def desk(shop_in_zone: TenantRef, database: Database) -> object:
    with tenant_scope(database, shop_in_zone) as scope:
        counter = Counter(scope)
        yield counter
        assert check_ledger(scope).findings == []


def total(result: object) -> str:
    return str(result.order.total)  # type: ignore[attr-defined]


def test_a_year_of_a_member_who_joined_on_the_31st(desk: Counter) -> None:
    """Bought month by month from the old expiry: clamped in February, and from then on the 28th."""
    account = desk.open("2M month", "2026-01-31 21:15:00")
    ends = []
    for month in ("02-27", "03-27", "04-27"):
        desk.buy(account, "2M month", f"2026-{month} 09:00:00")
        ends.append(desk.expiry(account))
    assert ends == ["2026-03-28 21:15:00", "2026-04-28 21:15:00", "2026-05-28 21:15:00"]
    # Three at once from the 31st do not go through February.
    other = desk.open("2M month", "2026-01-31 21:15:00", quantity=3)
    assert desk.expiry(other) == "2026-04-30 21:15:00"


def test_a_leap_day_customer(desk: Counter) -> None:
    account = desk.open("2M year", "2024-02-29 08:00:00")
    assert desk.expiry(account) == "2025-02-28 08:00:00"
    desk.buy(account, "2M year", "2025-02-28 08:00:01", quantity=3)  # a second too late: from now
    assert desk.expiry(account) == "2028-02-28 08:00:01"


def test_a_student_goes_home_for_the_new_year(desk: Counter) -> None:
    """Hold over the end of a month and, in Berlin, over the change of the clock: seconds are seconds."""
    account = desk.open("2M month", "2026-03-15 12:00:00")  # to 15 April 12:00
    desk.run(hold, Hold(account, fee=Decimal("5")), "2026-03-20 12:00:00")
    held_at, back_at = desk.at("2026-03-20 12:00:00"), desk.at("2026-04-03 12:00:00")
    desk.run(resume, Resume(account), "2026-04-03 12:00:00")
    assert desk.account(account).expires_at == desk.at("2026-04-15 12:00:00") + (back_at - held_at)
    # Shanghai: 14 days. Berlin: 13 days 23 hours, because 29 March had 23 hours.
    shanghai = desk.scope.tenant.timezone == "Asia/Shanghai"
    assert desk.expiry(account) == ("2026-04-29 12:00:00" if shanghai else "2026-04-29 11:00:00")


def test_a_family_moves_up_and_regrets_it(desk: Counter) -> None:
    account = desk.open("2M month", "2026-01-31 10:00:00")  # to 28 February 10:00
    # 18 days left on 10 February: (1.97 - 1.64) * 18 = 5.94 -> 6; 60 + 6 = 66; expiry + 1 month = 28 March
    up = desk.run(change_plan, ChangePlan(account, desk.plan("3M month")), "2026-02-10 09:00:00", actor=CLERK)
    assert (total(up), desk.expiry(account)) == ("66.00", "2026-03-28 10:00:00")
    back = desk.run(reverse, Reverse(account, reason="changed her mind"), "2026-02-10 09:59:59", actor=CLERK)
    assert (total(back), desk.expiry(account)) == ("-66.00", "2026-02-28 10:00:00")
    assert desk.account(account).plan_id == desk.plan("2M month")
    # The clerk hands in nothing: the 66 came and went.
    now = desk.at("2026-02-10 18:00:00")
    assert settle(desk.scope, Settle(CLERK.id, now), actor=OWNER, now=now).cash == Decimal("0.00")


def test_a_promise_to_pay_on_friday(desk: Counter) -> None:
    """On arrears on the 30th; a part by top-up, the rest at the counter; no cut-off is left."""
    account = desk.open("2M month", "2026-03-31 08:00:00")  # to 30 April 08:00
    desk.buy(account, "2M month", "2026-04-30 07:00:00", method="arrears")
    row = desk.account(account)
    assert row.cut_off_at == desk.at("2026-05-03 08:00:00")  # old expiry + 3 days
    assert desk.expiry(account) == "2026-05-30 08:00:00"
    desk.run(top_up, TopUp(account, Decimal("20.00")), "2026-05-01 12:00:00")
    assert desk.account(account).receivable == Decimal("30.00")
    desk.run(pay_arrears, PayArrears(account), "2026-05-02 12:00:00")
    row = desk.account(account)
    assert (row.receivable, row.balance, row.cut_off_at) == (Decimal(0), Decimal(0), None)


def test_a_promise_that_is_broken(desk: Counter) -> None:
    account = desk.open("2M month", "2026-03-31 08:00:00")
    desk.buy(account, "2M month", "2026-04-30 07:00:00", method="arrears")
    assert run_due(desk.scope, now=desk.at("2026-05-03 07:59:59")).expired == 0
    assert run_due(desk.scope, now=desk.at("2026-05-03 08:00:00")).expired == 1  # cut off
    desk.run(cancel_arrears, CancelArrears(account), "2026-05-20 08:00:00", actor=OWNER)
    assert desk.expiry(account) == "2026-04-30 08:00:00"  # as it was


def test_a_prepaid_customer_runs_out_of_money_in_spring(desk: Counter) -> None:
    account = desk.open("2M prepaid", "2025-12-31 23:30:00")
    desk.run(top_up, TopUp(account, Decimal("100.00")), "2026-01-01 09:00:00")
    for day in ("2026-01-31", "2026-02-28", "2026-03-31"):
        run_due(desk.scope, now=desk.at(f"{day} 23:59:00"))
    # 100 paid January 31 and February 28; on March 31 nothing is left: no partial month.
    assert (desk.balance(account), desk.expiry(account)) == ("0.00", "2026-03-31 23:30:00")


def test_a_customer_leaves_in_the_middle_of_a_month(desk: Counter) -> None:
    account = desk.open("2M month", "2026-06-01 00:00:00", quantity=2)  # 61 days to 1 August
    desk.run(top_up, TopUp(account, Decimal("10.00")), "2026-06-10 00:00:00")
    # 30.5 of 61 days are left on 1 July 12:00: 100 * 0.5 + 10 = 60
    out = desk.run(refund, Refund(account), "2026-07-01 12:00:00")
    assert total(out) == "-60.00"
    assert desk.expiry(account) == "2026-07-01 12:00:00"


def test_a_hotel_guest_buys_natural_days(desk: Counter) -> None:
    account = desk.open("natural day", "2026-03-28 23:59:00")
    assert desk.expiry(account) == "2026-03-29 00:00:00"
    desk.buy(account, "natural day", "2026-03-28 23:59:30", quantity=2)
    assert desk.expiry(account) == "2026-03-31 00:00:00"  # the 29th and the 30th, 47 hours in Berlin
    ends = desk.account(account).expires_at
    hours = (ends - desk.at("2026-03-29 00:00:00")).total_seconds() / 3600
    assert hours == (48 if desk.scope.tenant.timezone == "Asia/Shanghai" else 47)
