"""Logins that were led to a place while the database was away (NET-4)."""

import asyncio
from typing import Any

import asyncpg
import pytest

from radius_cluster.process import led_to_place
from radius_cluster.process.led_to_place import Led, LedMeanwhile


class Database:
    """Takes what is written, or fails."""

    def __init__(self) -> None:
        self.written: list[tuple[Any, ...]] = []
        self.failure: BaseException | None = None

    async def execute(self, _statement: str, *columns: Any) -> None:
        if self.failure is not None:
            raise self.failure
        self.written += zip(*columns, strict=True)


def led(account: int) -> Led:
    return Led(1, account, 2, "", 60, 1_795_000_000.5)


def test_what_cannot_be_written_is_kept_and_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(led_to_place, "_MOST_KEPT", 3)
    meanwhile, database = LedMeanwhile(), Database()
    for account in range(5):
        meanwhile.add(led(account))
    database.failure = asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT")
    asyncio.run(meanwhile.note(database))  # logins are decided all the same
    database.failure = ConnectionResetError()
    with pytest.raises(ConnectionResetError):
        asyncio.run(meanwhile.note(database))
    database.failure = None
    asyncio.run(meanwhile.note(database))
    asyncio.run(meanwhile.note(database))
    assert database.written == [led(0), led(1), led(2)]
