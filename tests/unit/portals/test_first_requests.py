"""First use of the database by several threads at once."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from sqlalchemy import Engine

from infra.db import Database
from infra.servers import Servers, resolve
from infra.settings import Settings
from portals.shared import unit_of_work
from portals.shared.unit_of_work import Installation
from tenants.billing.share import Sharing


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns after each few instructions, so that what can come between does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_threads_that_ask_first_at_once_get_the_same_engine() -> None:
    """One more would be nobody's: its connections would stay open until the collector finds them."""
    database, together = Database("postgresql://nobody@127.0.0.1:1/nothing"), Barrier(8)

    def ask() -> Engine:
        together.wait(10)
        return database.engine()

    with ThreadPoolExecutor(8) as threads:
        engines = {id(future.result()) for future in [threads.submit(ask) for _ in range(8)]}
    assert engines == {id(database.engine())}


def test_first_requests_that_come_at_once_share_one_database(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/nothing", redis_url="redis://127.0.0.1:1")
    installation, together, second = Installation(settings), Barrier(8), Barrier(2)

    def resolve_slowly(settings: Settings) -> Servers:
        with suppress(BrokenBarrierError):
            second.wait(0.2)  # whoever else gets here is one too many
        return resolve(settings)

    monkeypatch.setattr(unit_of_work, "resolve", resolve_slowly)

    def ask() -> Sharing:
        together.wait(10)
        return installation.sharing

    with ThreadPoolExecutor(8) as threads:
        sharings = {id(future.result()) for future in [threads.submit(ask) for _ in range(8)]}
    assert sharings == {id(installation.sharing)}
    assert second.broken
