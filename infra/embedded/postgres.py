"""The embedded PostgreSQL: made by initdb once, started and stopped with the installation."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from infra.embedded.binaries import Binaries
from infra.embedded.huge_pages import allow_huge_pages
from infra.embedded.identity import ServerUser, give_to, hand_over, may_reach
from infra.embedded.process import (
    SERVER_ENVIRONMENT,
    die_with_parent,
    end_leftover,
    last_lines,
    process_exists,
    start_process,
    stop_process,
    wait_until,
)
from infra.errors import ServersError

SUPERUSER = "broadloom"
DATABASE = "broadloom"
_LEAST_SHARED_MEGABYTES = 128
_LONGEST_SOCKET_PATH = 100  # the kernel allows 107 bytes with the file's name

# Durable by default; sized for a machine that also runs everything else. Settings below the "include" line of
# postgresql.conf win.
_CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{socket_folder}'
max_connections = 200
shared_buffers = {shared_buffers}MB
huge_pages = {huge_pages}
maintenance_work_mem = 128MB
effective_cache_size = 1GB
random_page_cost = 1.1                  # solid-state disks
jit = off                               # our statements are short; compiling them costs more than it saves
max_locks_per_transaction = 256         # creating or dropping a tenant's schema locks some 200 relations at once
fsync = {fsync}
full_page_writes = {fsync}
synchronous_commit = on                 # an answer to a router follows the commit
wal_compression = off                   # there is only pglz, which costs more CPU than the packets themselves
max_wal_size = 4GB
min_wal_size = 512MB                    # a new file is filled with zeros while commits wait; used ones are taken again
checkpoint_timeout = 15min
autovacuum_naptime = 20s
autovacuum_vacuum_cost_delay = 1ms      # open sessions are updated all day long
idle_in_transaction_session_timeout = 10min
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
log_lock_waits = on
"""


