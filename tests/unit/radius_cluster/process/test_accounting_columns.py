"""What goes to aaa.account: rows by session, and nothing where a whole batch has nothing."""

import asyncio
from collections.abc import Sequence
from typing import Any

from radius_cluster.counters import Counters
from radius_cluster.process.accounting_record import CAUSE, DAY, DETAILS, KIND, MAC, SESSION
from radius_cluster.process.accounting_request import Accounting
from radius_cluster.wire.codes import ACCT_INTERIM, ACCT_START, ACCT_STOP

NOTHING = [None] * 7
DEVICE = ["02:00:00:00:00:01", None, 7, None, None, None, None]


class Statement:
    """Takes what the database would get."""

    def __init__(self) -> None:
        self.counts: Sequence[int] = ()
        self.columns: Sequence[Sequence[Any]] = ()

    async def fetchval(self, *values: Any) -> list[int]:
        self.counts, self.columns = values[:3], values[3:]
        return []


def sent(*rows: tuple[Any, ...]) -> Statement:
    """What the batch of these rows sends."""
    statement, stored = Statement(), list[Any]()
    accounting = Accounting("postgresql://nobody@127.0.0.1:1/none", "main", Counters())
    asyncio.run(accounting._store(statement, None, {row[:4]: [row] for row in rows}, stored))
    assert len(stored) == len(rows)
    accounting.close()
    return statement


def row(kind: int, session: str, details: list[Any]) -> tuple[Any, ...]:
    return (1, 1, session, "alice", kind, 100.0, 0, 0, 0, 0, 0, None, 20_000, 1 if kind == ACCT_STOP else 0, *details)


def test_columns_of_nothing_are_empty() -> None:
    begun = sent(row(ACCT_START, "b", DEVICE), row(ACCT_START, "a", DEVICE))
    assert tuple(begun.counts) == (2, 0, 0)
    assert begun.columns[SESSION] == ("a", "b")  # by session
    assert (begun.columns[DAY], begun.columns[CAUSE]) == ((), ())
    assert begun.columns[MAC] == ("02:00:00:00:00:01",) * 2
    assert [begun.columns[at] for at in (DETAILS + 1, DETAILS + 3, DETAILS + 6)] == [()] * 3

    goes_on = sent(row(ACCT_INTERIM, "a", NOTHING))
    assert tuple(goes_on.counts) == (0, 1, 0)
    assert goes_on.columns[DAY] == (20_000,)
    assert all(column == () for column in goes_on.columns[CAUSE:])


def test_a_column_with_one_value_is_whole() -> None:
    mixed = sent(
        row(ACCT_STOP, "c", NOTHING), row(ACCT_INTERIM, "b", [*NOTHING[:5], "2001:db8::/64", None]),
        row(ACCT_START, "a", DEVICE),
    )  # fmt: skip
    assert tuple(mixed.counts) == (1, 1, 1)
    assert mixed.columns[KIND] == (ACCT_START, ACCT_INTERIM, ACCT_STOP)
    assert mixed.columns[CAUSE] == (0, 0, 1)
    assert mixed.columns[DAY] == (20_000,) * 3
    assert mixed.columns[MAC] == ("02:00:00:00:00:01", None, None)
    assert mixed.columns[DETAILS + 5] == (None, "2001:db8::/64", None)
