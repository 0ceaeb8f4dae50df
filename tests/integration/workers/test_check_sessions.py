"""Sessions that ought not to be open are found and asked to end, whatever happened while they dialled (RAD-5)."""

import random
import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import ProgrammingError

from infra import clock
from infra.db import MAIN_CELL, Database
from infra.outbox import OutboxRow, emit
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.access.models import Subscriber
from tenants.access.used_up_sql import used_up_sql
from tenants.billing.close import Close, close
from tenants.billing.disable import Disable, disable
from tenants.billing.due import run_due
from tenants.billing.enable import Enable, enable
from tenants.billing.hold import Hold, hold
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.usage.models import QuotaUse
from tenants.usage.models import Session as OnlineSession
from tenants.usage.rules_quota import WHOLE_PERIOD, Counter, left, window_of
from tests.fixtures.accounts import OWNER, go_online, open_one, sell, set_expiry
from tests.fixtures.radius import World
from tests.fixtures.tenants import MakeTenant
from workers.context import Context
from workers.jobs import sweeps


class Street:
    """One tenant's accounts, seen from several transactions at once."""

    def __init__(self, database: Database, tenant: TenantRef) -> None:
        self.database, self.tenant = database, tenant

    def scope(self) -> "Iterator[TenantScope]":
        return tenant_scope(self.database, self.tenant)

    def open(self, name: str, **more: object) -> int:
        with self.scope() as scope:
            plan = sell(scope, f"plan of {name}", **more)
            return open_one(scope, name, plan, now=clock.now() - timedelta(days=1))

    def start(self, account_id: int, session_id: str = "late", **more: object) -> None:
        """An Accounting-Start, committed."""
        with self.scope() as scope:
            known = scope.session.scalar(
                select(Subscriber.account_id).where(
                    Subscriber.tenant_id == scope.tenant_id, Subscriber.account_id == account_id
                )
            )
            row = go_online(scope, account_id, session_id, **more)
            row.account_id = known or 0  # the statement of the cluster looks the name up

    def asked(self) -> list[tuple[str, str]]:
        with self.scope() as scope:
            rows = scope.session.scalars(select(OutboxRow).where(OutboxRow.topic == "radius.disconnect"))
            return sorted((row.payload["session_id"], row.payload["reason"]) for row in rows)

    def forget(self) -> None:
        with self.scope() as scope:
            scope.session.execute(delete(OutboxRow))
            scope.session.execute(delete(OnlineSession))


@pytest.fixture
def street(job_context: Context, database: Database, tenant: TenantRef) -> Street:
    return Street(database, tenant)


@pytest.mark.parametrize(
    ("operation", "command", "reason"),
    [(disable, Disable, "disabled"), (hold, Hold, "held"), (close, Close, "closed")],
)
@pytest.mark.parametrize("committed_first", [False, True])
def test_who_began_while_he_was_shut_out(
    street: Street, operation: object, command: type, reason: str, committed_first: bool
) -> None:
    """The login was accepted; its Start comes between the operation's look at the sessions and its commit, or after."""
    account_id = street.open("alice")
    with street.scope() as booking:
        operation(booking, command(account_id), actor=OWNER, now=clock.now())
        if not committed_first:
            street.start(account_id)  # another transaction, committed before ours
    if committed_first:
        street.start(account_id)
    assert street.asked() == []  # nobody could know
    for _ in range(2):
        sweeps.check_sessions(MAIN_CELL)
        assert street.asked() == [("late", reason)]


def test_a_tenant_that_cannot_be_asked_keeps_no_other_waiting(
    job_context: Context, database: Database, make_tenant: MakeTenant, world: World
) -> None:
    broken = world.tenant()  # its schema is gone
    street = Street(database, make_tenant(f"after{secrets.token_hex(4)}"))
    account_id = street.open("alice")
    with street.scope() as scope:
        close(scope, Close(account_id), actor=OWNER, now=clock.now())
    street.start(account_id)
    begin = (
        "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at,"
        " seconds, octets_in, octets_out, packets_in, packets_out)"
        " VALUES (%s, 1, 'one', 'alice', 0, now(), now(), 0, 0, 0, 0, 0)"
    )
    world.run(begin, broken.id)
    with pytest.raises(ProgrammingError):  # the jobs page shows it
        sweeps.check_sessions(MAIN_CELL)
    assert street.asked() == [("late", "closed")]


def test_who_may_connect_is_left_alone(street: Street) -> None:
    account_id = street.open("alice")
    with street.scope() as scope:
        disable(scope, Disable(account_id), actor=OWNER, now=clock.now())
        enable(scope, Enable(account_id), actor=OWNER, now=clock.now())
    street.start(account_id)
    with street.scope() as scope:  # a user kept on the router itself
        row = go_online(scope, account_id, "local")
        row.username, row.account_id = "technician", 0
    sweeps.check_sessions(MAIN_CELL)
    sweeps.check_all_sessions(MAIN_CELL)
    assert street.asked() == []


