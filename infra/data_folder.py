"""The data folder of an installation: its lay-out, its lock, and what the embedded servers must remember.

<data_dir>/embedded.json   ports and passwords, chosen once (mode 600)
<data_dir>/postgres/       PostgreSQL's data        <data_dir>/valkey/  Valkey's append-only file
<data_dir>/log/            server logs              <data_dir>/run/     lock, servers.json, supervisor.pid, sockets
"""

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infra.errors import ServersError
from infra.settings import SettingsError


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Absolute paths inside the data folder."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def servers_file(self) -> Path:
        return self.run / "servers.json"

    @property
    def pid_file(self) -> Path:
        return self.run / "supervisor.pid"

    @property
    def lock_file(self) -> Path:
        return self.run / "lock"


@dataclass(frozen=True, slots=True)
class EmbeddedState:
    """What is chosen once and kept, so that addresses and passwords stay the same between runs."""

    postgres_port: int = 0
    redis_port: int = 0
    postgres_password: str = field(default_factory=lambda: secrets.token_hex(24))
    redis_password: str = field(default_factory=lambda: secrets.token_hex(24))


def prepare_folder(data_dir: Path) -> DataFolder:
    """Create the folder and its parts. Raises :class:`SettingsError` when that is not possible."""
    folder = DataFolder(data_dir.expanduser().absolute())
    try:
        for path in (folder.root, folder.log, folder.run):
            path.mkdir(parents=True, exist_ok=True)
        probe = folder.run / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingsError(
            f"The data folder {folder.root} cannot be written ({reason}); give this user the right to, "
            "or set BROADLOOM_DATA_DIR to another folder."
        ) from None
    return folder


def load_state(folder: DataFolder) -> EmbeddedState:
    """The kept ports and passwords; made at the first call. Raises :class:`ServersError` for a damaged file."""
    path = folder.root / "embedded.json"
    try:
        return EmbeddedState(**json.loads(path.read_text()))
    except FileNotFoundError:
        return EmbeddedState()
    except PermissionError:
        raise ServersError("not_permitted", f"{path} belongs to another user; start Broadloom as that user.") from None
    except (OSError, ValueError, TypeError) as error:
        raise ServersError(
            "state_unreadable",
            f"{path} cannot be read ({type(error).__name__}); restore it from a backup of the data folder.",
        ) from None


def save_state(folder: DataFolder, state: EmbeddedState, **changes: Any) -> EmbeddedState:
    """Keep the state with ``changes``; written whole or not at all."""
    path = folder.root / "embedded.json"
    old, state = state, replace(state, **changes)
    if state == old and path.exists():
        return state
    text = json.dumps({name: getattr(state, name) for name in EmbeddedState.__slots__}, indent=1)
    write_private(path, text)
    return state


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all.

    The owner is the folder's: what root writes into a user's installation must not lock that user out.
    """
    unfinished = path.with_name(f".{path.name}-{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
    unfinished.replace(path)


@contextlib.contextmanager
def held_lock(folder: DataFolder, wait_seconds: float = 1.0) -> Iterator[bool]:
    """Be the one owner of the installation's servers. Yields False when another process still is after the wait.

    The kernel drops the lock with the process, so a killed owner leaves nothing behind.
    """
    fd = os.open(folder.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _try_lock(fd, fcntl.LOCK_EX, wait_seconds)
    finally:
        os.close(fd)


def is_owned(folder: DataFolder) -> bool:
    """Does a living process own the servers of this installation?"""
    try:
        fd = os.open(folder.lock_file, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(fd, fcntl.LOCK_SH, 0)
    finally:
        os.close(fd)


def _try_lock(fd: int, kind: int, wait_seconds: float) -> bool:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        else:
            return True
