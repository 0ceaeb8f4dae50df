"""Operations of one tenant that arrive together share a unit of work; each still gets its own true answer."""

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from unittest import mock

from sqlalchemy import func, select

from infra.db import Database
from infra.tenant_scope import TenantRef, open_scope, tenant_scope
from tenants.audit.models import AuditEntry
from tenants.billing.auto_renew import SetAutoRenew, set_auto_renew
from tenants.billing.buy import Buy, buy
from tenants.billing.check import check_ledger
from tenants.billing.close import Close, close
from tenants.billing.hold import Hold, hold
from tenants.billing.models import Order
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.resume import Resume, resume
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.share import Sharing
from tenants.billing.top_up import TopUp, top_up
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError, Forbidden
from tests.fixtures.billing import Counter, MakeShop
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


def test_five_operations_are_one_unit_with_consecutive_numbers(
    database: Database, shop: TenantRef, accounts: list[int], month: int
) -> None:
    look(database, shop, lambda c: c.run(hold, Hold(accounts[2]), "2026-01-31 12:00:00"))
    look(database, shop, lambda c: c.buy(accounts[3], "2M month", "2026-01-31 12:00:00", method="arrears"))
    jobs: list[Job] = [
        (buy, Buy(accounts[0], month), "a"),
        (top_up, TopUp(accounts[1], Decimal(70)), "b"),
        (resume, Resume(accounts[2]), "c"),
        (pay_arrears, PayArrears(accounts[3]), "d"),
        (reverse, Reverse(accounts[4]), "e"),
    ]
    with seen_units() as units:
        outcomes = together(database, shop, jobs)
    assert units == [(shop.id, 5)]
    assert numbers(outcomes) == [8, 9, 10, 11, 12]  # five openings, the hold, the purchase on arrears
    assert [one.operation for one in outcomes] == ["buy", "top-up", "resume", "pay-arrears", "reverse"]
    assert look(database, shop, lambda c: c.balance(accounts[1])) == "70.00"
    assert look(database, shop, lambda c: c.expiry(accounts[0])) == "2026-03-28 10:00:00"
    # Held from 31 January 12:00 to 1 February 10:00: 22 hours later than 28 February 10:00.
    assert look(database, shop, lambda c: c.expiry(accounts[2])) == "2026-03-01 08:00:00"
    assert look(database, shop, lambda c: str(c.account(accounts[3]).receivable)) == "0.00"
    assert look(database, shop, lambda c: c.account(accounts[4]).plan_id) is None
    assert look(database, shop, lambda c: check_ledger(c.scope).findings) == []
    logged = select(func.count()).select_from(AuditEntry).where(AuditEntry.object_kind == "account")
    assert look(database, shop, lambda c: c.scope.session.scalar(logged)) >= 12


def test_a_refusal_leaves_the_others_booked(
    database: Database, shop: TenantRef, accounts: list[int], month: int
) -> None:
    jobs: list[Job] = [
        (buy, Buy(accounts[0], month), None),
        (buy, Buy(accounts[1], month, method="balance"), None),
        (resume, Resume(accounts[2]), None),
        (top_up, TopUp(accounts[3], Decimal(9)), None),
        (buy, Buy(999_999, month), None),
    ]
    with seen_units() as units:
        bought, short, not_held, paid, unknown = together(database, shop, jobs)
    assert units == [(shop.id, 5), (shop.id, 1)]  # whom nobody knows might be one on whom somebody works
    assert [one.code for one in (short, not_held, unknown)] == ["balance_too_short", "not_held", "not_found"]
    assert numbers([bought, paid]) == [6, 7]
    assert look(database, shop, lambda c: c.balance(accounts[3])) == "9.00"
    assert look(database, shop, lambda c: c.account(accounts[1]).expires_at) == short_expiry(database, shop, accounts)


def short_expiry(database: Database, shop: TenantRef, accounts: list[int]) -> Any:
    return look(database, shop, lambda c: c.account(accounts[2]).expires_at)  # as opened


