"""The embedded servers of one installation: which of them are needed, where they listen, who owns them."""

import contextlib
import json
import os
import time
from collections.abc import Iterator

from infra.data_folder import (
    DataFolder,
    EmbeddedState,
    held_lock,
    is_owned,
    load_state,
    prepare_folder,
    save_state,
    write_private,
)
from infra.embedded.binaries import reachable_binaries
from infra.embedded.identity import server_user
from infra.embedded.postgres import DATABASE, SUPERUSER, EmbeddedPostgres
from infra.embedded.process import wait_until
from infra.embedded.valkey import EmbeddedValkey
from infra.errors import ServersError
from infra.ports import choose_free_port, is_tcp_port_free
from infra.servers import Servers, ServersNotRunning, read_servers_file, resolve
from infra.settings import Settings, SettingsError

_PORT_ATTEMPTS = 3  # somebody else may take a chosen port before our server does


class EmbeddedServers:
    """Starts and stops what the settings do not name an own server for. The caller holds the lock of the folder."""

    def __init__(self, settings: Settings, folder: DataFolder) -> None:
        self._settings = settings
        self._folder = folder
        self._state = EmbeddedState()
        self.postgres: EmbeddedPostgres | None = None
        self.valkey: EmbeddedValkey | None = None

    def start(self, owner: str) -> Servers:
        """Start, and write ``servers.json`` for the other processes; ``owner`` is "up" or "command".

        Raises :class:`ServersError` or :class:`SettingsError`; nothing runs then.
        """
        self._state = load_state(self._folder)
        try:
            if not self._settings.database_url:
                self.start_postgres()
            if not self._settings.redis_url:
                self.start_valkey()
        except BaseException:
            self.stop()
            raise
        servers = self._addresses()
        content = {
            "database_url": servers.database_url,
            "redis_url": servers.redis_url,
            "database_socket_url": servers.database_socket_url,
            "owner": owner,
            "pid": os.getpid(),
        }
        write_private(self._folder.servers_file, json.dumps(content, indent=1) + "\n")
        return servers

    def start_postgres(self) -> None:
        """Start PostgreSQL, also again after it died (same port, same data)."""
        user = server_user(self._folder.postgres)
        self.postgres = self.postgres or EmbeddedPostgres(
            reachable_binaries(user),
            self._folder.postgres,
            self._folder.log / "postgres.log",
            self._folder.run / "pg",
            user,
            fsync=self._settings.embedded_fsync,
            huge_pages=self._settings.huge_pages,
        )
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            port = _usable_port(self._settings.postgres_port, self._state.postgres_port, "POSTGRES_PORT")
            self._state = save_state(self._folder, self._state, postgres_port=port)
            try:
                self.postgres.start(port, self._state.postgres_password)
                return
            except ServersError:
                if attempt == _PORT_ATTEMPTS or is_tcp_port_free("127.0.0.1", port):
                    raise

    def start_valkey(self) -> None:
        """Start Valkey, also again after it died."""
        user = server_user(self._folder.valkey)
        self.valkey = self.valkey or EmbeddedValkey(
            reachable_binaries(user),
            self._folder.valkey,
            self._folder.log / "valkey.log",
            user,
            self._settings.embedded_fsync,
        )
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            port = _usable_port(self._settings.redis_port, self._state.redis_port, "REDIS_PORT")
            self._state = save_state(self._folder, self._state, redis_port=port)
            try:
                self.valkey.start(port, self._state.redis_password)
                return
            except ServersError:
                if attempt == _PORT_ATTEMPTS or is_tcp_port_free("127.0.0.1", port):
                    raise

    def stop(self) -> None:
        """Stop what runs; the data remain."""
        self._folder.servers_file.unlink(missing_ok=True)
        if self.valkey is not None:
            self.valkey.stop()
        if self.postgres is not None:
            self.postgres.stop()

    def _addresses(self) -> Servers:
        state = self._state
        login = f"{SUPERUSER}:{state.postgres_password}"
        socket_folder = self.postgres.socket_address() if self.postgres else ""
        return Servers(
            database_url=self._settings.database_url
            or f"postgresql://{login}@127.0.0.1:{state.postgres_port}/{DATABASE}",
            redis_url=self._settings.redis_url or f"redis://:{state.redis_password}@127.0.0.1:{state.redis_port}/0",
            database_socket_url=(
                f"postgresql://{login}@/{DATABASE}?host={socket_folder}&port={state.postgres_port}"
                if socket_folder
                else ""
            ),
        )


@contextlib.contextmanager
def ensure_running(settings: Settings, wait_seconds: float = 60.0) -> Iterator[Servers]:
    """The servers of the installation: the running ones, or embedded ones started for the time of the block.

    When another command has started them for itself, its end is awaited: its servers end with it.
    Raises :class:`ServersError` or :class:`SettingsError`.
    """
    if settings.database_url and settings.redis_url:
        yield resolve(settings)
        return
    folder = prepare_folder(settings.data_dir)
    deadline = time.monotonic() + wait_seconds
    while True:
        with held_lock(folder, wait_seconds=0) as is_ours:
            if is_ours:
                servers = EmbeddedServers(settings, folder)
                try:
                    yield servers.start(owner="command")
                finally:
                    servers.stop()
                return
        if read_servers_file(folder).get("owner") == "up":
            yield resolve(settings)
            return
        if time.monotonic() > deadline:
            raise ServersNotRunning(
                f"Another process holds the data folder {folder.root} but its servers do not come up; see {folder.log}."
            )
        wait_until(lambda: not is_owned(folder), 0.2, 0.05)


def _usable_port(wanted: int, kept: int, setting: str) -> int:
    """The port of the setting, which must be free; else the kept one while it is free; else a new one."""
    if wanted:
        # Our own server of the last run, just killed, may hold the port for a moment.
        if not wait_until(lambda: is_tcp_port_free("127.0.0.1", wanted), 5.0 if wanted == kept else 0.0, 0.1):
            raise SettingsError(
                f"Port {wanted} is used by another program; "
                f"set BROADLOOM_{setting} to a free one, or to 0 to have one chosen."
            )
        return wanted
    if kept and wait_until(lambda: is_tcp_port_free("127.0.0.1", kept), 1.0, 0.1):
        return kept
    return choose_free_port()
