"""The table of the programs that make up a running installation, and the ports that they need."""

import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.child_process import ChildProcess
from infra.settings import Settings

# (name of the setting without its prefix, kind of the port)
PORTS: tuple[tuple[str, socket.SocketKind], ...] = (
    ("WEB_PORT", socket.SOCK_STREAM),
    ("RADIUS_AUTH_PORT", socket.SOCK_DGRAM),
    ("RADIUS_ACCT_PORT", socket.SOCK_DGRAM),
    ("RADSEC_PORT", socket.SOCK_STREAM),
)

_WEB_THREADS = 8
_WEB_GRACE_SECONDS = 2  # below the supervisor's own patience


def process_table(settings: Settings) -> list[ChildProcess]:
    """All programs, in the order in which they are started. They find the servers by ``infra.servers.resolve``."""
    web = _python("gunicorn", *_web_arguments(settings))
    table = [ChildProcess(name, web) for name in _numbered("web", settings.web_processes)]
    table += [ChildProcess(name, _python("radius_cluster")) for name in _numbered("radius", settings.radius_processes)]
    table += [ChildProcess("radsec", _python("radius_cluster.radsec"))]
    table += [ChildProcess("coa", _python("radius_cluster.coa"))]
    table += [ChildProcess(name, _python("workers")) for name in _numbered("worker", settings.worker_processes)]
    table += [ChildProcess("scheduler", _python("workers.scheduler"))]
    return table


def _numbered(name: str, count: int) -> list[str]:
    return [f"{name}-{number}" for number in range(1, count + 1)]


def _python(module: str, *arguments: str) -> Sequence[str]:
    # -u: their lines reach the supervisor at once, not when a buffer is full.
    return (sys.executable, "-u", "-m", module, *arguments)


def _web_arguments(settings: Settings) -> Sequence[str]:
    host = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
    return (
        "wsgi:app",
        f"--bind={host}:{settings.web_port}",
        "--reuse-port",  # all of them listen: while one that died is started again, the others answer
        "--workers=1",
        "--preload",  # a worker that dies is forked again at once, not imported
        "--worker-class=gthread",
        f"--threads={_WEB_THREADS}",
        f"--graceful-timeout={_WEB_GRACE_SECONDS}",
        "--log-level=warning",
        "--no-control-socket",  # its default place is one per user, and two installations may run side by side
        *(["--worker-tmp-dir=/dev/shm"] if Path("/dev/shm").is_dir() else []),  # heartbeats must not wait for a disk  # noqa: S108
    )
