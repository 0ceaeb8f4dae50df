"""The embedded Redis: a Valkey server that keeps its data in an append-only file."""

import os
import signal
import socket
import subprocess
from pathlib import Path

from infra.data_folder import write_private
from infra.embedded.binaries import Binaries
from infra.embedded.identity import ServerUser, give_to, hand_over
from infra.embedded.process import last_lines, start_process, stop_process, wait_until
from infra.errors import ServersError

_CONFIGURATION = """
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
appendonly yes
appendfsync {appendfsync}
save ""
maxmemory-policy noeviction
daemonize no
logfile ""
loglevel warning
"""


class EmbeddedValkey:
    """One server over ``data``; owned by one process."""

    def __init__(self, binaries: Binaries, data: Path, log_path: Path, user: ServerUser | None, fsync: bool) -> None:
        self._binaries = binaries
        self._data = data
        self._log_path = log_path
        self._user = user
        self._fsync = fsync
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    def is_alive(self) -> bool:
        return self.pid is not None

    def start(self, port: int, password: str, ready_within_seconds: float = 60.0) -> None:
        """Start and wait until commands are answered. Raises :class:`ServersError`; nothing runs then."""
        if self._user is None and self._data.exists() and self._data.stat().st_uid != os.geteuid():
            raise ServersError(
                "data_of_another_user",
                f"{self._data} belongs to another user (the servers were started as root before); start as root again, "
                "or set BROADLOOM_DATA_DIR to another folder.",
            )
        self._data.mkdir(mode=0o700, exist_ok=True)
        give_to(self._user, self._data)
        handed = hand_over(self._user, self._data)
        conf = self._data / "valkey.conf"  # a file, because command lines can be read by everybody
        write_private(
            conf,
            _CONFIGURATION.format(
                port=port, password=password, folder=f'"{handed.path}"', appendfsync="everysec" if self._fsync else "no"
            ),
        )
        give_to(self._user, conf)
        try:
            self._process = start_process(
                [str(self._binaries.valkey_server), f"{handed.path}/valkey.conf"],
                user=self._user,
                log_path=self._log_path,
                death_signal=signal.SIGTERM,
                pass_fds=handed.fds,
            )
        finally:
            handed.close()
        wait_until(lambda: not self.is_alive() or _answers(port, password), ready_within_seconds)
        if not self.is_alive() or not _answers(port, password):
            self.stop()
            raise ServersError(
                "redis_not_started",
                f"Redis (Valkey) did not start: {last_lines(self._log_path)} (log: {self._log_path})",
            )

    def stop(self) -> None:
        """SIGTERM: the append-only file is written out first."""
        if self._process is not None:
            stop_process(self._process, [(signal.SIGTERM, 4.0)])
            self._process = None


def _answers(port: int, password: str) -> bool:
    # By hand instead of by the redis package: importing that takes longer than the server needs to start.
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                part = connection.recv(200)
                if not part:
                    return False
                answer += part
            return answer.endswith(b"+PONG\r\n")
    except OSError:
        return False
