"""RAD-10: while Redis is away nothing that is due is lost; it is done when Redis is back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from rq.exceptions import StopRequested
from sqlalchemy import select

from infra import clock
from infra.db import Database
from infra.outbox import DueRow
from infra.ports import choose_free_port
from infra.queue import DUE, connect, schedule_states
from infra.settings import Settings
from infra.tenant_scope import TenantRef, tenant_scope, unscoped
from tenants.access.project import EXPIRE
from tests.fixtures.accounts import open_one, sell, set_expiry
from tests.fixtures.tcp_relay import TcpRelay
from tests.fixtures.workers import Programs, wait_until
from workers.__main__ import ThreadWorker
from workers.context import Context


@pytest.fixture
def programs_behind_relay(settings: Settings, redis_relay: TcpRelay) -> Iterator[Programs]:
    """Worker and scheduler reach Redis through the relay."""
    url = urlsplit(settings.redis_url)
    netloc = (
        f"{url.netloc.rpartition('@')[0]}@127.0.0.1:{redis_relay.port}"
        if "@" in url.netloc
        else f"127.0.0.1:{redis_relay.port}"
    )
    made = Programs(replace(settings, redis_url=url._replace(netloc=netloc).geturl()))
    yield made
    made.end_all()


def test_what_is_due_meanwhile_is_done_afterwards(
    programs_behind_relay: Programs, redis_relay: TcpRelay, database: Database, tenant: TenantRef, settings: Settings
) -> None:
    programs, connection = programs_behind_relay, connect(settings.redis_url)
    worker, scheduler = programs.start("workers"), programs.start("workers.scheduler")
    wait_until(lambda: any(s.last_status == "finished" for s in schedule_states(connection)), 30, what="the schedule")

    def due() -> bool:
        mine = select(DueRow).where(DueRow.tenant_id == tenant.id, DueRow.kind == EXPIRE, DueRow.run_at <= clock.now())
        with unscoped(database, reason="test") as session:
            return session.scalars(mine).first() is not None

    redis_relay.refuse()
    with tenant_scope(database, tenant) as scope:
        account_id = open_one(scope, "u1", sell(scope))
        set_expiry(scope, account_id, clock.now() - timedelta(seconds=1))
    assert due()
    with pytest.raises(AssertionError, match="did not happen"):
        wait_until(lambda: not due(), 1.5)
    assert scheduler.poll() is None  # it waits for Redis
    redis_relay.cut(target=urlsplit(settings.redis_url).port)
    workers = [worker]

    def is_done() -> bool:
        if workers[-1].poll() is not None:  # a worker that has lost Redis ends, and the supervisor starts another
            workers.append(programs.start("workers"))
        return not due()

    wait_until(is_done, 30, what="the cut-off")


def test_a_worker_looks_every_few_seconds_whether_redis_is_back(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RQ waits twice as long each time, a minute at last, and cut-offs with it, though Redis may be back."""
    worker = ThreadWorker(Context(settings, database, connect(settings.redis_url)), [DUE])
    worker.connection = connect(f"redis://127.0.0.1:{choose_free_port()}/0")  # where nobody listens
    for name in ("set_state", "heartbeat"):  # what precedes the listening, and would fail as well
        monkeypatch.setattr(worker, name, lambda *_, **__: None)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 10:
            raise StopRequested

    monkeypatch.setattr("rq.worker.base.time.sleep", pause)
    with pytest.raises(StopRequested):
        worker.dequeue_job_and_maintain_ttl(1)
    assert max(pauses) <= 2.0
