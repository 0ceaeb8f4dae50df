"""The one process that says when: RQ's cron scheduler for the table, and the due clock. Others stand by.

One leader by an advisory lock of the registry's database; it is lost with the connection, and so is the leadership.
"""

import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, cast

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq.cron import CronJob, CronScheduler
from rq.cron_job_registry import add as remember_enqueued
from rq.job import Job
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from infra import clock, log
from infra.errors import ServersError
from infra.queue import announce_schedule, last_enqueued, queue
from infra.settings import Settings, SettingsError
from workers.context import Context, open_context
from workers.due_clock import DueClock
from workers.heartbeat import Heartbeat
from workers.schedule import SCHEDULE, Entry

LOG = structlog.get_logger(__name__)
TICK_SECONDS = 0.5
STANDBY_SECONDS = 2.0
TROUBLE_SECONDS = 1.0
_LOCK = "SELECT pg_try_advisory_lock(hashtext('broadloom.scheduler'))"


class ScheduledJob(CronJob):
    """A cron job known by its name only (the scheduler loads no business code), whose arguments travel as JSON."""

    def enqueue(self, connection: "Redis") -> Job:
        """Put one run into its queue and remember when; RQ's own would pickle the arguments."""
        job = queue(connection, self.queue_name).enqueue(self.func_name, args=self.args, **self.job_options)
        moment = clock.now().timestamp()
        connection.zadd(self.job_history_key, {job.id: moment})
        connection.zremrangebyrank(self.job_history_key, 0, -101)
        connection.expire(self.job_history_key, 30 * 86_400)
        remember_enqueued(self.name, connection, enqueue_timestamp=moment)
        return job


def scheduled_jobs(connection: "Redis", cells: list[str]) -> list[ScheduledJob]:
    """The schedule as RQ's cron scheduler wants it; each line goes on from when it last ran."""
    jobs = []
    for entry in SCHEDULE:
        for cell in cells if entry.per_cell else [""]:
            jobs.append(_job(connection, entry, cell, many=len(cells) > 1))
    return jobs


def _job(connection: "Redis", entry: Entry, cell: str, *, many: bool) -> ScheduledJob:
    job = ScheduledJob(
        entry.queue,
        func_name=entry.function,
        args=(cell,) if entry.per_cell else (),
        interval=entry.seconds,
        result_ttl=max(3600, 2 * entry.seconds),
        name=f"{entry.name} {cell}" if many and cell else entry.name,
    )
    last = last_enqueued(connection, job.name)
    if last is not None:
        job.set_enqueue_time(last)
    return job


class Scheduler:
    """Leads while it holds the lock; survives database and Redis going away by beginning anew."""

    def __init__(self, known: Context) -> None:
        self._known = known
        self._stop = threading.Event()
        self._heartbeat = Heartbeat(known.database, "scheduler")

    def stop(self) -> None:
        """End after the present tick."""
        self._stop.set()

    def run(self) -> None:
        """Until :meth:`stop`."""
        while not self._stop.is_set():
            try:
                with self._leadership() as leads:
                    if leads is not None:
                        self._lead(leads)
                        continue
                self._heartbeat.beat("standby")
                self._stop.wait(STANDBY_SECONDS)
            except (DBAPIError, RedisError, OSError) as error:
                LOG.warning("scheduler_begins_anew", error=f"{type(error).__name__}: {error}".splitlines()[0])
                self._stop.wait(TROUBLE_SECONDS)
        self._heartbeat.sign_off()

    @contextlib.contextmanager
    def _leadership(self) -> Iterator[Callable[[], None] | None]:
        """A check that the lock is still ours, or None when somebody else leads."""
        connection: Connection = self._known.database.engine().connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if not connection.execute(text(_LOCK)).scalar_one():
                yield None
                return
            yield lambda: cast("Any", connection.execute(text("SELECT 1")).scalar_one())
        finally:
            connection.invalidate()  # the lock must not live on in the pool
            connection.close()

    def _lead(self, check: Callable[[], None]) -> None:
        due = DueClock(self._known.database, self._known.redis)
        cron = CronScheduler(self._known.redis, name=f"{socket.gethostname()}:leader")
        cron.get_jobs().extend(scheduled_jobs(self._known.redis, self._known.database.cells))
        announce_schedule(self._known.redis, {job.name: int(job.interval or 0) for job in cron.get_jobs()})
        LOG.info("scheduler_leads", entries=len(cron.get_jobs()))
        cron.register_birth()
        try:
            while not self._stop.is_set():
                started = time.monotonic()
                check()  # raises when the connection, and with it the lock, is gone
                due.tick(clock.now())
                cron.enqueue_jobs()
                cron.heartbeat()
                self._heartbeat.beat("running")
                self._stop.wait(max(0.05, TICK_SECONDS - (time.monotonic() - started)))
        finally:
            with contextlib.suppress(RedisError):
                cron.register_death()


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    try:
        settings = Settings.from_env()
        log.configure(settings, "scheduler")
        scheduler = Scheduler(open_context(settings))
    except (SettingsError, ServersError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, SettingsError) else 1

    def end(_number: int, _frame: FrameType | None) -> None:
        scheduler.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    scheduler.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