def test_an_end_moved_into_the_past_while_he_dialled(street: Street) -> None:
    account_id, now = street.open("alice"), clock.now()
    with street.scope() as booking:
        past = ManualChange(account_id, expires_at=now - timedelta(hours=3))
        manual_change(booking, past, actor=OWNER, now=now)
        street.start(account_id)
    with street.scope() as scope:
        run_due(scope, now=clock.now())
    assert street.asked() == [("late", "expired")]  # the due row came after both
    street.forget()
    street.start(account_id, "later", at=now + timedelta(seconds=2))  # than the due row's look, too
    sweeps.check_sessions(MAIN_CELL)
    assert street.asked() == [("later", "expired")]


def test_the_place_of_expired_accounts_is_no_mistake(street: Street) -> None:
    account_id, now = street.open("alice"), clock.now()
    with street.scope() as scope:
        set_expiry(scope, account_id, now - timedelta(hours=1))
        scope.session.execute(
            Subscriber.__table__.update()
            .where(Subscriber.account_id == account_id)
            .values(updated_at=now - timedelta(minutes=30))
        )
    street.start(account_id, "walled", at=now - timedelta(minutes=2))
    sweeps.check_sessions(MAIN_CELL)
    sweeps.check_all_sessions(MAIN_CELL)
    assert street.asked() == []


def test_whose_disconnect_was_lost_is_asked_again_an_hour_later(street: Street) -> None:
    account_id, now = street.open("alice"), clock.now()
    street.start(account_id, "old", at=now - timedelta(hours=9))
    with street.scope() as scope:
        disable(scope, Disable(account_id), actor=OWNER, now=now)
    assert street.asked() == [("old", "disabled")]

    def answer(state: str, at: datetime) -> None:
        with street.scope() as scope:
            scope.session.execute(OutboxRow.__table__.update().values(state=state, created_at=at))

    answer("unanswered", now - timedelta(minutes=50))
    sweeps.check_all_sessions(MAIN_CELL)
    assert len(street.asked()) == 1
    answer("unanswered", now - timedelta(minutes=70))
    sweeps.check_sessions(MAIN_CELL)  # only what began lately
    assert len(street.asked()) == 1
    sweeps.check_all_sessions(MAIN_CELL)
    assert street.asked() == [("old", "disabled")] * 2


@pytest.mark.parametrize(("concurrency", "goes"), [("refuse", "second"), ("drop-oldest", "first")])
def test_two_devices_through_different_hosts(street: Street, concurrency: str, goes: str) -> None:
    """Neither host's table of recent Starts has seen both."""
    account_id, now = street.open("alice", max_sessions=1, concurrency=concurrency), clock.now()
    street.start(account_id, "first", nas_id=1, mac="02:00:00:00:00:01", at=now - timedelta(seconds=40))
    street.start(account_id, "second", nas_id=2, mac="02:00:00:00:00:02", at=now - timedelta(seconds=38))
    for _ in range(2):
        sweeps.check_sessions(MAIN_CELL)
        assert street.asked() == [(goes, "too_many_sessions")]


@pytest.mark.parametrize(
    ("seconds_apart", "macs", "limit"),
    [(2, ("02:00:00:00:00:01",) * 2, 1), (45, ("a", "b"), 1), (2, ("a", "b"), 2), (2, ("a", "b"), 0)],
    ids=["one device", "the login counted the first", "two allowed", "any number"],
)
def test_sessions_that_are_not_too_many(street: Street, seconds_apart: int, macs: tuple[str, str], limit: int) -> None:
    account_id, now = street.open("alice", max_sessions=limit), clock.now()
    street.start(account_id, "first", mac=macs[0], at=now - timedelta(seconds=10 + seconds_apart))
    street.start(account_id, "second", mac=macs[1], at=now - timedelta(seconds=10))
    sweeps.check_sessions(MAIN_CELL)
    assert street.asked() == []


def use_up(street: Street, account_id: int, octets: int, *, days_ago: int = 0) -> None:
    """What the reports of other sessions say was used on a day of the tenant's calendar."""
    with street.scope() as scope:
        day = clock.now().astimezone(scope.zone).date() - timedelta(days=days_ago)
        statement = text("SELECT aaa.count_quota(:tenant, :account, :day, :octets, 0)")
        values = {"tenant": scope.tenant_id, "account": account_id, "day": day, "octets": octets}
        scope.session.execute(statement, values)


def metered(street: Street, name: str, **more: object) -> int:
    """An account with 1 GB a day."""
    return street.open(name, kind="traffic-per-day", quota_octets=10**9, **more)