def test_nobody_waits_for_an_account_that_another_asked_for(
    database: Database, shop: TenantRef, accounts: list[int], month: int
) -> None:
    """A clerk elsewhere works on the first account: the second is done meanwhile, the first one after him."""
    now = look(database, shop, lambda counter: counter.at(AT))
    sharing = Sharing(database)
    with ThreadPoolExecutor(2) as pool, tenant_scope(database, shop) as elsewhere:
        Counter(elsewhere).run(top_up, TopUp(accounts[0], Decimal(1)), AT)
        with occupied(sharing, shop):
            futures = []
            for place, account in enumerate(accounts[:2], start=1):
                futures.append(
                    pool.submit(outcome_of, sharing, shop, (set_auto_renew, SetAutoRenew(account, True), None), now)
                )
                wait_until(lambda place=place: len(sharing._lines[shop.id].waiting) == place)  # type: ignore[misc]
            release(sharing, shop)
        assert futures[1].result(30).after.balance == 0  # type: ignore[attr-defined]
        assert not futures[0].done()
    assert futures[0].result(30).after.balance == 1  # type: ignore[attr-defined]


def test_who_was_locked_elsewhere_comes_along_in_the_next_unit_before_later_ones_for_that_account(
    database: Database, shop: TenantRef, accounts: list[int]
) -> None:
    gather, elsewhere = Sharing._gather, open_scope(database, shop)
    Counter(elsewhere).run(set_auto_renew, SetAutoRenew(accounts[0], True), AT)  # undone when the first unit is over

    def let_him_come(sharing: Sharing, line: Any) -> None:
        if len(units) == 1:
            elsewhere.close()
            wait_until(lambda: len(line.waiting) == 2)
        gather(sharing, line)

    jobs: list[Job] = [
        (top_up, TopUp(accounts[0], Decimal(5)), None),
        (top_up, TopUp(accounts[1], Decimal(1)), None),
        (top_up, TopUp(accounts[1], Decimal(2)), None),
        (top_up, TopUp(accounts[0], Decimal(7)), None),
    ]
    with seen_units() as units, mock.patch.object(Sharing, "_gather", let_him_come):
        first, _, _, later = together(database, shop, jobs)
    assert [count for _, count in units] == [2, 2, 1]
    assert (str(first.after.balance), str(later.after.balance)) == ("5.00", "12.00")


def test_who_writes_by_himself_goes_alone(database: Database, shop: TenantRef, accounts: list[int], month: int) -> None:
    jobs: list[Job] = [(buy, Buy(accounts[0], month), None), (close, Close(accounts[1]), None)]
    with seen_units() as units:
        bought, closed = together(database, shop, jobs)
    assert units == [(shop.id, 2), (shop.id, 1)]
    assert bought.order.kind == "buy"
    assert closed.after.state == "closed"


def test_the_same_account_twice_is_two_units_in_their_order(
    database: Database, shop: TenantRef, accounts: list[int], month: int
) -> None:
    jobs: list[Job] = [(buy, Buy(accounts[0], month), None)] * 2 + [(top_up, TopUp(accounts[1], Decimal(5)), None)]
    with seen_units() as units:
        first, second, _ = together(database, shop, jobs)
    assert units == [(shop.id, 2), (shop.id, 1)]
    assert first.after.expires_at == second.before.expires_at


def test_the_same_key_twice_books_once(database: Database, shop: TenantRef, accounts: list[int], month: int) -> None:
    with seen_units() as units:
        first, second = together(database, shop, [(buy, Buy(accounts[0], month), "same")] * 2)
    assert units == [(shop.id, 1), (shop.id, 1)]
    assert (first.order.number, first.replayed) == (second.order.number, False)
    assert second.replayed


def test_the_same_key_for_two_accounts_is_refused_to_the_second(
    database: Database, shop: TenantRef, accounts: list[int]
) -> None:
    jobs: list[Job] = [(top_up, TopUp(account, Decimal(10)), "same") for account in accounts[:2]]
    first, second = together(database, shop, jobs)
    assert first.order.total == 10
    assert second.code == "key_reused"
    assert look(database, shop, lambda c: c.balance(accounts[1])) == "0.00"


