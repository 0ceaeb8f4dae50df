"""``python -m workers``: two RQ workers in one process, one for what is precise and one for everything else.

Threads, not processes: an idle worker costs 80 MB, and their work is the database's. The main thread watches and
reports; when a worker ends by itself the process ends, and the supervisor starts it anew.
"""

import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any

import structlog
from redis.client import Pipeline
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from infra import log
from infra.errors import ServersError
from infra.queue import DEFAULT, DUE, SLOW, queue
from infra.settings import Settings, SettingsError
from workers.context import Context, open_context
from workers.heartbeat import Heartbeat

LOG = structlog.get_logger(__name__)
DIVISION: tuple[tuple[str, ...], ...] = ((DUE,), (DEFAULT, SLOW))
_PATIENCE_SECONDS = 8.0
_LISTEN_SECONDS = 1  # how long a worker may not notice that it is to end; the supervisor waits little longer


class ThreadWorker(SimpleWorker):
    """An RQ worker beside others in one process: no signals of its own, ended by a flag."""

    death_penalty_class = TimerDeathPenalty  # SIGALRM reaches the main thread only
    max_connection_wait_time = (
        2.0  # seconds between tries while Redis is away; RQ's minute is a minute of cut-offs late
    )

    def __init__(self, known: Context, queues: Sequence[str]) -> None:
        super().__init__(
            [queue(known.redis, name) for name in queues],
            connection=known.redis,
            serializer=JSONSerializer,
            log_job_description=False,
            worker_ttl=_LISTEN_SECONDS + 15,  # RQ listens so much less than it promises to live
        )
        self._ending = False

    def end(self) -> None:
        """Finish the present job and stop."""
        self._ending = True

    def heartbeat(self, timeout: int | None = None, pipeline: "Pipeline | None" = None) -> Any:
        """RQ's, called between jobs and while listening: the place to notice that this is the end."""
        if self._ending and pipeline is None:
            raise StopRequested
        return super().heartbeat(timeout, pipeline)

    def _install_signal_handlers(self) -> None:
        """Signals belong to the main thread."""

    def run(self) -> None:
        """Work until :meth:`end`, or until Redis stays away for too long."""
        self.work(logging_level="WARNING")


class Workers:
    """The workers of this process and the thread that watches them."""

    def __init__(self, known: Context) -> None:
        self._workers = [ThreadWorker(known, queues) for queues in DIVISION]
        self._threads = [
            threading.Thread(target=worker.run, name=" ".join(queues), daemon=True)
            for worker, queues in zip(self._workers, DIVISION, strict=True)
        ]
        self._heartbeat = Heartbeat(known.database, "worker")
        self._stop = threading.Event()

    def stop(self) -> None:
        """End after the present jobs."""
        self._stop.set()

    def run(self) -> int:
        """Until :meth:`stop` (0), or until a worker ends by itself (1)."""
        for thread in self._threads:
            thread.start()
        lost: list[str] = []
        while not lost and not self._stop.wait(0.5):
            self._heartbeat.beat(counters={"queues": [thread.name for thread in self._threads]})
            lost = [thread.name for thread in self._threads if not thread.is_alive()]
        if lost:
            LOG.error("worker_ended", queues=lost)
        for worker in self._workers:
            worker.end()
        for thread in self._threads:  # what is still running then is cut off, and taken up by the next worker
            thread.join(_PATIENCE_SECONDS / len(self._threads))
        self._heartbeat.sign_off()
        return 1 if lost else 0


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    try:
        settings = Settings.from_env()
        log.configure(settings, "worker")
        workers = Workers(open_context(settings))
    except (SettingsError, ServersError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, SettingsError) else 1

    def end(_number: int, _frame: FrameType | None) -> None:
        workers.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return workers.run()


if __name__ == "__main__":
    sys.exit(main())
