"""The fixed address that is learned from the next session, by the jobs that run it (SUB-8)."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from infra import clock
from infra.db import MAIN_CELL, Database
from infra.outbox import DueRow, OutboxRow, emit
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.access.models import Subscriber
from tenants.audit.models import AuditEntry
from tenants.subscribers.address_wish import LEARN_ADDRESS, wants_address
from tenants.subscribers.bind import Unbind, unbind
from tenants.subscribers.edit_account import EditAccount, edit_account
from tenants.subscribers.models import Account
from tenants.usage.models import PlaceLogin
from tenants.usage.models import Session as OnlineSession
from tests.fixtures.accounts import OWNER, go_online, open_one, sell
from tests.fixtures.tenants import MakeTenant
from workers.context import Context
from workers.jobs.deliver import deliver
from workers.jobs.run_due import run_due

LEARN = {"static_ip": "learn"}


class Isp:
    """One provider with an account, seen from several transactions."""

    def __init__(self, database: Database, tenant: TenantRef) -> None:
        self.database, self.tenant = database, tenant
        with self.scope() as scope:
            self.plan = sell(scope)
        self.alice = self.open("alice")

    def scope(self) -> AbstractContextManager[TenantScope]:
        return tenant_scope(self.database, self.tenant)

    def open(self, name: str, **fields: Any) -> int:
        with self.scope() as scope:
            return open_one(scope, name, self.plan, **fields)

    def wish(self) -> None:
        with self.scope() as scope:
            edit_account(scope, EditAccount(self.alice, LEARN), actor=OWNER, now=clock.now())

    def expire(self, at: datetime) -> None:
        with self.scope() as scope:
            scope.session.execute(update(Account).where(Account.id == self.alice).values(expires_at=at))

    def start(self, session_id: str = "s1", *, at: datetime | None = None, **more: Any) -> None:
        with self.scope() as scope:
            go_online(scope, self.alice, session_id, at=at, **more)

    def log_in(self) -> None:
        """What the cluster tells of a login, delivered."""
        payload = {"account_id": self.alice, "mac": "aa:bb:cc:00:00:01", "port": "eth 1", "nas_id": 1}
        with self.scope() as scope:
            emit(scope.session, scope.tenant_id, "account.bind", payload)
            scope.session.flush()
            row = scope.session.scalars(select(OutboxRow).order_by(OutboxRow.id.desc()).limit(1)).one()
            row.state, row_id = "taken", row.id
        assert deliver(self.tenant.id, row_id, MAIN_CELL) == "done"

    def look(self) -> None:
        """Let the due row's instant come, if there is one."""
        with self.scope() as scope:
            scope.session.execute(
                update(DueRow)
                .where(DueRow.tenant_id == scope.tenant_id, DueRow.kind == LEARN_ADDRESS)
                .values(run_at=clock.now())
            )
        assert run_due(self.tenant.id, "first_login")["failed"] == 0

    def pause(self) -> float | None:
        """Seconds until the next look."""
        with self.scope() as scope:
            ours = (DueRow.tenant_id == scope.tenant_id, DueRow.kind == LEARN_ADDRESS)
            at = scope.session.scalar(select(DueRow.run_at).where(*ours))
        return None if at is None else (at - clock.now()).total_seconds()

    def fixed(self) -> tuple[str, str]:
        """The account's address, and what the cluster leads him to."""
        with self.scope() as scope:
            account = scope.session.get_one(Account, self.alice)
            known = select(Subscriber).where(
                Subscriber.tenant_id == scope.tenant_id, Subscriber.account_id == self.alice
            )
            row = scope.session.scalars(known).one()
            assert row.bind_options == account.bind_options
            return str(account.static_ip or ""), str(row.static_ip or "")

    def wishes(self) -> bool:
        with self.scope() as scope:
            return wants_address(scope.session.get_one(Account, self.alice).bind_options)

    def entries(self, action: str) -> list[Any]:
        with self.scope() as scope:
            return list(scope.session.scalars(select(AuditEntry.after).where(AuditEntry.action == action)))


@pytest.fixture
def isp(job_context: Context, database: Database, tenant: TenantRef) -> Isp:
    return Isp(database, tenant)


def test_the_next_sessions_address_becomes_the_fixed_one(isp: Isp) -> None:
    isp.start("old", at=clock.now() - timedelta(minutes=5), framed_ip="10.0.0.1")
    isp.log_in()
    assert isp.pause() is None  # nobody who has no wish is looked at
    isp.wish()
    isp.look()
    assert isp.fixed() == ("", "")  # what was open before does not count
    isp.log_in()
    isp.start("new", framed_ip="10.0.0.2")
    for _ in range(2):
        isp.look()
        assert isp.fixed() == ("10.0.0.2", "10.0.0.2")
        assert isp.pause() is None
        assert isp.entries("account.bind") == [{"static_ip": "10.0.0.2"}]
    assert not isp.wishes()  # its logins are decided the short way again
    isp.log_in()
    assert isp.pause() is None
    assert isp.fixed() == ("10.0.0.2", "10.0.0.2")


