"""What a booking means for who is online: out of the expired pool, a new rate, no time-out before a renewal."""

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, update

from infra import clock
from infra.outbox import OutboxRow
from tenants.access.models import Profile, Subscriber
from tenants.access.project import project_account
from tenants.billing.add_pack import AddPack, add_pack
from tenants.billing.auto_renew import SetAutoRenew, set_auto_renew
from tenants.billing.due import run_due
from tenants.billing.hold import Hold, hold
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.resume import Resume, resume
from tenants.billing.top_up import TopUp, top_up
from tenants.usage.models import PlaceLogin, QuotaUse
from tenants.usage.rules_quota import WHOLE_PERIOD
from tests.fixtures.accounts import force
from tests.fixtures.billing import Counter


def asked(counter: Counter) -> list[tuple[str, str, str]]:
    """(topic, session, reason) of what the routers are asked since the last look."""
    ours = [OutboxRow.tenant_id == counter.scope.tenant_id, OutboxRow.topic.startswith("radius.")]
    rows = counter.scope.session.scalars(select(OutboxRow).where(*ours, OutboxRow.state == "waiting")).all()
    found = sorted((row.topic[7:], row.payload["session_id"], row.payload["reason"]) for row in rows)
    counter.scope.session.execute(update(OutboxRow).where(*ours).values(state="done"))
    return found


def renews(counter: Counter, account: int) -> bool:
    flag = counter.scope.session.scalar(
        select(Subscriber.renews).where(
            Subscriber.tenant_id == counter.scope.tenant_id, Subscriber.account_id == account
        )
    )
    assert flag is not None
    return flag


def test_renewing_ends_the_session_in_the_expired_pool(counter: Counter) -> None:
    account = counter.open("2M month", "2026-01-01 10:00:00")
    counter.go_online(account, "2026-01-20 10:00:00", "before")  # has its real address; its Disconnect got lost
    counter.go_online(account, "2026-02-03 10:00:00", "walled")  # let in as expired
    counter.buy(account, "2M month", "2026-02-03 11:00:00")
    assert asked(counter) == [("disconnect", "walled", "renewed")]
    counter.buy(account, "2M month", "2026-02-04 11:00:00")  # was not over
    assert asked(counter) == []


def test_paying_arrears_ends_the_session_in_the_expired_pool(counter: Counter) -> None:
    account = counter.open("2M month", "2026-01-01 10:00:00")
    counter.buy(account, "2M month", "2026-01-31 10:00:00", method="arrears")  # may connect until 4 February 10:00
    counter.go_online(account, "2026-02-03 10:00:00", "allowed")
    counter.go_online(account, "2026-02-05 10:00:00", "walled")
    counter.run(pay_arrears, PayArrears(account), "2026-02-05 11:00:00")
    assert asked(counter) == [("disconnect", "walled", "renewed")]


def test_another_plan_or_more_quota_reaches_who_is_online(counter: Counter) -> None:
    account = counter.open("2M month", "2026-01-01 10:00:00")
    counter.go_online(account, "2026-01-30 10:00:00")
    counter.buy(account, "3M month", "2026-01-31 10:00:00")  # inside the not-a-change window
    assert asked(counter) == [("coa", "s1", "plan_changed")]
    limited = counter.open("10 GB", "2026-01-01 10:00:00")
    counter.go_online(limited, "2026-01-30 10:00:00", "s2")
    counter.run(add_pack, AddPack(limited, counter.plan("10 GB")), "2026-01-30 11:00:00")
    assert asked(counter) == [("coa", "s2", "plan_changed")]