def test_a_missing_right_is_refused_before_anybody_waits(
    database: Database, shop: TenantRef, accounts: list[int], month: int
) -> None:
    nobody = Actor("operator", 7, "nobody")
    now = look(database, shop, lambda c: c.at(AT))
    with seen_units() as units:
        refused = outcome_of(Sharing(database), shop, (buy, Buy(accounts[0], month), None), now, nobody)
    assert isinstance(refused, Forbidden)
    assert units == []


def test_tenants_never_share(database: Database, make_shop: MakeShop) -> None:
    shops = [make_shop(), make_shop()]
    opened = [look(database, one, lambda c: c.open("2M month", "2026-01-31 10:00:00")) for one in shops]
    assert opened[0] == opened[1]  # the same id means another account in each
    now = look(database, shops[0], lambda c: c.at(AT))
    sharing = Sharing(database)
    with seen_units() as units, occupied(sharing, shops[0]), ThreadPoolExecutor(2) as pool:
        waits = pool.submit(outcome_of, sharing, shops[0], (top_up, TopUp(opened[0], Decimal(3)), "k"), now)
        wait_until(lambda: len(sharing._lines[shops[0].id].waiting) == 1)
        at_once: Any = outcome_of(sharing, shops[1], (top_up, TopUp(opened[1], Decimal(4)), "k"), now)
        assert at_once.order.total == 4  # nobody of the other tenant holds him up, and the key is his own
        release(sharing, shops[0])
        assert waits.result(30).order.total == 3  # type: ignore[attr-defined]
    assert units == [(shops[1].id, 1), (shops[0].id, 1)]
    assert [look(database, one, lambda c: c.balance(opened[0])) for one in shops] == ["3.00", "4.00"]


def test_two_hundred_renewals_keep_their_order_and_their_key(
    database: Database, shop: TenantRef, accounts: list[int], month: int
) -> None:
    now, sharing = look(database, shop, lambda counter: counter.at(AT)), Sharing(database)

    def run(key: str) -> Any:
        return outcome_of(sharing, shop, (buy, Buy(accounts[0], month), key), now)

    with ThreadPoolExecutor(12) as pool:
        same = list(pool.map(run, ["same"] * 200))
        different = list(pool.map(run, [f"key {number}" for number in range(200)]))
    assert {one.order.number for one in same} == {same[0].order.number}
    assert sum(not one.replayed for one in same) == 1
    assert sorted(numbers(different)) == list(range(7, 207))  # five openings and the one before
    ordered = sorted(different, key=lambda one: str(one.order.number))
    assert all(one.after.expires_at == two.before.expires_at for one, two in itertools.pairwise(ordered))


def test_random_operations_of_two_processes_agree_with_the_books(
    database: Database, shop: TenantRef, accounts: list[int], month: int
) -> None:
    """Two combiners, as two processes have them, on the same five accounts."""
    now, dice = look(database, shop, lambda counter: counter.at(AT)), random.Random(3)
    pair = (Sharing(database), Sharing(database))

    def run(number: int) -> object:
        one = accounts[number % 5]
        operation, command = dice.choice(
            [
                (buy, Buy(one, month)),
                (buy, Buy(one, month, method="arrears")),
                (top_up, TopUp(one, Decimal(60))),
                (hold, Hold(one)),
                (resume, Resume(one)),
                (reverse, Reverse(one)),
                (pay_arrears, PayArrears(one)),
            ]
        )
        return outcome_of(pair[number % 2], shop, (operation, command, f"k{number}"), now)

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(run, range(300)))
    assert not [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, BusinessError)]
    booked = [one for one in outcomes if not isinstance(one, BusinessError)]
    assert len(booked) > 100
    assert sorted(numbers(booked)) == list(range(6, 6 + len(booked)))
    assert look(database, shop, lambda c: c.scope.session.scalar(select(func.count()).select_from(Order))) == 5 + len(
        booked
    )
    assert look(database, shop, lambda c: check_ledger(c.scope).findings) == []
