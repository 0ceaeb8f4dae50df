"""The queues and what the jobs page shows of them; the schedule; the programs' start and stop."""

import signal
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select

from infra import clock
from infra.db import Database
from infra.queue import (
    DUE,
    SLOW,
    Task,
    connect,
    enqueue,
    failed_jobs,
    forget_job,
    queue_states,
    retry_job,
    schedule_states,
)
from infra.redis_keys import due_lease, tenant_key
from infra.tenant_scope import TenantRef, tenant_scope, unscoped
from tenants.access.keep_hours import HOURS
from tenants.access.project import EXPIRE
from tenants.billing.add_pack import PACK_END
from tenants.registry.models import Node
from tenants.subscribers.address_wish import LEARN_ADDRESS
from tenants.subscribers.delete_account import RELEASE_NAME
from tenants.subscribers.warn_of_quota import QUOTA_RESET
from tests.fixtures.accounts import open_one, sell, set_expiry
from tests.fixtures.workers import Programs, wait_until
from workers import due_kinds
from workers.context import Context
from workers.due_clock import DueClock
from workers.jobs.run_due import ROW_HANDLERS
from workers.schedule import SCHEDULE
from workers.scheduler import scheduled_jobs


def test_keys_name_their_tenant() -> None:
    assert due_lease(7, "billing") == "broadloom:t:7:due:billing"
    for nobody in (None, True, -1, "7"):
        with pytest.raises(TypeError):
            tenant_key(nobody, "x")  # type: ignore[arg-type]


def test_the_clock_enqueues_a_tenant_once(job_context: Context, database: Database, tenant: TenantRef) -> None:
    with tenant_scope(database, tenant) as scope:
        account_id = open_one(scope, "u1", sell(scope))
        set_expiry(scope, account_id, clock.now() + timedelta(hours=1))
    queue, clock_hand = (
        Queue(DUE, connection=job_context.redis, serializer=JSONSerializer),
        DueClock(database, job_context.redis),
    )

    def asked() -> int:
        return [job.args[0] for job in queue.jobs].count(tenant.id)  # other tests' tenants may have something due, too

    clock_hand.tick(clock.now())
    assert asked() == 0
    later = clock.now() + timedelta(hours=2)
    clock_hand.tick(later)
    clock_hand.tick(later)
    assert asked() == 1
    (state, *_) = queue_states(job_context.redis)
    assert (state.name, state.waiting) == (DUE, queue.count)
    assert state.oldest_at is not None


def test_a_failed_job_is_shown_tried_again_and_forgotten(programs: Programs, redis_url: str) -> None:
    connection = connect(redis_url)
    programs.start("workers")
    enqueue(connection, SLOW, [Task("workers.jobs.sweeps.sample", ("no-such-cell",))])
    wait_until(lambda: bool(failed_jobs(connection)), 30, what="the failure")
    (job,) = failed_jobs(connection)
    assert (job.queue, job.function, job.arguments) == (SLOW, "workers.jobs.sweeps.sample", ("no-such-cell",))
    assert job.error.startswith("KeyError")
    assert retry_job(connection, job.id)
    wait_until(lambda: bool(failed_jobs(connection)), 20, what="the second failure")
    assert forget_job(connection, job.id)
    assert not forget_job(connection, job.id)
    assert not retry_job(connection, job.id)
    assert failed_jobs(connection) == []


@pytest.mark.slow
def test_the_programs_start_work_and_stop(programs: Programs, database: Database, redis_url: str) -> None:
    connection = connect(redis_url)
    worker, leader = programs.start("workers"), programs.start("workers.scheduler")
    standby = programs.start("workers.scheduler")

    def ran() -> set[str]:
        return {state.name for state in schedule_states(connection) if state.last_status == "finished"}

    wait_until(lambda: {"close-stale-sessions", "keep-partitions", "seed-upkeep"} <= ran(), 30, what="the schedule")

    def nodes() -> list[Node]:
        with unscoped(database, reason="test") as session:
            return [row for row in session.scalars(select(Node)) if row.host != "test"]

    def states() -> set[tuple[str, str]]:
        return {(row.kind, row.state) for row in nodes()}

    wanted = {("worker", "running"), ("scheduler", "running"), ("scheduler", "standby")}
    wait_until(lambda: wanted <= states(), 20, what="three heartbeats")
    assert all(row.memory_octets > 10_000_000 for row in nodes() if row.pid == worker.pid)

    leads = {row.pid for row in nodes() if (row.kind, row.state) == ("scheduler", "running")}
    leading, other = (leader, standby) if leader.pid in leads else (standby, leader)
    programs.kill(leading)  # the one that stands by takes over; the dead one's row stays until it is swept
    wait_until(lambda: any(row.pid == other.pid and row.state == "running" for row in nodes()), what="a new leader")
    for process in (worker, other):
        process.send_signal(signal.SIGTERM)
    for process in (worker, other):
        assert process.wait(15) == 0
    with unscoped(database, reason="test") as session:
        assert session.scalars(select(Node.pid).where(Node.pid.in_((worker.pid, other.pid)))).all() == []


def test_the_names_of_due_kinds_are_those_of_their_writers() -> None:
    assert (due_kinds.EXPIRE, due_kinds.PACK_END) == (EXPIRE, PACK_END)
    assert (due_kinds.RELEASE_NAME, due_kinds.LEARN_ADDRESS) == (RELEASE_NAME, LEARN_ADDRESS)
    assert (due_kinds.GROUP_HOURS, due_kinds.QUOTA_RESET) == (HOURS, QUOTA_RESET)
    handled = {kind for kinds in due_kinds.FAMILIES.values() for kind in kinds} - {EXPIRE, PACK_END}
    assert handled == set(ROW_HANDLERS)
    for entry in SCHEDULE:
        module, _, name = entry.function.rpartition(".")
        assert callable(getattr(import_module(module), name))


def test_the_schedule_goes_on_from_when_it_last_ran(redis_url: str) -> None:
    connection: Any = connect(redis_url)
    first = scheduled_jobs(connection, ["main"])
    assert all(job.should_run() for job in first)
    for job in first:
        job.enqueue(connection)
    assert not any(job.should_run() for job in scheduled_jobs(connection, ["main"]))
    assert {job.name for job in scheduled_jobs(connection, ["main", "east"])} > {
        "sample-online main",
        "sample-online east",
    }
