"""Due work: booked with the due instant however late it runs, safe to run twice, and at once with operations."""

from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from infra.db import Database
from infra.outbox import OutboxRow
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.billing.add_pack import AddPack, add_pack
from tenants.billing.auto_renew import SetAutoRenew, set_auto_renew
from tenants.billing.buy import Buy, buy
from tenants.billing.check import check_ledger
from tenants.billing.disable import Disable, disable
from tenants.billing.due import run_due
from tenants.billing.enable import Enable, enable
from tenants.billing.models import Order
from tenants.billing.top_up import TopUp, top_up
from tenants.kernel.errors import BusinessError
from tenants.usage.models import QuotaUse
from tests.fixtures.billing import OWNER, Counter


def disconnects(counter: Counter) -> list[str]:
    rows = counter.scope.session.scalars(
        select(OutboxRow.subject).where(
            OutboxRow.tenant_id == counter.scope.tenant_id, OutboxRow.topic == "radius.disconnect"
        )
    )
    return sorted(rows)


def renewals(counter: Counter, account: int) -> list[str]:
    rows = counter.scope.session.scalars(
        select(Order.at).where(Order.account_id == account, Order.kind == "renew").order_by(Order.id)
    )
    return [counter.local(at) for at in rows]


def test_prepaid_month_is_deducted_at_each_due_time_without_drift(counter: Counter) -> None:
    account = counter.open("2M prepaid", "2026-01-31 10:00:00")
    counter.run(top_up, TopUp(account, Decimal(120)), "2026-02-01 10:00:00")
    for run_at in ("2026-02-28 11:00:00", "2026-02-28 11:00:00", "2026-03-31 10:00:00"):  # an hour late, twice
        run_due(counter.scope, now=counter.at(run_at))
    assert renewals(counter, account) == ["2026-02-28 10:00:00", "2026-03-31 10:00:00"]
    assert counter.expiry(account) == "2026-04-30 10:00:00"
    assert counter.balance(account) == "20.00"
    report = run_due(counter.scope, now=counter.at("2026-05-01 00:00:00"))  # 20 does not cover 50
    assert (report.renewed, report.expired) == (0, 1)
    assert counter.expiry(account) == "2026-04-30 10:00:00"
    assert check_ledger(counter.scope).findings == []


def test_two_missed_months_are_booked_with_their_own_instants(counter: Counter) -> None:
    account = counter.open("2M prepaid", "2026-01-31 10:00:00")
    counter.run(top_up, TopUp(account, Decimal(500)), "2026-02-01 10:00:00")
    run_due(counter.scope, now=counter.at("2026-04-15 00:00:00"))
    assert renewals(counter, account) == ["2026-02-28 10:00:00", "2026-03-31 10:00:00"]
    assert counter.expiry(account) == "2026-04-30 10:00:00"


@pytest.mark.parametrize("worker", ["in time", "late"])
def test_nobody_pays_for_a_period_that_began_before_he_could(counter: Counter, worker: str) -> None:
    opened, due_at, later = "2026-01-01 10:00:00", "2026-02-01 10:00:00", "2026-04-10 12:00:00"
    poor = counter.open("2M prepaid", opened)  # 50 are due, 20 are there; the rest comes two months later
    counter.run(top_up, TopUp(poor, Decimal(20)), "2026-01-02 10:00:00")
    off = counter.open("2M prepaid", opened)  # disabled when it was due, enabled two months later
    counter.run(top_up, TopUp(off, Decimal(500)), "2026-01-02 10:00:00")
    counter.run(disable, Disable(off), "2026-01-20 10:00:00")
    manual = counter.open("2M month", opened)  # the wish to renew comes later
    counter.run(top_up, TopUp(manual, Decimal(500)), "2026-01-02 10:00:00")
    owes = counter.open("2M prepaid", opened, method="arrears")  # paid later
    if worker == "in time":
        assert run_due(counter.scope, now=counter.at(due_at)).renewed == 0
    counter.run(top_up, TopUp(poor, Decimal(100)), later)
    counter.run(enable, Enable(off), later)
    counter.run(set_auto_renew, SetAutoRenew(manual, True), later)
    counter.run(top_up, TopUp(owes, Decimal(500)), later)
    assert run_due(counter.scope, now=counter.at(later)).renewed == 0
    accounts = (poor, off, manual, owes)
    assert {counter.expiry(one) for one in accounts} == {due_at}
    assert [counter.balance(one) for one in accounts] == ["120.00", "500.00", "500.00", "450.00"]
    counter.buy(poor, "2M prepaid", later, method="balance")  # from now on, as everybody who had expired
    assert counter.expiry(poor) == "2026-05-10 12:00:00"
    assert run_due(counter.scope, now=counter.at("2026-05-10 12:30:00")).renewed == 1
    assert counter.expiry(poor) == "2026-06-10 12:00:00"
    assert check_ledger(counter.scope).findings == []


def test_unified_hour_and_prepaid_months_get_along(counter: Counter) -> None:
    counter.setting("unified_expiry_hour", "3")
    account = counter.open("2M prepaid", "2026-01-31 10:20:30")
    assert counter.expiry(account) == "2026-02-28 03:20:30"
    counter.run(top_up, TopUp(account, Decimal(500)), "2026-02-01 10:00:00")
    run_due(counter.scope, now=counter.at("2026-04-01 00:00:00"))
    assert counter.expiry(account) == "2026-04-30 03:20:30"