class EmbeddedPostgres:
    """One server over ``data``; not thread-safe, owned by one process."""

    def __init__(
        self,
        binaries: Binaries,
        data: Path,
        log_path: Path,
        socket_folder: Path,
        user: ServerUser | None,
        *,
        fsync: bool,
        huge_pages: bool,
    ) -> None:
        self._binaries = binaries
        self._data = data
        self._log_path = log_path
        self._socket_folder = socket_folder
        self._user = user
        self._fsync = fsync
        self._huge_pages = huge_pages
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    def is_alive(self) -> bool:
        return self.pid is not None

    def start(self, port: int, password: str, ready_within_seconds: float = 300.0) -> None:
        """Create the data when missing, start, and wait until connections are taken (a recovery may need a while).

        Raises :class:`ServersError`; nothing runs then.
        """
        self._check_owner()
        if not self._data.exists():
            self._create(password)
        self._clear_leftovers()
        self._configure(port)
        handed = hand_over(self._user, self._data)
        try:
            self._process = start_process(
                [str(self._binaries.postgres_folder / "postgres"), "-D", handed.path],
                user=self._user,
                log_path=self._log_path,
                death_signal=signal.SIGINT,  # a fast but clean shutdown
                pass_fds=handed.fds,
            )
        finally:
            handed.close()
        wait_until(lambda: self._is_ready() or not self.is_alive(), ready_within_seconds)
        if not self.is_alive() or not self._is_ready():
            self.stop()
            raise ServersError(
                "postgres_not_started",
                f"PostgreSQL did not start: {last_lines(self._log_path)} (log: {self._log_path})",
            )
        self._ensure_database(port, password)

    def stop(self) -> None:
        """Fast shutdown (SIGINT); an immediate one after 4 s, which the next start recovers from."""
        if self._process is not None:
            stop_process(self._process, [(signal.SIGINT, 4.0), (signal.SIGQUIT, 2.0)])
            self._process = None

    def socket_address(self) -> str:
        """The folder of the Unix socket; "" when the path is too long or out of the server's reach."""
        usable = len(os.fsencode(self._socket_folder)) + len("/.s.PGSQL.65535") <= _LONGEST_SOCKET_PATH
        return str(self._socket_folder) if usable and may_reach(self._user, self._socket_folder.parent) else ""

    def _create(self, password: str) -> None:
        unfinished = self._data.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)  # an initdb that was killed
        unfinished.mkdir(mode=0o700)
        give_to(self._user, unfinished)
        handed = hand_over(self._user, unfinished)
        password_fd = os.memfd_create("password")  # not a pipe on stdin: the server's user may not open root's pipe
        os.write(password_fd, password.encode() + b"\n")
        # C.UTF-8, not C: with C pg_trgm makes no trigrams of Chinese text and searches fall back to sequential scans.
        command = [
            str(self._binaries.postgres_folder / "initdb"), "-D", handed.path, "-U", SUPERUSER, "-E", "UTF8",
            "--locale=C.UTF-8", "-A", "scram-sha-256", f"--pwfile=/proc/self/fd/{password_fd}",
            *([] if self._fsync else ["-N"]),
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=SERVER_ENVIRONMENT,
                pass_fds=(*handed.fds, password_fd),
                preexec_fn=die_with_parent(signal.SIGTERM),
                check=False,
                user=self._user.uid if self._user else None,
                group=self._user.gid if self._user else None,
                extra_groups=[] if self._user else None,
            )
        finally:
            handed.close()
            os.close(password_fd)
        if done.returncode != 0:
            self._log_path.open("ab").write(done.stdout)
            lines = [line for line in done.stdout.decode(errors="replace").splitlines() if "error" in line.lower()]
            reason = (lines or ["see the log"])[0].strip()
            raise ServersError(
                "postgres_not_created", f"PostgreSQL's data could not be created: {reason} (log: {self._log_path})"
            )
        conf = unfinished / "postgresql.conf"
        conf.write_text(
            "include 'broadloom.conf'   # written anew at each start\n# Your own settings go below; they win.\n"
        )
        unfinished.rename(self._data)

    def _check_owner(self) -> None:
        if self._user is None and self._data.exists() and self._data.stat().st_uid != os.geteuid():
            raise ServersError(
                "data_of_another_user",
                f"{self._data} belongs to another user (the servers were started as root before); start as root again, "
                "or set BROADLOOM_DATA_DIR to another folder.",
            )

    def _clear_leftovers(self) -> None:
        """Deal with postmaster.pid after a kill -9.

        Its number may by now belong to a stranger (numbers start over in a container), which PostgreSQL would take for
        a running server of its own. So we look what the process is: a server of *this* folder is ended, anything else
        is no reason to stop.
        """
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            pid = 0
        if pid and process_exists(pid) and _works_in(pid, self._data):
            end_leftover(pid, signal.SIGQUIT, 3.0)
        # Children of a killed postmaster leave by themselves within moments; a new server refuses to start before.
        wait_until(lambda: not _any_process_in(self._data), 5.0, 0.05)
        pid_file.unlink(missing_ok=True)

    def _configure(self, port: int) -> None:
        socket_address = self.socket_address()
        if socket_address:
            self._socket_folder.mkdir(mode=0o755, exist_ok=True)
            give_to(self._user, self._socket_folder)
        path = self._data / "broadloom.conf"
        shared = self._shared_megabytes()
        huge_pages = self._huge_pages and self._fsync and allow_huge_pages(shared * 2**20)
        text = _CONFIGURATION.format(
            port=port,
            socket_folder=socket_address.replace("'", "''"),
            fsync="on" if self._fsync else "off",
            shared_buffers=shared,
            huge_pages="try" if huge_pages else "off",
        )
        path.write_text(text)
        path.chmod(0o600)
        give_to(self._user, path)
        give_to(self._user, self._data / "postgresql.conf")

    def _shared_megabytes(self) -> int:
        """For the database's pages a sixteenth of the memory: a million accounts with their indexes take some 400 MB.

        Servers without fsync are those of tests, which empty tables all the time: each time that looks at every page.
        """
        if not self._fsync:
            return _LEAST_SHARED_MEGABYTES
        memory_octets = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return min(1_024, max(_LEAST_SHARED_MEGABYTES, memory_octets // 16 // 2**20))

    def _is_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _ensure_database(self, port: int, password: str) -> None:
        import psycopg  # late: processes that only ask for addresses load this module too

        login = f"host=127.0.0.1 port={port} user={SUPERUSER} password={password} dbname=postgres"
        try:
            with psycopg.connect(login, autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.Error as error:
            self.stop()
            reason = str(error).strip().splitlines()[0]
            raise ServersError("postgres_not_started", f"PostgreSQL started but refuses our login: {reason}") from None


def _works_in(pid: int, folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    return False


def _any_process_in(folder: Path) -> bool:
    return any(_works_in(int(entry.name), folder) for entry in Path("/proc").iterdir() if entry.name.isdigit())
