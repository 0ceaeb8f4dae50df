"""What the database itself refuses, whatever the code does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra.db import schema_name
from tests.fixtures.billing import Counter

NOW = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def account(counter: Counter) -> Iterator[int]:
    yield counter.open("2M month", "2026-01-31 10:00:00")
    counter.scope.rollback()


def refused(counter: Counter, statement: str, **values: Any) -> str:
    """The database's words; the statement's effects are undone."""
    sql = text(statement.replace("tenant.", schema_name(counter.scope.tenant_id) + "."))
    savepoint = counter.scope.session.begin_nested()
    try:
        counter.scope.session.execute(sql, values)
        counter.scope.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    except DBAPIError as error:
        return str(error.orig)
    finally:
        savepoint.rollback()
    raise AssertionError(f"the database let this through: {statement}")


_ENTRY = (
    "WITH e AS (INSERT INTO tenant.journal_entries (at, lines, actor, reason)"
    " VALUES (now(), {lines}, 'x', 'x') RETURNING id)"
    " INSERT INTO tenant.journal_lines (entry_id, position, kind, subject_id, debit, credit) SELECT e.id, v.* FROM e,"
    " (VALUES {values}) v"
)


def test_an_entry_that_does_not_balance(counter: Counter, account: int) -> None:
    values = "(1, 'drawer', 1, 10.00, 0.00), (2, 'revenue.other', 0, 0.00, 9.99)"
    assert "not balanced" in refused(counter, _ENTRY.format(lines=2, values=values))


def test_an_entry_whose_lines_are_not_all_there(counter: Counter, account: int) -> None:
    values = "(1, 'drawer', 1, 10.00, 0.00), (2, 'revenue.other', 0, 0.00, 10.00)"
    assert "not whole" in refused(counter, _ENTRY.format(lines=3, values=values))


def test_an_entry_without_lines(counter: Counter, account: int) -> None:
    statement = "INSERT INTO tenant.journal_entries (at, lines, actor, reason) VALUES (now(), 2, 'x', 'x')"
    assert "has no lines" in refused(counter, statement)


def test_lines_added_to_an_old_entry(counter: Counter, account: int) -> None:
    statement = (
        "INSERT INTO tenant.journal_lines (entry_id, position, kind, subject_id, debit, credit)"
        " SELECT max(id), 3, 'drawer', 1, 5.00, 0 FROM tenant.journal_entries UNION ALL"
        " SELECT max(id), 4, 'revenue.other', 0, 0, 5.00 FROM tenant.journal_entries"
    )
    assert "not balanced or not whole" in refused(counter, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tenant.journal_lines SET debit = debit + 1, credit = credit + 1",
        "DELETE FROM tenant.journal_lines",
        "UPDATE tenant.journal_entries SET reason = 'another'",
        "DELETE FROM tenant.journal_entries",
    ],
)
def test_the_ledger_is_never_altered(counter: Counter, account: int, statement: str) -> None:
    assert "append-only" in refused(counter, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tenant.orders SET total = 0",
        "UPDATE tenant.orders SET expires_after = now()",
        "DELETE FROM tenant.orders",
        "UPDATE tenant.order_lines SET amount = 0",
        "DELETE FROM tenant.order_lines",
        "UPDATE tenant.fee_records SET amount = 1",
        "DELETE FROM tenant.fee_records",
    ],
)
def test_orders_and_fee_records_are_frozen(counter: Counter, account: int, statement: str) -> None:
    words = refused(counter, statement)
    assert "never altered" in words or "frozen" in words or "permission denied" in words


def test_balances_move_by_entries_only(counter: Counter, account: int) -> None:
    words = refused(counter, "UPDATE tenant.accounts SET balance = 1000 WHERE id = :id", id=account)
    assert "journal entries only" in words
    words = refused(counter, "UPDATE tenant.accounts SET receivable = 1 WHERE id = :id", id=account)
    assert "journal entries only" in words


def test_a_balance_below_its_limit(counter: Counter, account: int) -> None:
    values = f"(1, 'customer', {account}, 0.01, 0.00), (2, 'drawer', 1, 0.00, 0.01)"
    assert "ck_accounts_balance" in refused(counter, _ENTRY.format(lines=2, values=values))


def test_one_open_hold_and_none_over_another(counter: Counter, account: int) -> None:
    insert = "INSERT INTO tenant.holds (account_id, held_at, resumed_at) VALUES "
    twice = f"({account}, '2026-01-01', NULL), ({account}, '2026-01-09', NULL)"
    assert "holds_" in refused(counter, insert + twice)  # the unique index or the exclusion, whichever looks first
    spans = f"({account}, '2026-01-01', '2026-01-05'), ({account}, '2026-01-04', '2026-01-06')"
    assert "ex_holds_span" in refused(counter, insert + spans)


def test_order_numbers_are_unique(counter: Counter, account: int) -> None:
    statement = (
        "INSERT INTO tenant.orders (number, kind, account_id, username, at, method, total, expires_before,"
        " expires_after, actor_kind, actor_name) SELECT number, kind, account_id, username, at, method, total,"
        " expires_before, expires_after, actor_kind, actor_name FROM tenant.orders LIMIT 1"
    )
    assert "uq_orders_number" in refused(counter, statement)
