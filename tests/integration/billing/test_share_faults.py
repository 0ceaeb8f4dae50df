"""Shared units of work whose connection, answer or leader is lost: nothing is booked twice, nobody waits for ever."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from infra.db import Database
from infra.driver import DriverConnection, Row
from infra.tenant_scope import TenantRef, TenantScope
from tenants.billing import share
from tenants.billing.buy import Buy, buy
from tenants.billing.check import check_ledger
from tenants.billing.models import Order
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.share import Sharing
from tenants.billing.top_up import TopUp, top_up
from tests.fixtures.billing import OWNER
from tests.fixtures.sharing import (
    AT,
    Job,
    look,
    numbers,
    occupied,
    outcome_of,
    release,
    seen_units,
    together,
    wait_until,
)


class Lost(OperationalError):
    """The connection goes."""

    def __init__(self) -> None:
        super().__init__("", None, Exception("lost"))


@pytest.mark.parametrize("statement", [0, 1, 2, 3, 4])
def test_a_unit_that_fails_is_undone_and_each_is_tried_by_himself(
    database: Database, shop: TenantRef, accounts: list[int], month: int, statement: int
) -> None:
    """It dies after the load, the orders, the routers' requests, the booking, or does not reach the last one."""
    seen, ask = 0, DriverConnection.ask

    def die_once(driver: DriverConnection, sql: str, values: Sequence[str | None]) -> list[Row]:
        nonlocal seen
        rows = ask(driver, sql, values)
        seen += 1
        if seen == statement + 1:
            raise Lost
        return rows

    jobs: list[Job] = [(buy, Buy(accounts[0], month), None), (reverse, Reverse(accounts[1]), None)]
    with mock.patch.object(DriverConnection, "ask", die_once), seen_units() as units:
        outcomes = together(database, shop, jobs)
    assert units == [(shop.id, 2)] + ([(shop.id, 1)] * 2 if statement < 4 else [])
    assert sorted(numbers(outcomes)) == [6, 7]
    assert look(database, shop, lambda c: c.scope.session.scalar(select(func.count()).select_from(Order))) == 7
    assert look(database, shop, lambda c: check_ledger(c.scope).findings) == []


def test_after_a_commit_that_failed_only_those_with_a_key_are_tried_again(
    database: Database, shop: TenantRef, accounts: list[int], month: int
) -> None:
    """The server committed and its answer was lost: the key finds what was booked; without it nobody tries again."""
    commit, lost = TenantScope.commit, iter([True])

    def commit_and_lose(scope: TenantScope) -> None:
        commit(scope)
        if next(lost, False):
            raise Lost

    jobs: list[Job] = [(buy, Buy(accounts[0], month), "k"), (top_up, TopUp(accounts[1], Decimal(5)), None)]
    now = look(database, shop, lambda counter: counter.at(AT))
    sharing = Sharing(database)
    with occupied(sharing, shop), ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(outcome_of, sharing, shop, job, now) for job in jobs]
        wait_until(lambda: len(sharing._lines[shop.id].waiting) == 2)
        with mock.patch.object(TenantScope, "commit", commit_and_lose):
            release(sharing, shop)
            bought, paid = [future.result(30) for future in futures]
    assert bought.replayed  # type: ignore[attr-defined]
    assert isinstance(paid, Lost)
    assert look(database, shop, lambda c: c.balance(accounts[1])) == "5.00"  # it had been, once


def test_a_leader_who_dies_leaves_nobody_waiting(
    database: Database, shop: TenantRef, accounts: list[int], month: int
) -> None:
    real, dies = share.perform_together, iter([True])

    def die_once(*arguments: Any, **more: Any) -> Any:
        if next(dies, False):
            raise SystemExit
        return real(*arguments, **more)

    def run(job: Job) -> object:
        try:
            return outcome_of(sharing, shop, job, now)
        except SystemExit as error:
            return error

    now = look(database, shop, lambda counter: counter.at(AT))
    sharing = Sharing(database)
    with mock.patch.object(share, "perform_together", die_once), ThreadPoolExecutor(3) as pool:
        with occupied(sharing, shop):
            futures = []
            for place, account in enumerate(accounts[:3], start=1):
                futures.append(pool.submit(run, (buy, Buy(account, month), None)))
                wait_until(lambda place=place: len(sharing._lines[shop.id].waiting) == place)  # type: ignore[misc]
            release(sharing, shop)
        leader, *others = [future.result(30) for future in futures]
    assert isinstance(leader, SystemExit)
    assert sorted(numbers(others)) == [6, 7]
    assert sharing._lines[shop.id].units == 0


def test_who_leaves_the_line_is_not_waited_for(database: Database, shop: TenantRef, accounts: list[int]) -> None:
    sharing = Sharing(database)
    line = sharing._lines[shop.id] = share._Line(units=1)
    now = look(database, shop, lambda counter: counter.at(AT))
    calls = [share._Call(top_up.ask(TopUp(account, Decimal(1)), actor=OWNER, now=now)) for account in accounts[:2]]
    line.waiting.extend(calls)
    sharing._step_out(line, calls[1])
    release(sharing, shop)
    assert calls[0].told is share._Turn.LEAD
    sharing._step_out(line, calls[0])  # interrupted just when it was his turn
    assert (line.units, list(line.waiting)) == (0, [])
