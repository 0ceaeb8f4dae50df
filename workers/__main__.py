"""``python -m workers``: two RQ workers, one for what is precise and one for everything else.

The parent only watches and reports; when a child ends, all end, and the supervisor starts them anew. The children are
forked after everything is imported, so they share its memory.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

import structlog
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from infra import log
from infra.embedded.process import die_with_parent
from infra.errors import ServersError
from infra.queue import DEFAULT, DUE, SLOW, queue
from infra.servers import resolve
from infra.settings import Settings, SettingsError
from workers.context import open_context
from workers.heartbeat import Heartbeat
from workers.jobs import deliver, run_due, sweeps  # imported before the fork, so that the children share them

LOG = structlog.get_logger(__name__)
DIVISION: tuple[tuple[str, ...], ...] = ((DUE,), (DEFAULT, SLOW))
JOB_MODULES = (deliver, run_due, sweeps)
_PAUSE_SECONDS = 0.5
_PATIENCE_SECONDS = 8.0


def work(settings: Settings, queues: Sequence[str]) -> None:
    """One RQ worker in this process, until SIGTERM; the present job is finished first."""
    known = open_context(settings)
    worker = SimpleWorker(
        [queue(known.redis, name) for name in queues],
        connection=known.redis,
        serializer=JSONSerializer,
        log_job_description=False,
    )
    worker.work(logging_level="WARNING", with_scheduler=False)


class Parent:
    """Forks the workers and watches them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._children: list[int] = []
        self._stopping = False

    def run(self) -> int:
        """Until a signal asks to stop (0), or a worker ends by itself (1)."""
        self._children = [self._fork(queues) for queues in DIVISION]
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        signal.signal(signal.SIGINT, self._ask_to_stop)
        heartbeat = Heartbeat(open_context(self._settings).database, "worker", tuple(self._children))
        while not self._stopping:
            heartbeat.beat(counters={"queues": [", ".join(queues) for queues in DIVISION]})
            if self._reap():
                LOG.error("worker_ended", pid=self._children)
                break
            time.sleep(_PAUSE_SECONDS)
        asked = self._stopping
        self._end_children()
        heartbeat.sign_off()
        return 0 if asked else 1

    def _fork(self, queues: Sequence[str]) -> int:
        tie_to_parent = die_with_parent(signal.SIGTERM)
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            tie_to_parent()
            work(self._settings, queues)
            code = 0
        except (ServersError, OSError) as error:
            LOG.error("worker_not_started", error=str(error))
        finally:
            os._exit(code)  # not the parent's clean-up

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _reap(self) -> bool:
        """Whether any child has ended."""
        pid, _status = os.waitpid(-1, os.WNOHANG)
        if pid in self._children:
            self._children.remove(pid)
        return pid != 0

    def _end_children(self) -> None:
        """Let each finish its job, but not for ever: what is killed is taken up by the next one."""
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._children and time.monotonic() < deadline:
            self._reap() if self._children else None
            time.sleep(0.05)
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    try:
        settings = Settings.from_env()
        log.configure(settings, "worker")
        resolve(settings)  # say it in one sentence before forking
        return Parent(settings).run()
    except (SettingsError, ServersError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, SettingsError) else 1


if __name__ == "__main__":
    sys.exit(main())
