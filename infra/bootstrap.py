"""Make `.venv` with everything that `run` needs; the only program that runs before the virtual environment exists.

Standard library only. Called by the Makefile as ``python3 -I infra/bootstrap.py [--dev]``; does nothing when the lock
file is the one that was installed last time. Every failure is one sentence that says what to do.
"""

import os
import shutil
import sys

OLDEST = (3, 11)

# Before anything that an older Python could not even parse or import: look for a newer one and go on with that.
if sys.version_info < OLDEST:
    for _name in ("python3.14", "python3.13", "python3.12", "python3.11"):
        _newer = shutil.which(_name)
        if _newer:
            os.execv(_newer, [_newer, "-I", *sys.argv])  # noqa: S606
    sys.exit(
        f"Broadloom needs Python {OLDEST[0]}.{OLDEST[1]} or newer, but {sys.executable} is Python "
        f"{sys.version_info[0]}.{sys.version_info[1]} and no newer one was found; install one, then run "
        "`make PYTHON=/path/to/it run`."
    )

import hashlib
import json
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "broadloom-setup.json"
_NETWORK_SIGNS = (
    "NewConnectionError",
    "name resolution",
    "Network is unreachable",
    "ConnectTimeout",
    "Could not fetch URL",
)


class SetupError(Exception):
    """Setup cannot go on; the text is one sentence for the person who called it."""


def main() -> int:
    """Set up; the exit code."""
    kind = "dev" if "--dev" in sys.argv else "run"
    try:
        if _stamp().get(kind) != _wanted(kind):
            _make_venv()
            _install(ROOT / ("requirements-dev.lock" if kind == "dev" else "requirements.lock"))
            _link()
            _write_stamp(kind)
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Setup was interrupted; run it again, it continues.\n")
        return 130
    return 0


def _make_venv() -> None:
    if _is_usable(PYTHON):
        return
    if find_spec("venv") is None or find_spec("ensurepip") is None:
        raise SetupError(
            f"{sys.executable} comes without its venv module; install it (on Debian and Ubuntu: apt-get install "
            "python3-venv), then run this again."
        )
    _say(f"Making .venv with Python {sys.version_info[0]}.{sys.version_info[1]}.")
    shutil.rmtree(VENV, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(f"The virtual environment {VENV} could not be made: {_last_line(done.stderr or done.stdout)}")


def _install(lock: Path) -> None:
    count = sum(1 for line in lock.read_text().splitlines() if line[:1].isalnum())
    _say(f"Installing {count} packages of {lock.name}; the first time this takes about a minute.")
    # --no-compile: one payment library alone would write 400 MB of bytecode that nobody reads.
    command = [
        str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--retries", "2",
        "--no-compile", "--require-hashes", "-r", str(lock),
    ]  # fmt: skip
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == 0:
        return
    if any(sign in done.stderr for sign in _NETWORK_SIGNS):
        raise SetupError(
            "The packages could not be downloaded: no package index can be reached; check the network (or the proxy "
            "and index settings of pip), then run this again."
        )
    if "No space left" in done.stderr:
        raise SetupError(f"The packages could not be installed: the disk that holds {VENV} is full.")
    raise SetupError(
        f"The packages could not be installed ({_error_line(done.stderr)}); run this again, or `make clean` first."
    )


def _link() -> None:
    """Make the checkout importable in the environment, and give it the command ``.venv/bin/broadloom``.

    By hand rather than with an editable install, which would need setuptools and a network.
    """
    found = subprocess.run(
        [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    (Path(found.stdout.strip()) / "broadloom.pth").write_text(f"{ROOT}\n")
    script = VENV / "bin" / "broadloom"
    quoted = str(PYTHON).replace("'", "'\\''")
    # -P: the folder that the command is called in must not hide our packages.
    script.write_text(f"#!/bin/sh\nexec '{quoted}' -P -m portals.cli \"$@\"\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _is_usable(python: Path) -> bool:
    """Does the environment exist, with a Python that still works and is new enough?"""
    if not python.exists():
        return False
    check = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    return subprocess.run([str(python), "-c", check], capture_output=True, check=False).returncode == 0


def _wanted(kind: str) -> str:
    lock = ROOT / ("requirements-dev.lock" if kind == "dev" else "requirements.lock")
    return hashlib.sha256(lock.read_bytes() + str(ROOT).encode()).hexdigest()


def _stamp() -> dict[str, str]:
    try:
        content = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) and PYTHON.exists() else {}


def _write_stamp(kind: str) -> None:
    # The packages of "dev" include those of "run".
    done = {name: _wanted(name) for name in (("run", "dev") if kind == "dev" else ("run",))}
    STAMP.write_text(json.dumps(done) + "\n")


def _error_line(text: str) -> str:
    errors = [line.strip() for line in text.splitlines() if line.startswith("ERROR")]
    return errors[-1][:300] if errors else _last_line(text)


def _last_line(text: str) -> str:
    return ([line.strip() for line in text.splitlines() if line.strip()] or ["no reason was given"])[-1][:300]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
