"""Broadloom under load: its own installation, filled as ``broadloom demo fill`` does, durable."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from infra.db import Database
from infra.embedded import ensure_running
from infra.ports import choose_free_port
from infra.settings import Settings
from tenants.registry.prepare import prepare_database
from tests.bench.packet_rows import write_packet_rows
from tests.bench.tools import Load, Target

_ROOT = Path(__file__).parent.parent.parent
_OLD_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class World:
    """A filled installation whose servers run."""

    folder: Path
    settings: Settings
    environment: dict[str, str]
    admin_url: str
    socket_folder: str  # "" without a Unix socket
    postmaster: int

    def cluster(self) -> "Broadloom":
        """Its RADIUS processes, not started."""
        return Broadloom(self.settings, self.environment, self.folder / "radius.log")


@contextmanager
def installation(
    folder: Path,
    load: Load,
    *,
    before: Callable[[Settings, Database], None] | None = None,
    only_packet_rows: bool = False,
) -> Iterator[World]:
    """An installation in this folder, its database running and filled; ``before`` the filling something may be done."""
    settings = Settings(
        data_dir=folder / "data", radius_auth_port=choose_free_port(), radius_acct_port=choose_free_port(), demo=False
    )
    with ensure_running(settings) as servers:
        url = servers.database_socket_url or servers.database_url
        environment = environment_for(settings, url, servers.redis_url)
        database = Database(servers.database_url)
        prepare_database(database)
        if before is not None:
            before(settings, database)
        database.dispose()
        if only_packet_rows:
            write_packet_rows(servers.database_url, settings.require_secret_key(), load)
        else:
            fill(environment, servers.database_url, load)
        yield World(
            folder,
            settings,
            environment,
            servers.database_url,
            parse_qs(urlsplit(url).query).get("host", [""])[0],
            int((settings.data_dir / "postgres" / "postmaster.pid").read_text().split()[0]),
        )


def fill(environment: dict[str, str], url: str, load: Load) -> None:
    """Tenants, routers and accounts, unless they are there from an earlier run."""
    with psycopg.connect(url) as connection:
        [(accounts,)] = connection.execute("SELECT count(*) FROM aaa.subscriber").fetchall()
    if accounts >= load.accounts:
        return
    command = [sys.executable, "-m", "portals.cli", "demo", "fill", "--tenants", str(load.tenants), "--accounts",
               str(load.accounts), "--nas", "1", "--json"]  # fmt: skip
    subprocess.run(command, env=environment, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)


def reset(url: str) -> None:
    """As much history as FreeRADIUS has, one session in ten open, nothing else."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE aaa.session, aaa.session_history, aaa.usage, aaa.packet_count, aaa.refused_packet, aaa.quota_use,"
            " work.outbox"
        )
        columns = (
            "tenant_id, nas_id, session_id, username, account_id, framed_ip, mac, called, nas_port, started_at,"
            " updated_at, seconds, octets_in, octets_out, packets_in, packets_out"
        )
        values = (
            "1 + i %% 100, 1 + i %% 100, 'old-' || i, 'old' || i, 0, '100.64.0.1'::inet + i, '02:00:00:00:00:01',"
            " 'pppoe-service1', i, now() - interval '30 days', now(), 86400, i * 1000::bigint, i * 30000::bigint, 1, 1"
        ).replace("%%", "%")
        connection.execute(
            f"INSERT INTO aaa.session ({columns}) SELECT {values} FROM generate_series(1, {_OLD_ROWS}) i"
            " WHERE i % 10 = 0"
        )
        connection.execute(
            f"INSERT INTO aaa.session_history ({columns}, ended_at, cause) SELECT {values}, now() - interval '1 day', 1"
            f" FROM generate_series(1, {_OLD_ROWS}) i WHERE i % 10 > 0"
        )
        # One session each, as FreeRADIUS's plans have it: so every login counts the open ones there and here.
        connection.execute("UPDATE aaa.subscriber SET max_sessions = 1 WHERE max_sessions <> 1")
        # Nor does anybody expire while it runs: a Reject takes its second, and FreeRADIUS's users have no expiry.
        connection.execute(
            "UPDATE aaa.subscriber SET valid_until = now() + interval '30 days'"
            " WHERE valid_until < now() + interval '1 day'"
        )
        for table in ("aaa.session", "aaa.session_history", "aaa.usage", "aaa.subscriber"):
            connection.execute(f"VACUUM ANALYZE {table}")
        connection.execute("CHECKPOINT")


class Broadloom:
    """The RADIUS processes of an installation."""

    def __init__(self, settings: Settings, environment: dict[str, str], log: Path) -> None:
        self._settings = settings
        self._environment = environment
        self._log = log
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, processes: int) -> Target:
        """Start that many processes on the same ports."""
        for number in range(processes):
            log = self._log.with_name(f"radius-{number}.log")
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "radius_cluster"],
                    cwd=_ROOT,
                    env=self._environment,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,  # as the supervisor starts it
                )
            self._processes.append(process)
            deadline = time.monotonic() + 30
            while "radius_ready" not in log.read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"radius_cluster did not start: {log.read_text()}")
                time.sleep(0.05)
        pids = tuple(process.pid for process in self._processes)
        return Target("broadloom", self._settings.radius_auth_port, self._settings.radius_acct_port, pids)

    def stop(self) -> None:
        """End them."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(15)
        self._processes.clear()


def environment_for(settings: Settings, database_url: str, redis_url: str) -> dict[str, str]:
    """Variables that make a process of ours work on this installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BROADLOOM_")}
    return kept | {
        "BROADLOOM_DATA_DIR": str(settings.data_dir),
        "BROADLOOM_DATABASE_URL": database_url,
        "BROADLOOM_REDIS_URL": redis_url,
        "BROADLOOM_RADIUS_AUTH_PORT": str(settings.radius_auth_port),
        "BROADLOOM_RADIUS_ACCT_PORT": str(settings.radius_acct_port),
        "BROADLOOM_LOG_LEVEL": "info",
        "PYTHONPATH": str(_ROOT),
    }