def test_who_began_as_the_quota_ended(street: Street) -> None:
    """The login was accepted, the report of his other session used the quota up, then came the Start."""
    account_id = metered(street, "alice")
    use_up(street, account_id, 10**9 - 1)
    street.start(account_id, "early")
    sweeps.check_sessions(MAIN_CELL)
    assert street.asked() == []  # an octet is left
    use_up(street, account_id, 1)
    assert street.asked() == [("early", "quota")]
    street.start(account_id)
    for _ in range(2):
        sweeps.check_sessions(MAIN_CELL)
        sweeps.check_all_sessions(MAIN_CELL)
        assert street.asked() == [("early", "quota"), ("late", "quota")]


def test_a_new_day_or_a_pack_leaves_him_online(street: Street) -> None:
    yesterday, packed, over = (metered(street, name) for name in ("yesterday", "packed", "over"))
    use_up(street, yesterday, 2 * 10**9, days_ago=1)
    for account_id in (packed, over):
        use_up(street, account_id, 10**9)
    with street.scope() as scope:
        scope.session.execute(
            update(Subscriber).where(Subscriber.account_id == packed).values(pack_octets=10**9, updated_at=clock.now())
        )
        set_expiry(scope, over, clock.now() - timedelta(hours=1))  # and led to the place for expired accounts
        scope.session.execute(
            update(Subscriber)
            .where(Subscriber.account_id == over)
            .values(updated_at=clock.now() - timedelta(minutes=30))
        )
    street.forget()
    for account_id in (yesterday, packed, over):
        street.start(account_id, str(account_id))
    sweeps.check_sessions(MAIN_CELL)
    sweeps.check_all_sessions(MAIN_CELL)
    assert street.asked() == []


def test_who_began_as_the_quota_ended_is_slowed_down_where_the_plan_says_so(street: Street) -> None:
    """A login after that is slow by itself: it is not asked about."""
    slow = {"throttle_up_bps": 10**6, "throttle_down_bps": 10**6}
    account_id = metered(street, "alice", quota_end="throttle", **slow)
    use_up(street, account_id, 10**9)
    street.start(account_id)
    for _ in range(2):
        sweeps.check_sessions(MAIN_CELL)
        assert street.asked() == []
        with street.scope() as scope:
            rows = scope.session.scalars(select(OutboxRow).where(OutboxRow.topic == "radius.coa")).all()
            assert [(row.payload["session_id"], row.payload["reason"]) for row in rows] == [("late", "quota")]
    street.forget()
    with street.scope() as scope:
        emit(scope.session, scope.tenant_id, "account.quota", {"percent": 100}, subject=f"account:{account_id}")
        scope.session.flush()
        scope.session.execute(update(OutboxRow).values(created_at=clock.now() - timedelta(minutes=2)))
    street.start(account_id, "slow")
    sweeps.check_sessions(MAIN_CELL)
    with street.scope() as scope:
        assert scope.session.scalars(select(OutboxRow).where(OutboxRow.topic == "radius.coa")).all() == []


def test_a_quota_is_used_up_by_the_rule(street: Street) -> None:
    """The condition of the sweeps, the rule of the login, and what was counted."""
    account_id, chance = metered(street, "alice"), random.Random(7)
    asked = text(
        f"SELECT {used_up_sql('CAST(:day AS date)')} FROM aaa.subscriber u LEFT JOIN aaa.quota_use q"
        " ON q.tenant_id = u.tenant_id AND q.account_id = u.account_id WHERE u.account_id = :account"
    )
    seen = set()
    with street.scope() as scope:
        for _ in range(300):
            kind, day = chance.choice((1, 2, 3)), date(2026, 3, 31)
            facts = {
                f"{side}_{unit}": chance.randrange(4) for side in ("quota", "pack") for unit in ("octets", "seconds")
            }
            none = chance.choice(("", "quota_octets", "quota_seconds"))
            facts |= {"quota_kind": kind, "quota_epoch": chance.choice((1, 2))} | ({none: None} if none else {})
            scope.session.execute(update(Subscriber).where(Subscriber.account_id == account_id).values(**facts))
            window = chance.choice((WHOLE_PERIOD, date(2026, 3, 1), day, date(2026, 3, 30)))
            counted = {f"{side}{unit}": chance.randrange(5) for side in ("", "over_") for unit in ("octets", "seconds")}
            use = QuotaUse(tenant_id=scope.tenant_id, account_id=account_id, epoch=1, window_on=window, **counted)
            scope.session.merge(use)
            scope.session.flush()
            at = datetime(2026, 3, 31, 4, tzinfo=UTC)  # noon in China
            lefts = [
                left(
                    Counter(1, window, counted[unit], counted[f"over_{unit}"]), facts["quota_epoch"],
                    window_of(kind, at, ZoneInfo("Asia/Shanghai")), facts[f"quota_{unit}"], facts[f"pack_{unit}"],
                )
                for unit in ("octets", "seconds")
                if facts[f"quota_{unit}"] is not None
            ]  # fmt: skip
            found = scope.session.execute(asked, {"day": day, "account": account_id}).scalar_one()
            assert found is (0 in lefts), (facts, counted, window)
            seen.add(found)
    assert seen == {True, False}
