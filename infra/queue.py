"""The job queues (RQ over Redis): JSON arguments only, and what the platform's jobs page shows of them.

Three queues, so that nothing slow stands in the way of what is precise: ``due`` (cut-offs, to the second), ``default``
(mail, effects of transactions), ``slow`` (sweeps, reports, whatever takes more than a moment).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis
from rq import Queue
from rq.cron import get_cron_job_ids
from rq.cron_job_registry import get_names, get_registry_key
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

DUE, DEFAULT, SLOW = "due", "default", "slow"
QUEUES = (DUE, DEFAULT, SLOW)
JOB_SECONDS = {DUE: 60, DEFAULT: 180, SLOW: 900}  # a job that takes longer is stopped and counted as failed
FAILURE_DAYS = 7
_RESULT_SECONDS = 3600
_SCHEDULE_KEY = "work:schedule"


def connect(redis_url: str) -> "Redis":
    """A connection pool; cheap, connects on first use."""
    return Redis.from_url(redis_url, socket_keepalive=True, health_check_interval=30)


def queue(connection: "Redis", name: str) -> Queue:
    """One queue with our serializer."""
    return Queue(name, connection=connection, serializer=JSONSerializer, default_timeout=JOB_SECONDS[name])


@dataclass(frozen=True, slots=True)
class Task:
    """A job to enqueue: the dotted name of a job function, and arguments that JSON can hold (tenant first)."""

    function: str
    arguments: tuple[Any, ...]


def enqueue(connection: "Redis", name: str, tasks: Iterable[Task], *, keep_seconds: int = _RESULT_SECONDS) -> int:
    """Enqueue all tasks in one round trip; gives how many. Finished jobs are forgotten after ``keep_seconds``."""
    target = queue(connection, name)
    prepared = [
        Queue.prepare_data(
            task.function,
            args=task.arguments,
            timeout=JOB_SECONDS[name],
            result_ttl=keep_seconds,
            failure_ttl=FAILURE_DAYS * 86_400,
        )
        for task in tasks
    ]
    if prepared:
        target.enqueue_many(prepared)
    return len(prepared)


def take_leases(connection: "Redis", keys: Sequence[str], seconds: int) -> list[bool]:
    """Try to hold each key for so long; True where nobody else holds it."""
    with connection.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.set(key, "1", nx=True, ex=seconds)
        return [bool(answer) for answer in pipeline.execute()]


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue: waiting, running, failed jobs (of the last days), and since when the oldest waits."""

    name: str
    waiting: int
    running: int
    failed: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that failed: what, for whom (first argument), when, and the last line of why."""

    id: str
    queue: str
    function: str
    arguments: tuple[Any, ...]
    ended_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """A line of the schedule: when it was last enqueued and how that run ended (queued, started, finished, failed)."""

    name: str
    last_at: datetime | None
    last_status: str
    last_result: Any
    every_seconds: int | None = None  # None: the scheduler that leads does not know this line any more

    @property
    def next_at(self) -> datetime | None:
        """When it runs again, if it ran at all."""
        if self.last_at is None or self.every_seconds is None:
            return None
        return self.last_at + timedelta(seconds=self.every_seconds)


def queue_states(connection: "Redis") -> list[QueueState]:
    """All queues, the most urgent first."""
    states = []
    for name in QUEUES:
        one = queue(connection, name)
        ids = one.get_job_ids(0, 1)
        oldest = _fetch(connection, ids[0]) if ids else None
        states.append(
            QueueState(
                name,
                one.count,
                one.started_job_registry.count,
                one.failed_job_registry.count,
                oldest.enqueued_at if oldest is not None else None,
            )
        )
    return states


def failed_jobs(connection: "Redis", limit: int = 50) -> list[FailedJob]:
    """The newest failed jobs of all queues."""
    found = []
    for name in QUEUES:
        for job_id in queue(connection, name).failed_job_registry.get_job_ids(desc=True)[:limit]:
            job = _fetch(connection, job_id)
            if job is not None:
                found.append(_failed(job, name))
    return sorted(found, key=lambda job: job.ended_at or datetime.min.replace(tzinfo=UTC), reverse=True)[:limit]


def retry_job(connection: "Redis", job_id: str) -> bool:
    """Enqueue a failed job again; False when it is not there any more."""
    job = _fetch(connection, job_id)
    if job is None or not job.is_failed:
        return False
    queue(connection, job.origin).failed_job_registry.requeue(job_id)
    return True


def forget_job(connection: "Redis", job_id: str) -> bool:
    """Delete a failed job; False when it is not there any more."""
    job = _fetch(connection, job_id)
    if job is None or not job.is_failed:
        return False
    job.delete()
    return True


def schedule_states(connection: "Redis") -> list[ScheduleState]:
    """The lines of the schedule that have run or will, by name, each with its last run."""
    raw: Any = connection.hgetall(_SCHEDULE_KEY)
    announced = {name.decode(): int(seconds) for name, seconds in raw.items()}
    names = {*get_names(connection), *announced}
    return [replace(_schedule_state(connection, name), every_seconds=announced.get(name)) for name in sorted(names)]


def announce_schedule(connection: "Redis", seconds_by_name: dict[str, int]) -> None:
    """Let others see what the leading scheduler runs, and how often."""
    with connection.pipeline(transaction=True) as pipeline:
        pipeline.delete(_SCHEDULE_KEY)
        if seconds_by_name:
            pipeline.hset(_SCHEDULE_KEY, mapping={name: str(value) for name, value in seconds_by_name.items()})
        pipeline.execute()


def last_enqueued(connection: "Redis", name: str) -> datetime | None:
    """When a line of the schedule was last enqueued, by whichever scheduler."""
    score = connection.zscore(get_registry_key(), name)
    return None if score is None else datetime.fromtimestamp(score, UTC)


def _schedule_state(connection: "Redis", name: str) -> ScheduleState:
    ids = get_cron_job_ids(name, connection, 0, 0)
    job = _fetch(connection, ids[0]) if ids else None
    status = "" if job is None else str(job.get_status(refresh=False) or "")
    result = job.return_value() if job is not None and job.is_finished else None
    return ScheduleState(name, last_enqueued(connection, name), status.removeprefix("JobStatus.").lower(), result)


def _failed(job: Job, name: str) -> FailedJob:
    latest = job.latest_result()
    trace = (latest.exc_string if latest is not None else "") or ""
    lines = [line for line in trace.strip().splitlines() if line.strip()]
    return FailedJob(
        job.id, name, job.func_name or "", tuple(job.args or ()), job.ended_at, lines[-1].strip() if lines else ""
    )


def _fetch(connection: "Redis", job_id: str) -> Job | None:
    try:
        return Job.fetch(job_id, connection=connection, serializer=JSONSerializer)
    except NoSuchJobError:
        return None
