"""Logins that were led to a place while the database was away (NET-4)."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from radius_cluster.process import led_to_place
from radius_cluster.process.led_to_place import Led, LedMeanwhile
from radius_cluster.process.spool import Spool


class Database:
    """Takes what is written, or fails."""

    def __init__(self) -> None:
        self.written: list[tuple[Any, ...]] = []
        self.failure: BaseException | None = None
        self.turn = asyncio.Event()
        self.turn.set()

    async def execute(self, _statement: str, *columns: Any) -> None:
        await self.turn.wait()
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


def kept_in(folder: Path) -> LedMeanwhile:
    return LedMeanwhile(Spool(folder, "places.main", synced=False))


def test_what_a_dead_process_kept_is_written_by_the_next(tmp_path: Path) -> None:
    dead, heir, database = kept_in(tmp_path), kept_in(tmp_path), Database()
    for account in range(3):
        dead.add(led(account))
    dead.close()
    heir.add(led(7))
    database.failure = asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT")
    asyncio.run(heir.note(database))
    database.failure = None
    asyncio.run(heir.note(database))
    asyncio.run(heir.note(database))
    assert database.written == [led(0), led(1), led(2), led(7)]
    heir.add(led(8))
    asyncio.run(heir.note(database))
    assert database.written[4:] == [led(8)]
    heir.close()
    assert list(tmp_path.iterdir()) == []


def test_what_no_file_takes_is_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("no folder")
    meanwhile, database = kept_in(tmp_path / "folder"), Database()
    meanwhile.add(led(1))
    asyncio.run(meanwhile.note(database))
    assert database.written == [led(1)]


def test_connections_that_come_back_together_do_not_take_each_others_turn(tmp_path: Path) -> None:
    meanwhile, database = kept_in(tmp_path), Database()
    database.turn = asyncio.Event()
    meanwhile.add(led(1))

    async def story() -> None:
        first = asyncio.create_task(meanwhile.note(database))
        await asyncio.sleep(0)
        await meanwhile.note(database)
        meanwhile.add(led(2))  # is not taken for written
        database.turn.set()
        await first
        await meanwhile.note(database)

    asyncio.run(story())
    assert database.written == [led(1), led(2)]
    meanwhile.close()


def test_a_disk_that_cannot_be_read_stops_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile, database = kept_in(tmp_path), Database()
    meanwhile.add(led(1))

    def unreadable(*_: object) -> list[object]:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Spool, "next_lines", unreadable)
        asyncio.run(meanwhile.note(database))
    assert database.written == []
    asyncio.run(meanwhile.note(database))
    assert database.written == [led(1)]
    meanwhile.close()
