"""Many at once on real PostgreSQL: one after the other, each seeing the other's result; nobody wins twice."""

import itertools
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.billing.buy import Buy, buy
from tenants.billing.check import check_ledger
from tenants.billing.hold import Hold, hold
from tenants.billing.models import Order
from tenants.billing.refund import Refund, refund
from tenants.billing.resume import Resume, resume
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.settle import Settle, settle
from tenants.billing.top_up import TopUp, top_up
from tenants.kernel.errors import BusinessError
from tenants.ledger.numbers import take_number
from tests.fixtures.billing import OWNER, Counter

THREADS = 12


def at_once(database: Database, tenant: TenantRef, jobs: Sequence[tuple[Any, Any, str, str | None]]) -> list[object]:
    """Run (operation, command, local instant, key) jobs in parallel; results or refusals in their order."""

    def run(job: tuple[Any, Any, str, str | None]) -> object:
        operation, command, at, key = job
        try:
            with tenant_scope(database, tenant) as scope:
                return operation(scope, command, actor=OWNER, now=Counter(scope).at(at), key=key)
        except BusinessError as refusal:
            return refusal

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, jobs))


@pytest.fixture
def account(database: Database, shop: TenantRef) -> tuple[int, dict[str, int]]:
    with tenant_scope(database, shop) as scope:
        counter = Counter(scope)
        opened = counter.open("2M month", "2026-01-31 10:00:00")
        return opened, {"2M month": counter.plan("2M month")}


