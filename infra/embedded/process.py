"""One server process: started as its user, tied to the life of its parent, stopped by the signal that it wants."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.embedded.identity import ServerUser

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)  # loaded before any fork: the child must not import or allocate much


def die_with_parent(death_signal: int) -> Callable[[], None]:
    """A ``preexec_fn``: the kernel sends ``death_signal`` to the process when the thread that started it ends.

    It runs after the switch of the user, as it must: a change of credentials clears the setting.
    """
    parent = os.getpid()

    def set_death_signal() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the line above
            os.kill(os.getpid(), death_signal)

    return set_death_signal


def start_process(
    argv: Sequence[str],
    *,
    user: ServerUser | None,
    log_path: Path,
    death_signal: int,
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server; its output goes to ``log_path``. It leads its own session, so that Ctrl-C does not reach it."""
    with log_path.open("ab") as log:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=dict(env or SERVER_ENVIRONMENT),
            start_new_session=True,
            pass_fds=tuple(pass_fds),
            preexec_fn=die_with_parent(death_signal),
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )


# Nothing of ours is handed down: no secrets, no locale surprises.
SERVER_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def stop_process(process: subprocess.Popen[bytes], signals: Sequence[tuple[int, float]]) -> None:
    """Ask to stop with each (signal, seconds to wait) in turn; SIGKILL is the last word."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return
    process.kill()
    process.wait()


def wait_until(condition: Callable[[], bool], seconds: float, every_seconds: float = 0.01) -> bool:
    """Poll until the condition holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_seconds)
    return True


def process_exists(pid: int) -> bool:
    """Is there a process of this number that is not a zombie?"""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"


def end_leftover(pid: int, gentle_signal: int, seconds: float) -> None:
    """End a server that outlived its supervisor: wait, then ask, then insist."""
    if wait_until(lambda: not process_exists(pid), seconds):
        return
    for number in (gentle_signal, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_until(lambda: not process_exists(pid), seconds):
            return


def last_lines(path: Path, count: int = 3, size_bytes: int = 4000) -> str:
    """The end of a log in one line, for an error message."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size_bytes))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return " / ".join(lines[-count:])