def test_a_pack_that_ends_with_nothing_left_reaches_who_is_online(counter: Counter) -> None:
    account = counter.open("100 hours", "2026-01-30 10:00:00")
    for days in (1, 2):
        pack = AddPack(account, seconds=3600, validity_days=days)
        counter.run(add_pack, pack, "2026-01-30 11:00:00")
    counter.go_online(account, "2026-01-30 12:00:00", "long")
    counted = {"epoch": counter.account(account).quota_epoch, "window_on": WHOLE_PERIOD, "over_octets": 0}
    use = QuotaUse(tenant_id=counter.scope.tenant_id, account_id=account, octets=0, over_seconds=0, **counted)
    use.seconds = 100 * 3600
    counter.scope.session.add(use)
    counter.scope.session.flush()
    run_due(counter.scope, now=counter.at("2026-01-31 11:00:01"))
    assert asked(counter) == []  # there is another hour
    run_due(counter.scope, now=counter.at("2026-02-01 11:00:01"))
    assert asked(counter) == [("coa", "long", "pack_ended")]  # of which the cluster makes a disconnect


def test_nobody_who_has_the_money_is_timed_out_at_his_expiry(counter: Counter) -> None:
    account = counter.open("2M prepaid", "2026-01-01 10:00:00")
    assert not renews(counter, account)
    counter.run(top_up, TopUp(account, Decimal("49.99")), "2026-01-02 10:00:00")
    assert not renews(counter, account)
    counter.run(top_up, TopUp(account, Decimal("0.01")), "2026-01-03 10:00:00")
    assert renews(counter, account)
    counter.run(top_up, TopUp(account, Decimal("-1")), "2026-01-04 10:00:00")  # taken out again
    assert not renews(counter, account)
    counter.run(top_up, TopUp(account, Decimal("50")), "2026-01-05 10:00:00")
    counter.go_online(account, "2026-01-31 10:00:00")
    report = run_due(counter.scope, now=counter.at("2026-02-01 10:00:01"))
    assert (report.renewed, report.expired) == (1, 0)
    assert asked(counter) == []  # he stays on
    assert not renews(counter, account)  # the rest does not cover March


def test_a_renewal_that_comes_late_ends_the_sessions_in_the_expired_pool(counter: Counter) -> None:
    account, other = (counter.open("2M prepaid", f"2026-01-01 {hour}:00:00") for hour in (10, 12))
    for one in (account, other):
        counter.run(top_up, TopUp(one, Decimal("60")), "2026-01-02 10:00:00")
    counter.go_online(account, "2026-02-01 10:10:00", "grace")  # he has the money: let in as usual
    counter.go_online(account, "2026-02-01 10:20:00", "walled")  # the worker is dead
    counter.go_online(other, "2026-02-01 10:30:00", "running")
    run_due(counter.scope, now=counter.at("2026-02-01 12:30:00"))
    assert asked(counter) == [("disconnect", "walled", "renewed")]


def test_auto_renewal_counts_from_the_moment_it_is_switched_on(counter: Counter) -> None:
    account = counter.open("2M month", "2026-01-01 10:00:00")
    counter.run(top_up, TopUp(account, Decimal("100")), "2026-01-02 10:00:00")
    assert not renews(counter, account)
    counter.run(set_auto_renew, SetAutoRenew(account, True), "2026-01-03 10:00:00")
    assert renews(counter, account)
    counter.run(hold, Hold(account), "2026-01-04 10:00:00")
    assert not renews(counter, account)
    counter.run(resume, Resume(account), "2026-01-05 10:00:00")
    assert renews(counter, account)
    run_due(counter.scope, now=counter.at("2026-02-02 10:00:01"))
    assert renews(counter, account)  # 50 are left: February is covered, and March


def test_a_renewal_in_advance_moves_the_time_out_of_who_is_online(counter: Counter) -> None:
    """His router would end the session at the expiry that he was let in with."""
    account = counter.open("2M month", "2026-01-01 10:00:00")  # until 1 February 10:00
    counter.go_online(account, "2026-01-31 20:00:00", "last evening")
    counter.go_online(account, "2026-01-31 09:00:00", "a day's")  # ends after a day, before the expiry
    counter.buy(account, "2M month", "2026-01-31 21:00:00")
    assert asked(counter) == [("coa", "last evening", "end_moved")]
    counter.buy(account, "2M month", "2026-01-31 22:00:00")
    assert asked(counter) == []  # it is a day from its beginning already


