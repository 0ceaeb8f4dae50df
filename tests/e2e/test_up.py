"""The whole installation as its user runs it: started, killed in parts, stopped, started again."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.process import process_exists, wait_until
from infra.ports import choose_free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Installation:
    """An installation of its own folder and ports, with the demonstration tenants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.web_port = choose_free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BROADLOOM_")},
            "BROADLOOM_DATA_DIR": str(folder / "data"),
            "BROADLOOM_WEB_PORT": str(self.web_port),
            "BROADLOOM_RADIUS_AUTH_PORT": str(choose_free_port()),
            "BROADLOOM_RADIUS_ACCT_PORT": str(choose_free_port()),
            "BROADLOOM_RADSEC_PORT": str(choose_free_port()),
        }
        self.printed = ""
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Start and wait for the box; the seconds it took."""
        started_at = time.monotonic()
        self.printed = ""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "portals.cli", "up"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert wait_until(lambda: "└" in self.printed or self._process.poll() is not None, 90), self.printed
        assert "└" in self.printed, self.printed
        return time.monotonic() - started_at

    def stop(self) -> float:
        """Ctrl-C; the seconds it took."""
        if self._process is None:
            return 0.0
        stopped_at = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        assert self._reader is not None
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return time.monotonic() - stopped_at

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "portals.cli", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)

    def programs(self) -> dict[str, int]:
        """Process number by a word of the command line, of the direct children of the supervisor."""
        words = (
            "gunicorn",
            "radius_cluster.coa",
            "radius_cluster",
            "workers.scheduler",
            "workers",
            "postgres",
            "valkey",
        )
        found: dict[str, int] = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            for number in (task / "children").read_text().split():
                line = Path(f"/proc/{number}/cmdline").read_text()
                found.setdefault(next((word for word in words if word in line), line), int(number))
        return found

    def web_answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.printed += line


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="broadloom-up-") as folder:
        installation = Installation(Path(folder))
        installation.start()
        yield installation
        installation.stop()


def test_the_box_shows_a_real_accept_addresses_and_logins(installation: Installation) -> None:
    assert "Access-Accept" in installation.printed
    assert f"http://127.0.0.1:{installation.web_port}" in installation.printed
    assert installation.web_answers()


def test_a_command_acts_on_the_running_installation(installation: Installation) -> None:
    done = installation.run("tenant", "list", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) >= 2


def test_it_cannot_be_started_twice(installation: Installation) -> None:
    done = installation.run("up")
    assert done.returncode == 1
    assert f"process {installation.pid}" in done.stderr


@pytest.mark.parametrize("word", ["gunicorn", "radius_cluster", "workers", "workers.scheduler", "valkey", "postgres"])
def test_a_killed_process_is_replaced_and_the_web_serves_within_5_seconds(
    installation: Installation, word: str
) -> None:
    killed = installation.programs()[word]
    os.kill(killed, signal.SIGKILL)
    killed_at = time.monotonic()
    assert wait_until(lambda: installation.programs().get(word, killed) != killed, 5)
    assert wait_until(installation.web_answers, 5 - (time.monotonic() - killed_at))


def test_it_stops_cleanly_and_starts_again_quickly(installation: Installation) -> None:
    programs = installation.programs()
    assert installation.stop() < 5 + 2  # 5 s and what a loaded machine adds
    assert installation.printed.rstrip().endswith("Stopped.")
    assert not [name for name, pid in programs.items() if process_exists(pid)]
    assert not (installation.folder / "data" / "run" / "servers.json").exists()
    assert installation.start() < 10 + 5  # 10 s on an idle machine
    assert "Access-Accept" in installation.printed
