"""A crash at any statement of any operation leaves either nothing or all (issue 3)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Connection, event, func, select, text

from infra.db import Database, schema_name
from infra.driver import DriverConnection, Row
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.billing.add_pack import AddPack, add_pack
from tenants.billing.buy import Buy, buy
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.close import Close, close
from tenants.billing.disable import Disable, disable
from tenants.billing.due import run_due
from tenants.billing.enable import Enable, enable
from tenants.billing.first_login import activate
from tenants.billing.hold import Hold, hold
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.move import Move, move
from tenants.billing.open_account import OpenAccount, open_account
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.refund import Refund, refund
from tenants.billing.resume import Resume, resume
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.settle import Settle, settle
from tenants.billing.top_up import TopUp, top_up
from tenants.subscribers.create_account import CreateAccount
from tests.fixtures.billing import OWNER, Counter

START, NOW = "2026-01-31 10:00:00", "2026-02-05 10:00:00"
Work = Callable[[TenantScope, datetime], object]


class Crash(Exception):
    """The process died here."""


def everything(database: Database, tenant: TenantRef) -> dict[str, Any]:
    """The content of every table of the tenant and of its rows in the shared schemas."""
    found: dict[str, Any] = {}
    with database.owner_connection() as connection:
        schema = schema_name(tenant.id)
        tables = connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = :s"), {"s": schema}
        ).scalars()
        for name in sorted(tables):
            found[name] = _rows(connection, f"{schema}.{name} t")
        for name in ("aaa.subscriber", "aaa.quota_use", "work.due", "work.outbox"):
            found[name] = _rows(connection, f"{name} t WHERE tenant_id = {tenant.id}")
    return found


def _rows(connection: Connection, source: str) -> list[str]:
    return sorted(connection.execute(text(f"SELECT t::text FROM {source}")).scalars())


def run_and_die_after(database: Database, tenant: TenantRef, work: Work, now: datetime, statements: int) -> bool:
    """Run the unit of work, dying after so many statements; True when it came to its end before that."""
    seen = 0

    def count(*_arguments: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > statements:
            raise Crash

    def ask_and_count(driver: DriverConnection, statement: str, values: Sequence[str | None]) -> list[Row]:
        rows = ask(driver, statement, values)
        count()
        return rows

    engine, ask = database.engine(tenant.cell), DriverConnection.ask
    event.listen(engine, "after_cursor_execute", count)
    try:
        with mock.patch.object(DriverConnection, "ask", ask_and_count), tenant_scope(database, tenant) as scope:
            work(scope, now)
    except Crash:
        return False
    finally:
        event.remove(engine, "after_cursor_execute", count)
    return True


def _prepare_nothing(counter: Counter, account: int) -> None:
    return None


def _prepare_arrears(counter: Counter, account: int) -> None:
    counter.buy(account, "2M month", "2026-02-01 10:00:00", method="arrears")


def _prepare_hold(counter: Counter, account: int) -> None:
    counter.run(hold, Hold(account), "2026-02-01 10:00:00")


def _prepare_disabled(counter: Counter, account: int) -> None:
    counter.run(disable, Disable(account), "2026-02-01 10:00:00")


def _prepare_balance(counter: Counter, account: int) -> None:
    counter.run(top_up, TopUp(account, Decimal(500)), "2026-02-01 10:00:00")


CASES: dict[str, tuple[str, Callable[[Counter, int], None], Callable[[Counter, int], Work]]] = {
    "open": (
        "2M month",
        _prepare_nothing,
        lambda c, a: (
            lambda s, n: open_account(
                s,
                OpenAccount(CreateAccount("new", "pw"), c.plan("2M month"), install_fee=Decimal(9)),
                actor=OWNER,
                now=n,
            )
        ),
    ),
    "buy": (
        "2M month",
        _prepare_nothing,
        lambda c, a: lambda s, n: buy(s, Buy(a, c.plan("2M month")), actor=OWNER, now=n, key="k"),
    ),
    "buy on arrears": (
        "2M month",
        _prepare_nothing,
        lambda c, a: lambda s, n: buy(s, Buy(a, c.plan("2M month"), method="arrears"), actor=OWNER, now=n),
    ),
    "change-plan": (
        "2M month",
        _prepare_balance,
        lambda c, a: (
            lambda s, n: change_plan(s, ChangePlan(a, c.plan("3M month"), method="balance"), actor=OWNER, now=n)
        ),
    ),
    "manual": (
        "2M month",
        _prepare_nothing,
        lambda c, a: (
            lambda s, n: manual_change(s, ManualChange(a, c.plan("3M month"), amount=Decimal(-1)), actor=OWNER, now=n)
        ),
    ),
    "top-up": (
        "2M month",
        _prepare_arrears,
        lambda c, a: lambda s, n: top_up(s, TopUp(a, Decimal(70)), actor=OWNER, now=n),
    ),
    "move": (
        "2M month",
        _prepare_nothing,
        lambda c, a: lambda s, n: move(s, Move(a, fee=Decimal(5), new_username="moved"), actor=OWNER, now=n),
    ),
    "refund": ("2M month", _prepare_balance, lambda c, a: lambda s, n: refund(s, Refund(a), actor=OWNER, now=n)),
    "close": ("2M month", _prepare_balance, lambda c, a: lambda s, n: close(s, Close(a), actor=OWNER, now=n)),
    "hold": ("2M month", _prepare_nothing, lambda c, a: lambda s, n: hold(s, Hold(a, Decimal(3)), actor=OWNER, now=n)),
    "resume": ("2M month", _prepare_hold, lambda c, a: lambda s, n: resume(s, Resume(a), actor=OWNER, now=n)),
    "pay-arrears": (
        "2M month",
        _prepare_arrears,
        lambda c, a: lambda s, n: pay_arrears(s, PayArrears(a), actor=OWNER, now=n),
    ),
    "pay by changing": (
        "2M month",
        _prepare_arrears,
        lambda c, a: lambda s, n: pay_arrears(s, PayArrears(a, plan_id=c.plan("2M quarter")), actor=OWNER, now=n),
    ),
    "cancel-arrears": (
        "2M month",
        _prepare_arrears,
        lambda c, a: lambda s, n: cancel_arrears(s, CancelArrears(a), actor=OWNER, now=n),
    ),
    "disable": ("2M month", _prepare_nothing, lambda c, a: lambda s, n: disable(s, Disable(a), actor=OWNER, now=n)),
    "enable": ("2M month", _prepare_disabled, lambda c, a: lambda s, n: enable(s, Enable(a), actor=OWNER, now=n)),
    "reverse": ("2M month", _prepare_arrears, lambda c, a: lambda s, n: reverse(s, Reverse(a), actor=OWNER, now=n)),
    "add-pack": (
        "10 GB",
        _prepare_nothing,
        lambda c, a: (
            lambda s, n: add_pack(s, AddPack(a, octets=2**30, price=Decimal(3), validity_days=5), actor=OWNER, now=n)
        ),
    ),
    "settle": (
        "2M month",
        _prepare_nothing,
        lambda c, a: lambda s, n: settle(s, Settle(OWNER.id, n), actor=OWNER, now=n),
    ),
    "due renewal": (
        "2M prepaid",
        _prepare_balance,
        lambda c, a: lambda s, n: run_due(s, now=c.at("2026-03-15 10:00:00")),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_crash_leaves_nothing_or_all(name: str, database: Database, shop: TenantRef) -> None:
    plan, prepare, build = CASES[name]
    with tenant_scope(database, shop) as scope:
        counter = Counter(scope)
        account = counter.open(plan, START)
        prepare(counter, account)
        work, now = build(counter, account), counter.at(NOW)
        counter.plan("2M quarter"), counter.plan("3M month")
    before = everything(database, shop)
    points = 0
    while not run_and_die_after(database, shop, work, now, points):
        assert everything(database, shop) == before, f"something stayed after statement {points + 1}"
        points += 1
        assert points < 200
    assert points >= 2  # the load, the booking; more where an operation asks for more
    assert everything(database, shop) != before
    with tenant_scope(database, shop) as scope:
        assert check_ledger(scope).findings == []


def test_crash_during_activation(database: Database, shop: TenantRef) -> None:
    with tenant_scope(database, shop) as scope:
        counter = Counter(scope)
        account = counter.open("2M month", START, start="first-login")
        now = counter.at(NOW)
    before, points = everything(database, shop), 0
    while not run_and_die_after(database, shop, lambda s, n: activate(s, account, accepted_at=n, now=n), now, points):
        assert everything(database, shop) == before
        points += 1
    assert points >= 2  # the load, the booking; more where an operation asks for more


def test_a_number_that_was_taken_by_a_crash_is_given_again(database: Database, shop: TenantRef) -> None:
    from tenants.billing.models import Order

    with tenant_scope(database, shop) as scope:
        counter = Counter(scope)
        account, now = counter.open("2M month", START), counter.at(NOW)
        month = counter.plan("2M month")
    for statements in (1, 9, 1, 1, 9):  # dies with the booking done, or not at all
        run_and_die_after(database, shop, lambda s, n: buy(s, Buy(account, month), actor=OWNER, now=n), now, statements)
    with tenant_scope(database, shop) as scope:
        numbers = [int(n[-6:]) for n in scope.session.scalars(select(Order.number).order_by(Order.id))]
        assert len(numbers) == 3  # the opening and the two that were not cut short
        assert numbers == list(range(1, len(numbers) + 1))
        assert scope.session.scalar(select(func.count()).select_from(Order)) == len(numbers)