def test_many_renewals_come_in_several_transactions(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.billing.due.MOST_RENEWALS", 2)
    accounts = [counter.open("2M prepaid", "2026-01-31 10:00:00") for _ in range(3)]
    for account in accounts:
        counter.run(top_up, TopUp(account, Decimal(50)), "2026-02-01 10:00:00")
    first = run_due(counter.scope, now=counter.at("2026-03-01 10:00:00"))
    second = run_due(counter.scope, now=counter.at("2026-03-01 10:00:00"))
    assert [(r.handled, r.renewed, r.expired, r.more) for r in (first, second)] == [(2, 2, 0, True), (1, 1, 0, False)]
    assert {counter.expiry(account) for account in accounts} == {"2026-03-31 10:00:00"}


def test_auto_renewal_buys_the_same_plan_again(counter: Counter) -> None:
    account = counter.open("10 GB", "2026-01-31 10:00:00")
    counter.run(set_auto_renew, SetAutoRenew(account, True), "2026-02-01 10:00:00")
    counter.run(top_up, TopUp(account, Decimal(30)), "2026-02-01 10:00:00")
    epoch = counter.account(account).quota_epoch
    report = run_due(counter.scope, now=counter.at("2026-03-02 10:00:00"))  # 31 Jan + 30 days
    assert report.renewed == 1
    row = counter.account(account)
    assert (row.quota_epoch, row.quota_octets) == (epoch + 1, 10 * 2**30)  # what was unused is lost
    assert counter.expiry(account) == "2026-04-01 10:00:00"


def test_expired_sessions_are_disconnected_once(counter: Counter) -> None:
    account = counter.open("2M month", "2026-01-31 10:00:00")
    other = counter.open("2M month", "2026-01-31 10:00:01")
    for one in (account, other):
        counter.go_online(one, "2026-02-01 00:00:00")
    report = run_due(counter.scope, now=counter.at("2026-02-28 10:00:00"))
    assert (report.handled, report.expired, report.disconnected) == (1, 1, 1)
    assert disconnects(counter) == [f"account:{account}"]
    assert run_due(counter.scope, now=counter.at("2026-02-28 10:00:00")).handled == 0


def test_arrears_are_cut_off_after_the_allowed_days(counter: Counter) -> None:
    account = counter.open("2M month", "2015-04-05 00:00:00")
    counter.buy(account, "2M month", "2015-05-01 09:00:00", method="arrears")
    counter.go_online(account, "2015-05-01 00:00:00")
    assert run_due(counter.scope, now=counter.at("2015-05-07 23:59:59")).expired == 0
    assert run_due(counter.scope, now=counter.at("2015-05-08 00:00:00")).disconnected == 1


def test_a_prepaid_account_in_arrears_is_not_renewed(counter: Counter) -> None:
    account = counter.open("2M prepaid", "2026-01-31 10:00:00", method="arrears")
    assert run_due(counter.scope, now=counter.at("2026-03-15 10:00:00")).renewed == 0
    assert renewals(counter, account) == []


def test_a_pack_ends_and_only_its_unused_part_is_lost(counter: Counter) -> None:
    account = counter.open("2 hours a day", "2026-01-31 10:00:00")
    counter.run(add_pack, AddPack(account, seconds=3600, validity_days=2), "2026-02-01 10:00:00")
    counter.run(add_pack, AddPack(account, seconds=1000), "2026-02-01 10:00:00")
    row = counter.account(account)
    counter.scope.session.add(
        QuotaUse(
            tenant_id=counter.scope.tenant_id,
            account_id=account,
            epoch=row.quota_epoch,
            window_on=datetime.fromisoformat("2026-02-02").date(),
            octets=0,
            seconds=7200 + 600,  # ten minutes out of the pack that ends first
            over_octets=0,
            over_seconds=0,
        )
    )
    counter.scope.session.flush()
    report = run_due(counter.scope, now=counter.at("2026-02-03 10:00:00"))
    assert report.packs_ended == 1
    assert counter.account(account).pack_seconds == 600 + 1000  # what was used, and the other pack


@pytest.mark.parametrize("busy", ["account", "due row"])
def test_who_is_being_worked_on_keeps_his_due_row(database: Database, shop: TenantRef, busy: str) -> None:
    with tenant_scope(database, shop) as scope:
        counter = Counter(scope)
        account, month = counter.open("2M month", "2026-01-31 10:00:00"), counter.plan("2M month")
        now = counter.at("2026-02-28 10:00:00")
    with tenant_scope(database, shop) as first:
        if busy == "account":
            buy(first, Buy(account, month), actor=OWNER, now=now)
        else:
            run_due(first, now=now)
        with tenant_scope(database, shop) as second:
            assert run_due(second, now=now).expired == 0
    with tenant_scope(database, shop) as scope:
        assert run_due(scope, now=now).expired == 0  # renewed, or handled


def test_a_plan_that_is_no_longer_sold_ends(counter: Counter) -> None:
    from tenants.catalog.models import Plan

    account = counter.open("2M prepaid", "2026-01-31 10:00:00")
    counter.run(top_up, TopUp(account, Decimal(120)), "2026-02-01 10:00:00")
    plan = counter.scope.session.get_one(Plan, counter.plan("2M prepaid"))
    plan.deleted_at = counter.at("2026-02-02 00:00:00")
    report = run_due(counter.scope, now=counter.at("2026-02-28 10:00:00"))
    assert (report.renewed, report.expired) == (0, 1)
    with pytest.raises(BusinessError):
        counter.buy(account, "2M prepaid", "2026-03-01 10:00:00")
