"""What `broadloom up` refuses before it starts anything: one sentence, the right exit code, nothing left behind."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.data_folder import held_lock, prepare_folder
from infra.ports import choose_free_port


def up(data_dir: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("BROADLOOM_")},
        "BROADLOOM_DATA_DIR": str(data_dir),
        "BROADLOOM_WEB_PORT": str(choose_free_port()),
        "BROADLOOM_RADIUS_AUTH_PORT": str(choose_free_port()),
        "BROADLOOM_RADIUS_ACCT_PORT": str(choose_free_port()),
        "BROADLOOM_RADSEC_PORT": str(choose_free_port()),
        **settings,
    }
    command = [sys.executable, "-m", "portals.cli", "up", "--no-demo"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def assert_refused(done: subprocess.CompletedProcess[str], exit_code: int, *words: str) -> None:
    assert done.returncode == exit_code
    assert len(done.stderr.splitlines()) == 1
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("name", ["WEB_PORT", "RADIUS_AUTH_PORT", "RADIUS_ACCT_PORT", "RADSEC_PORT"])
def test_a_port_in_use_names_the_setting_to_change(tmp_path: Path, name: str) -> None:
    kind = socket.SOCK_STREAM if name in ("WEB_PORT", "RADSEC_PORT") else socket.SOCK_DGRAM
    port = choose_free_port()
    with socket.socket(socket.AF_INET, kind) as thief:
        thief.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            thief.listen()
        done = up(tmp_path / "data", **{f"BROADLOOM_{name}": str(port)})
    assert_refused(done, 2, f"port {port}", f"BROADLOOM_{name}")
    assert not (tmp_path / "data" / "postgres").exists()


def test_an_address_of_another_machine_names_the_setting_to_change(tmp_path: Path) -> None:
    assert_refused(up(tmp_path / "data", BROADLOOM_BIND="192.0.2.1"), 2, "192.0.2.1", "BROADLOOM_BIND")


def test_a_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    assert_refused(up(tmp_path / "data", BROADLOOM_WEB_PORT="http"), 2, "BROADLOOM_WEB_PORT", "whole number")
    assert_refused(up(tmp_path / "data", BROADLOOM_COLOUR="red"), 2, "BROADLOOM_COLOUR", "unknown")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in place of the folder")
    assert_refused(up(tmp_path / "data"), 2, "BROADLOOM_DATA_DIR")


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    url = f"postgresql://me:secret-word@127.0.0.1:{choose_free_port()}/x"
    done = up(tmp_path / "data", BROADLOOM_DATABASE_URL=url)
    assert_refused(done, 1, "cannot be reached", "BROADLOOM_DATABASE_URL")
    assert "secret-word" not in done.stderr


def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path / "data")
    folder.pid_file.write_text("4711\n")
    with held_lock(folder):
        assert_refused(up(tmp_path / "data"), 1, "already runs", "4711")