def test_what_is_booked_during_a_settlement_waits_for_the_next_one(
    database: Database, shop: TenantRef, account: tuple[int, dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id, _ = account

    def book_meanwhile(*arguments: Any) -> str:
        with tenant_scope(database, shop) as other:  # a clerk whose clock shows the instant of the settlement
            top_up(other, TopUp(account_id, Decimal(7)), actor=OWNER, now=Counter(other).at(until))
        return take_number(*arguments)

    until = "2026-02-01 10:00:00"
    monkeypatch.setattr("tenants.billing.settle.take_number", book_meanwhile)
    with tenant_scope(database, shop) as scope:
        at = Counter(scope).at(until)
        first = settle(scope, Settle(OWNER.id, at), actor=OWNER, now=at)
    assert (first.records, first.cash) == (1, Decimal(50))
    monkeypatch.undo()
    with tenant_scope(database, shop) as scope:
        second = settle(scope, Settle(OWNER.id, at), actor=OWNER, now=at)
        assert (second.records, second.cash) == (1, Decimal(7))


def look(database: Database, tenant: TenantRef, what: Callable[[Counter], Any]) -> Any:
    with tenant_scope(database, tenant) as scope:
        return what(Counter(scope))


def test_200_renewals_with_one_key_book_once(
    database: Database, shop: TenantRef, account: tuple[int, dict[str, int]]
) -> None:
    account_id, plans = account
    job = (buy, Buy(account_id, plans["2M month"]), "2026-02-01 10:00:00", "same")
    results = at_once(database, shop, [job] * 200)
    assert len({result.order.number for result in results}) == 1  # type: ignore[attr-defined]
    assert sum(not result.replayed for result in results) == 1  # type: ignore[attr-defined]
    assert look(database, shop, lambda c: c.expiry(account_id)) == "2026-03-28 10:00:00"
    assert look(database, shop, lambda c: c.scope.session.scalar(select(func.count()).select_from(Order))) == 2


def test_200_renewals_with_different_keys_book_200_times_in_order(
    database: Database, shop: TenantRef, account: tuple[int, dict[str, int]]
) -> None:
    account_id, plans = account
    jobs = [(buy, Buy(account_id, plans["2M month"]), "2026-02-01 10:00:00", f"key {i}") for i in range(200)]
    results = at_once(database, shop, jobs)
    numbers = sorted(int(result.order.number[-6:]) for result in results)  # type: ignore[attr-defined]
    assert numbers == list(range(2, 202))  # number 1 is the opening
    ordered = sorted(results, key=lambda result: result.order.number)  # type: ignore[attr-defined]
    for one, following in itertools.pairwise(ordered):
        assert one.after.expires_at == following.before.expires_at  # type: ignore[attr-defined]
    assert look(database, shop, lambda c: check_ledger(c.scope).findings) == []


def test_one_key_for_two_accounts_at_once_books_one(database: Database, shop: TenantRef) -> None:
    def open_two(counter: Counter) -> list[int]:
        opened = [counter.open("2M month", "2026-01-31 10:00:00") for _ in range(2)]
        counter.scope.commit()
        return opened

    accounts = look(database, shop, open_two)
    jobs: list[tuple[Any, Any, str, str | None]] = [
        (top_up, TopUp(account, Decimal(10)), "2026-02-01 10:00:00", "same") for account in accounts * 6
    ]
    results = at_once(database, shop, jobs)
    refused = [result for result in results if isinstance(result, BusinessError)]
    assert len(refused) == 6
    assert {error.code for error in refused} == {"key_reused"}
    assert sorted(look(database, shop, lambda c: [c.balance(account) for account in accounts])) == ["0.00", "10.00"]


def test_two_operators_never_both_hold_and_refund(
    database: Database, shop: TenantRef, account: tuple[int, dict[str, int]]
) -> None:
    account_id, _ = account
    for day in range(1, 11):
        at = f"2026-02-{day:02d} 10:00:00"
        jobs: list[tuple[Any, Any, str, str | None]] = [
            (hold, Hold(account_id), at, None),
            (refund, Refund(account_id), at, None),
        ]
        random.shuffle(jobs)
        results = at_once(database, shop, jobs)
        assert sum(isinstance(result, BusinessError) for result in results) == 1
        at_once(database, shop, [(reverse, Reverse(account_id), at, None)])
    assert look(database, shop, lambda c: c.account(account_id).state) == "active"
    assert look(database, shop, lambda c: check_ledger(c.scope).findings) == []


def test_thirty_purchases_never_overdraw_one_balance(
    database: Database, shop: TenantRef, account: tuple[int, dict[str, int]]
) -> None:
    account_id, plans = account
    at_once(database, shop, [(top_up, TopUp(account_id, Decimal("249.99")), "2026-02-01 10:00:00", None)])
    job = (buy, Buy(account_id, plans["2M month"], method="balance"), "2026-02-01 10:00:00", None)
    results = at_once(database, shop, [job] * 30)
    assert sum(not isinstance(result, BusinessError) for result in results) == 4  # 4 * 50 <= 249.99
    assert look(database, shop, lambda c: c.balance(account_id)) == "49.99"


def test_random_parallel_operations_do_not_deadlock(database: Database, shop: TenantRef) -> None:
    def open_some(counter: Counter) -> list[int]:
        opened = [counter.open("2M month", "2026-01-31 10:00:00") for _ in range(6)]
        counter.scope.commit()
        return opened

    accounts = look(database, shop, open_some)
    month = look(database, shop, lambda c: c.plan("2M month"))
    dice = random.Random(7)
    jobs: list[tuple[Any, Any, str, str | None]] = []
    for number in range(400):
        one = dice.choice(accounts)
        operation, command = dice.choice(
            [
                (buy, Buy(one, month)),
                (buy, Buy(one, month, method="arrears")),
                (top_up, TopUp(one, Decimal(60))),
                (hold, Hold(one)),
                (resume, Resume(one)),
                (reverse, Reverse(one)),
            ]
        )
        key = f"k{number // 2}" if dice.random() < 0.1 else None
        jobs.append((operation, command, "2026-02-01 10:00:00", key))
    results = at_once(database, shop, jobs)
    assert sum(not isinstance(result, BusinessError) for result in results) > 100
    assert look(database, shop, lambda c: check_ledger(c.scope).findings) == []
