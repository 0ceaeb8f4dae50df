"""The supervisor with real but small processes."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

from infra.child_process import ChildProcess
from infra.embedded.process import process_exists, wait_until
from infra.supervisor import Output, Supervisor
from tests.fixtures.busy_machine import limit

LOYAL = "import time; print('hello', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('hello', flush=True); time.sleep(600)"
)
MASTER = """
import os, time
if os.fork() == 0:
    print("servant", os.getpid(), flush=True)
    time.sleep(600)
time.sleep(600)
"""


def supervise(children: list[ChildProcess], story: Callable[[io.StringIO], None]) -> str:
    """Run the supervisor here while ``story`` happens in a thread; then end it by a signal, as Ctrl-C does."""
    stream = io.StringIO()
    failures: list[BaseException] = []

    def tell() -> None:
        try:
            story(stream)
        except BaseException as failure:
            failures.append(failure)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=tell)
    supervisor = Supervisor(children, Output([child.name for child in children], stream))
    thread.start()
    supervisor.run(start=[child.name for child in children], after_start=lambda: "all started\n")
    thread.join()
    if failures:
        raise failures[0]
    return stream.getvalue()


def program(name: str, code: str) -> ChildProcess:
    return ChildProcess(name, [sys.executable, "-u", "-c", code])


def says(stream: io.StringIO, text: str, count: int = 1) -> bool:
    return wait_until(lambda: stream.getvalue().count(text) >= count, 30)


def test_a_killed_process_is_running_again_at_once_and_said_so() -> None:
    child = program("web", LOYAL)

    def story(stream: io.StringIO) -> None:
        assert says(stream, "hello")
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        killed_at = time.monotonic()
        assert says(stream, "hello", 2)
        assert time.monotonic() - killed_at < limit(5)
        assert child.pid != first

    printed = supervise([child], story)
    assert "web was ended by signal 9; starting it again in 0.2 s." in printed
    assert "web       | hello" in printed
    assert "all started" in printed
    assert child.pid is None


def test_what_a_killed_master_left_behind_is_ended() -> None:
    child = program("web", MASTER)

    def story(stream: io.StringIO) -> None:
        assert says(stream, "servant")
        servant = int(stream.getvalue().split("servant ")[1].split()[0])
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        assert wait_until(lambda: not process_exists(servant), 30)
        assert says(stream, "servant", 2)

    supervise([child], story)


def test_a_process_that_keeps_dying_is_started_ever_more_slowly() -> None:
    def story(stream: io.StringIO) -> None:
        assert says(stream, "in 0.8 s")

    printed = supervise([program("web", "raise SystemExit(3)")], story)
    assert [f"in {delay} s" in printed for delay in ("0.2", "0.4", "0.8")] == [True] * 3
    assert "ended with exit code 3" in printed


def test_a_process_that_does_not_stop_is_ended_in_time() -> None:
    child = program("web", STUBBORN)
    stopped_at = 0.0

    def story(stream: io.StringIO) -> None:
        nonlocal stopped_at
        assert says(stream, "hello")
        stopped_at = time.monotonic()

    printed = supervise([child], story)
    assert time.monotonic() - stopped_at < limit(5)
    assert "web did not stop in time and is ended." in printed


def test_a_second_signal_ends_everything_at_once() -> None:
    child = program("web", STUBBORN)

    def story(stream: io.StringIO) -> None:
        assert says(stream, "hello")
        os.kill(os.getpid(), signal.SIGTERM)
        assert says(stream, "Stopping")

    assert "Ending at once." in supervise([child], story)
    assert child.pid is None


def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        import sys
        from infra.child_process import ChildProcess
        from infra.supervisor import Output, Supervisor
        CODE = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
        child = ChildProcess("web", [sys.executable, "-c", CODE])
        Supervisor([child], Output(["web"], open({str(tmp_path / "out")!r}, "w"))).run(start=["web"])
    """)
    owner = subprocess.Popen([sys.executable, "-c", code])
    out = tmp_path / "out"
    assert wait_until(lambda: out.exists() and out.read_text().endswith("\n"), 30)
    pid = int(out.read_text().split("| ")[1])
    owner.kill()
    owner.wait()
    assert wait_until(lambda: not process_exists(pid), 30)
