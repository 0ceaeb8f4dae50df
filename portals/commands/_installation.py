"""The installation that a command acts on: its settings, its servers, its database."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from infra import log
from infra.data_folder import DataFolder
from infra.db import Database
from infra.embedded import ensure_running
from infra.servers import check_versions, read_servers_file
from infra.settings import Settings
from tenants.registry.prepare import prepare_database


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings with the addresses of the running servers filled in, and the database opened with them."""

    settings: Settings
    database: Database


@contextmanager
def open_installation() -> Iterator[Installation]:
    """The installation of the settings; its embedded servers run for the time of the block when it is not running.

    Raises :class:`SettingsError` and :class:`ServersError`, which the root turns into exit codes.
    """
    settings = Settings.from_env()
    level = settings.log_level if settings.log_level in ("debug", "error") else "warning"
    log.configure(replace(settings, log_level=level), "command", stream=sys.stderr)
    check_versions(settings)
    is_up = bool(read_servers_file(DataFolder(settings.data_dir.expanduser().absolute())))
    with ensure_running(settings) as servers:
        filled = replace(settings, database_url=servers.database_url, redis_url=servers.redis_url)
        database = Database(servers.database_url, settings.cells())
        try:
            if not is_up:  # else `broadloom up` has done it
                prepare_database(database)
            yield Installation(filled, database)
        finally:
            database.dispose()