def test_who_was_dialling_at_the_wish_needs_no_other_login(isp: Isp) -> None:
    isp.wish()
    isp.start(framed_ip="10.0.0.3")
    isp.look()
    assert isp.fixed()[0] == "10.0.0.3"


def test_the_address_of_the_place_for_expired_accounts_is_not_taken(isp: Isp) -> None:
    isp.wish()
    isp.expire(clock.now() - timedelta(minutes=1))
    isp.start(framed_ip="10.9.0.3")
    isp.look()
    assert isp.fixed() == ("", "")
    isp.expire(clock.now() + timedelta(days=30))  # renewed: the router is asked to end that session
    with isp.scope() as scope:
        ours = OnlineSession.tenant_id == scope.tenant_id
        scope.session.execute(update(OnlineSession).where(ours).values(cut_requested_at=clock.now()))
    isp.look()
    assert isp.fixed() == ("", "")
    isp.start("s2", framed_ip="10.0.0.3")
    isp.look()
    assert isp.fixed() == ("10.0.0.3", "10.0.0.3")


def test_the_address_of_the_place_for_accounts_that_end_soon_is_not_taken(isp: Isp) -> None:
    """Nor after the renewal, while that session goes on; the account's end says nothing of it any more then."""
    isp.wish()
    with isp.scope() as scope:
        mark = {"tenant_id": scope.tenant_id, "account_id": isp.alice, "nas_id": 1, "mac": "02:00:00:00:00:01"}
        scope.session.add(PlaceLogin(at=clock.now(), soon_seconds=86_400, **mark))
    isp.expire(clock.now() + timedelta(days=30))
    isp.start("s1", framed_ip="10.9.0.3", mac="02:00:00:00:00:01")
    isp.look()
    assert isp.fixed() == ("", "")
    isp.start("s2", framed_ip="10.0.0.3", mac="02:00:00:00:00:02")  # another device, which was led nowhere
    isp.look()
    assert isp.fixed() == ("10.0.0.3", "10.0.0.3")


def test_it_waits_for_the_start_and_for_the_address(isp: Isp) -> None:
    isp.wish()
    pauses = []
    for _ in range(8):
        isp.look()
        pauses.append(isp.pause())
    # 10, 20, 40 ... seconds, at most five minutes, and then no more without a login
    assert [round(pause or 0, -1) for pause in pauses] == [10, 20, 40, 80, 160, 300, 300, 0]
    assert pauses[-1] is None
    isp.log_in()
    isp.start()  # its address comes with the first Interim
    for _ in range(9):
        isp.look()
    assert 290 < (isp.pause() or 0) <= 300
    isp.log_in()  # he dials again and again: that puts nothing off
    assert (isp.pause() or 0) <= 10
    with isp.scope() as scope:
        scope.session.execute(
            update(OnlineSession).where(OnlineSession.account_id == isp.alice).values(framed_ip="10.0.0.4")
        )
    isp.look()
    assert isp.fixed()[0] == "10.0.0.4"


def test_an_ipv6_address_alone_is_taken_a_prefix_is_not(isp: Isp) -> None:
    isp.wish()
    wished_at = clock.now() - timedelta(minutes=20)
    with isp.scope() as scope:
        account = scope.session.get_one(Account, isp.alice)
        account.bind_options = account.bind_options | {"ip_since": wished_at.isoformat()}
        edit_account(scope, EditAccount(isp.alice, {"remark": "x"}), actor=OWNER, now=clock.now())
    isp.start("prefix", at=clock.now() - timedelta(minutes=15), framed_ipv6_prefix="2001:db8:1::/64")
    isp.start("young", framed_ipv6_prefix="2001:db8::9/128")
    isp.look()
    assert isp.fixed()[0] == ""  # the young one's IPv4 address may still come
    with isp.scope() as scope:
        scope.session.execute(
            update(OnlineSession)
            .where(OnlineSession.account_id == isp.alice, OnlineSession.session_id == "young")
            .values(started_at=clock.now() - timedelta(minutes=11))
        )
    isp.look()
    assert isp.fixed() == ("2001:db8::9", "2001:db8::9")


@pytest.mark.parametrize(
    ("address", "why"), [("10.0.0.9", "taken"), ("127.0.0.1", "implausible"), ("0.0.0.0", "implausible")]
)
def test_an_address_that_is_no_good_is_noted_once_and_the_wish_stands(isp: Isp, address: str, why: str) -> None:
    isp.open("bob", static_ip="10.0.0.9")
    isp.wish()
    isp.start("bad", framed_ip=address)
    for _ in range(2):
        isp.look()
        isp.log_in()
        assert isp.fixed() == ("", "")
    owner = "bob" if why == "taken" else ""
    assert isp.entries("account.address-not-taken") == [{"address_not_taken": address, "why_not": why, "owner": owner}]
    with isp.scope() as scope:
        scope.session.execute(
            update(OnlineSession).where(OnlineSession.account_id == isp.alice).values(framed_ip="10.0.0.10")
        )
    isp.look()
    assert isp.fixed() == ("10.0.0.10", "10.0.0.10")
    assert not isp.wishes()