def test_money_for_the_next_period_moves_the_time_out(counter: Counter) -> None:
    account = counter.open("2M prepaid", "2026-01-01 10:00:00")
    counter.go_online(account, "2026-01-31 20:00:00", "s1")
    counter.run(top_up, TopUp(account, Decimal("50")), "2026-01-31 21:00:00")
    assert asked(counter) == [("coa", "s1", "end_moved")]
    run_due(counter.scope, now=counter.at("2026-02-01 10:00:01"))
    assert asked(counter) == []  # renewed: he was not to be timed out


def test_an_expiry_brought_forward_moves_the_time_out(counter: Counter) -> None:
    account = counter.open("2M month", "2026-01-31 10:00:00")
    counter.go_online(account, "2026-01-31 20:00:00", "s1")
    force(counter.scope, account, expires_at=counter.at("2026-02-01 02:00:00"))
    project_account(counter.scope, account)
    assert asked(counter) == [("coa", "s1", "end_moved")]


def test_where_sessions_last_for_ever_every_renewal_moves_the_time_out(counter: Counter) -> None:
    counter.setting("max_session_seconds", "0")
    account = counter.open("2M month", "2026-01-01 10:00:00")
    counter.go_online(account, "2026-01-02 10:00:00", "s1")
    counter.buy(account, "2M month", "2026-01-03 10:00:00")
    counter.buy(account, "2M month", "2026-01-03 11:00:00")
    assert asked(counter) == [("coa", "s1", "end_moved")]  # the second waits in the first


def led_to_place(counter: Counter, account: int, at: datetime, soon_seconds: int) -> None:
    """A login that the cluster led to a place for accounts that end within so many seconds."""
    mark = {"tenant_id": counter.scope.tenant_id, "account_id": account, "nas_id": 1, "mac": "", "at": at}
    counter.scope.session.merge(PlaceLogin(soon_seconds=soon_seconds, **mark))
    counter.scope.session.flush()


def test_renewing_ends_the_session_in_the_place_for_accounts_that_end_soon(counter: Counter) -> None:
    """It would keep that place's pool, speed and redirection until the device dials again."""
    now = clock.now()
    opened, began = counter.local(now - timedelta(days=26)), now - timedelta(hours=2)
    plain, walled, still, money = (counter.open(plan, opened) for plan in ("2M month",) * 3 + ("2M prepaid",))
    for account in (plain, walled, still, money):
        counter.go_online(account, counter.local(began), f"s{account}")
    for account, days in ((walled, 7), (still, 60), (money, 7)):
        led_to_place(counter, account, began, days * 86_400)
    for account in (plain, walled, still):
        counter.buy(account, "2M month", counter.local(now))
    assert asked(counter) == [("disconnect", f"s{walled}", "renewed")]  # the third ends within sixty days as before
    counter.run(top_up, TopUp(money, Decimal("50")), counter.local(now))  # renews by itself from now on
    assert asked(counter) == [("disconnect", f"s{money}", "renewed")]
    # A login before or after that one was led nowhere.
    for minutes, name in ((-10, "before"), (10, "after")):
        counter.go_online(walled, counter.local(began + timedelta(minutes=minutes)), name)
    force(counter.scope, walled, expires_at=now + timedelta(days=3))
    project_account(counter.scope, walled)
    asked(counter)
    counter.buy(walled, "2M month", counter.local(now))
    assert asked(counter) == [("disconnect", f"s{walled}", "renewed")]


def test_another_plan_names_the_routers_service_that_was(counter: Counter) -> None:
    account = counter.open("2M month", "2026-01-01 10:00:00")
    counter.scope.session.execute(
        update(Profile).where(Profile.tenant_id == counter.scope.tenant_id).values(options={"service": "rate(2m)"})
    )
    counter.go_online(account, "2026-01-31 20:00:00")
    counter.buy(account, "3M month", "2026-01-31 21:00:00")
    payloads = counter.scope.session.scalars(
        select(OutboxRow.payload).where(OutboxRow.tenant_id == counter.scope.tenant_id).order_by(OutboxRow.id)
    )
    assert [(payload["reason"], payload.get("previous_service")) for payload in payloads] == [
        ("plan_changed", "rate(2m)"),
        ("end_moved", None),
    ]
