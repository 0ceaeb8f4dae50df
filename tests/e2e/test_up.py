"""The whole installation as its user runs it: started, killed in parts, stopped, started again."""

import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.embedded.process import process_exists, wait_until
from tests.fixtures.busy_machine import limit
from tests.fixtures.installation import PROGRAMS, Installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


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


@pytest.mark.parametrize("word", PROGRAMS)
def test_a_killed_process_is_replaced_and_serves_within_5_seconds(installation: Installation, word: str) -> None:
    before = installation.programs()[word]
    os.kill(before[0], signal.SIGKILL)
    killed_at = time.monotonic()
    most = limit(5) + 5  # a new program costs most of its time in imports
    # One of two websites dies, and the other answers: that needs no allowance.
    assert wait_until(installation.web_answers, limit(5) if word == "gunicorn" else most)

    def heirs() -> list[int]:
        return [pid for pid in installation.programs().get(word, []) if pid not in before]

    assert wait_until(lambda: bool(heirs()), limit(5))
    if word.startswith(("radius_cluster", "workers")):  # it works: it has said so in the registry
        [heir] = heirs()
        with psycopg.connect(installation.database_url(), autocommit=True) as registry:
            beats = "SELECT 1 FROM registry.nodes WHERE pid = %s AND state IN ('running', 'standby')"
            assert wait_until(
                lambda: registry.execute(beats, [heir]).fetchone() is not None,
                most - (time.monotonic() - killed_at),
                0.05,
            )


def test_it_stops_cleanly_and_starts_again_quickly(installation: Installation) -> None:
    programs = installation.programs()
    assert installation.stop() < limit(5) + 5
    assert installation.printed.rstrip().endswith("Stopped.")
    assert not [name for name, pids in programs.items() if any(map(process_exists, pids))]
    assert not (installation.folder / "data" / "run" / "servers.json").exists()
    assert installation.start() < limit(10) + 20  # seven programs, whose start costs both cores
    assert "Access-Accept" in installation.printed
