"""Setting up on a machine that lacks something: one sentence that says what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_a_python_that_is_too_old_is_named_with_the_way_out() -> None:
    pretend = (
        "import runpy, sys; sys.version_info = (3, 8, 1);"
        f"runpy.run_path({str(ROOT / 'infra' / 'bootstrap.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", pretend], env={"PATH": "/nonexistent"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_no_network_is_one_sentence_and_nothing_counts_as_installed(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    shutil.copy(ROOT / "infra" / "bootstrap.py", tmp_path / "infra")
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    without_index = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    without_index |= {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    done = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "infra" / "bootstrap.py")],
        env=without_index,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "check the network" in done.stderr
    assert not (tmp_path / ".venv" / "broadloom-setup.json").exists()
