"""Where the database and Redis of this installation are, and whether servers of your own are good enough."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from infra.data_folder import DataFolder, is_owned
from infra.errors import ServersError
from infra.settings import Settings

OLDEST_POSTGRES = 18  # RETURNING old/new, used by the accounting statement
OLDEST_REDIS = (6, 2)


class ServersNotRunning(ServersError):
    """The embedded servers are needed and nobody runs them."""

    def __init__(self, message: str) -> None:
        super().__init__("not_running", message)


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses with credentials; never log them."""

    database_url: str
    redis_url: str
    database_socket_url: str = ""  # the same database through a Unix socket, "" when there is none


def resolve(settings: Settings) -> Servers:
    """The addresses from the settings, else those of the running embedded servers.

    Raises :class:`ServersNotRunning` when the embedded servers are needed and do not run.
    """
    if settings.database_url and settings.redis_url:
        return Servers(settings.database_url, settings.redis_url)
    folder = DataFolder(settings.data_dir.expanduser().absolute())
    found = read_servers_file(folder)
    if not found:
        raise ServersNotRunning(
            f"Broadloom is not running with the data folder {folder.root}; start it with `make run`."
        )
    return Servers(found["database_url"], found["redis_url"], found.get("database_socket_url", ""))


def read_servers_file(folder: DataFolder) -> dict[str, Any]:
    """``servers.json`` of a living owner; empty when there is none (a killed owner leaves a stale file)."""
    try:
        text = folder.servers_file.read_text()
    except FileNotFoundError:
        return {}
    except PermissionError:
        raise ServersError(
            "not_permitted",
            f"{folder.servers_file} belongs to another user; run this command as the user who started Broadloom.",
        ) from None
    return json.loads(text) if is_owned(folder) else {}


def check_versions(settings: Settings) -> None:
    """Check servers that the settings name: reachable, and new enough. Raises :class:`ServersError`, one sentence."""
    if settings.database_url:
        _check_postgres(settings.database_url, "BROADLOOM_DATABASE_URL")
    for name, url in settings.cells().items():
        _check_postgres(url, f"the cell {name} in BROADLOOM_CELL_DATABASE_URLS")
    if settings.redis_url:
        _check_redis(settings.redis_url)


def _check_postgres(url: str, named_by: str) -> None:
    import psycopg  # late: this module is loaded by every process and command

    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            version = connection.info.server_version
    except (psycopg.Error, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[-1]
        raise ServersError(
            "database_unreachable", f"The database at {_place(url)} cannot be reached ({reason}); check {named_by}."
        ) from None
    if version < OLDEST_POSTGRES * 10000:
        raise ServersError(
            "database_too_old",
            f"The database at {_place(url)} is PostgreSQL {version // 10000}.{version % 10000}, but Broadloom needs "
            f"{OLDEST_POSTGRES} or newer; upgrade it, or unset {named_by} to use the embedded one.",
        )


def _check_redis(url: str) -> None:
    import redis

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=10) as connection:
            found = str(connection.info("server")["redis_version"])
    except (redis.RedisError, ValueError, OSError) as error:
        raise ServersError(
            "redis_unreachable", f"The Redis at {_place(url)} cannot be reached ({error}); check BROADLOOM_REDIS_URL."
        ) from None
    if tuple(int(part) for part in found.split(".")[:2]) < OLDEST_REDIS:
        raise ServersError(
            "redis_too_old",
            f"The Redis at {_place(url)} is version {found}, but Broadloom needs "
            f"{OLDEST_REDIS[0]}.{OLDEST_REDIS[1]} or newer; "
            "upgrade it, or unset BROADLOOM_REDIS_URL to use the embedded one.",
        )


def _place(url: str) -> str:
    """Host and port without the credentials."""
    return urlsplit(url).netloc.rpartition("@")[2] or "the given address"