@pytest.mark.parametrize(
    "forget",
    [
        lambda scope, alice: unbind(scope, Unbind(alice, "ip"), actor=OWNER, now=clock.now()),
        lambda scope, alice: unbind(scope, Unbind(alice), actor=OWNER, now=clock.now()),
        lambda scope, alice: edit_account(scope, EditAccount(alice, {"static_ip": ""}), actor=OWNER, now=clock.now()),
    ],
    ids=["one", "all", "unticked"],
)
def test_the_wish_is_forgotten(isp: Isp, forget: Any) -> None:
    isp.wish()
    with isp.scope() as scope:
        forget(scope, isp.alice)
    isp.start(framed_ip="10.0.0.5")
    isp.look()
    assert isp.fixed() == ("", "")
    assert not isp.wishes()


def test_unbinding_may_bind_again_to_what_comes_next(isp: Isp) -> None:
    with isp.scope() as scope:
        edit_account(scope, EditAccount(isp.alice, {"static_ip": "10.0.0.6"}), actor=OWNER, now=clock.now())
        unbind(scope, Unbind(isp.alice, "ip", learn_again=True), actor=OWNER, now=clock.now())
    assert isp.fixed() == ("", "")
    isp.start(framed_ip="10.0.0.7")
    isp.look()
    assert isp.fixed() == ("10.0.0.7", "10.0.0.7")


@pytest.mark.parametrize("again", [False, True])
def test_unbinding_all_leaves_an_address_that_somebody_typed(isp: Isp, again: bool) -> None:
    """Whoever has a new box keeps the address that he was promised; one that a session taught goes with the rest."""
    with isp.scope() as scope:
        typed = {"static_ip": "10.0.0.6", "bind_mac": "02:00:00:00:00:01"}
        edit_account(scope, EditAccount(isp.alice, typed), actor=OWNER, now=clock.now())
        unbind(scope, Unbind(isp.alice, learn_again=again), actor=OWNER, now=clock.now())
    assert isp.fixed() == ("10.0.0.6", "10.0.0.6")
    assert not isp.wishes()
    with isp.scope() as scope:
        assert scope.session.get_one(Account, isp.alice).bind_mac == ("learn" if again else "")
        edit_account(scope, EditAccount(isp.alice, LEARN), actor=OWNER, now=clock.now())
    isp.start(framed_ip="10.0.0.7")
    isp.look()
    with isp.scope() as scope:  # somebody saves the form without touching the address
        same = {"static_ip": "10.0.0.7", "remark": "x"}
        edit_account(scope, EditAccount(isp.alice, same), actor=OWNER, now=clock.now())
        unbind(scope, Unbind(isp.alice, learn_again=again), actor=OWNER, now=clock.now())
    assert isp.fixed() == ("", "")
    assert isp.wishes() == again
    with isp.scope() as scope:
        edit_account(scope, EditAccount(isp.alice, {"static_ip": ""}), actor=OWNER, now=clock.now())
        assert scope.session.get_one(Account, isp.alice).bind_options == {}  # decided the short way again


def test_router_and_address_are_learned_side_by_side(isp: Isp) -> None:
    with isp.scope() as scope:
        edit_account(scope, EditAccount(isp.alice, {**LEARN, "bind_nas_id": "learn"}), actor=OWNER, now=clock.now())
    isp.log_in()
    with isp.scope() as scope:
        account = scope.session.get_one(Account, isp.alice)
        assert (account.bind_nas_id, account.bind_options["learn"]) == (1, ["ip"])
    isp.start(framed_ip="10.0.0.8")
    isp.look()
    assert isp.fixed() == ("10.0.0.8", "10.0.0.8")
    assert not isp.wishes()


def test_another_providers_session_or_address_is_none_of_ours(
    isp: Isp, database: Database, make_tenant: MakeTenant
) -> None:
    """Both count their accounts from 1, so the other's session is of an account of the same number."""
    other = Isp(database, make_tenant())
    assert other.alice == isp.alice
    isp.wish()
    other.wish()
    with other.scope() as scope:
        open_one(scope, "bob", other.plan, static_ip="10.0.0.11")
    other.start("theirs", framed_ip="10.0.0.12")
    isp.look()
    assert isp.fixed() == ("", "")
    assert (other.pause() or 0) > 0  # nor is their due row ours
    isp.start("ours", framed_ip="10.0.0.11")
    isp.look()
    assert (isp.fixed()[0], other.fixed()[0]) == ("10.0.0.11", "")


def test_an_account_that_is_being_worked_on_is_looked_at_later(isp: Isp) -> None:
    isp.wish()
    isp.start(framed_ip="10.0.0.13")
    with isp.scope() as clerk:
        clerk.session.scalars(select(Account).where(Account.id == isp.alice).with_for_update()).one()
        isp.look()
        assert 0 < (isp.pause() or 0) <= 5
    isp.look()
    assert isp.fixed()[0] == "10.0.0.13"
