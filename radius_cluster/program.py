"""What the three programs of the cluster have in common: settings, servers, log, end."""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress

import structlog
import uvloop

from infra.errors import ServersError
from infra.log import configure
from infra.servers import Servers, resolve
from infra.settings import Settings, SettingsError
from radius_cluster.listen.database import spare_element_checks
from radius_cluster.listen.raise_backend import raise_session

_PR_SET_PDEATHSIG = 1
_NICENESS = -10


def run_program(name: str, serve: Callable[[Settings, Servers], Coroutine[None, None, None]]) -> int:
    """Serve until ``serve`` ends. Exit codes: 0 stopped as asked, 1 cannot serve, 2 wrong settings."""
    try:
        settings = Settings.from_env()
        servers = resolve(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except ServersError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    configure(settings, name)
    _follow_parent()
    _open_many_files()
    spare_element_checks()
    try:
        uvloop.run(serve(settings, servers))
    except OSError as error:
        structlog.get_logger(__name__).error(f"{name}_cannot_listen", error=str(error))
        return 1
    return 0


def _follow_parent() -> None:
    """End when the parent ends, also by kill -9: the supervisor's restart must find the ports free."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _open_many_files() -> None:
    """As many as the system allows: of the usual 1,024 RadSec would turn most of its routers away."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def go_first(pid: int = 0) -> None:
    """Get the processor before the website, jobs and the database's housekeeping: a router waits for a second or two.

    At 80 % of what two cores can do this halved the p99 of logins. The system allows it to root; others stay where they
    are. ``pid`` 0 is this process; what it starts later, and its lanes' backends (listen/raise_backend.py), follow.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _NICENESS)
        raise_session(pid or os.getpid(), _NICENESS)


def interrupt_nobody() -> None:
    """Wait, when there is something to do again, until who is at work sleeps or has had its turn (SCHED_BATCH).

    Being first, each datagram's arrival would stop the neighbour that sends or the backend that stores: reports were
    read one by one, with a change of process for each. Read a dozen at a time they cost a fifth less.
    """
    with suppress(AttributeError, OSError):  # Linux has it
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
