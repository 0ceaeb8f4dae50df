"""What every job of this process needs, made once after the process has been forked."""

from dataclasses import dataclass

from redis import Redis

from infra.db import Database
from infra.queue import connect
from infra.servers import resolve
from infra.settings import Settings
from tenants.registry.keys import configure


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, database and Redis of the installation."""

    settings: Settings
    database: Database
    redis: "Redis"


_context: Context | None = None


def open_context(settings: Settings) -> Context:
    """Make the process's context. Raises ServersError when the installation is not running."""
    global _context  # one per process: RQ calls job functions with their arguments only
    servers = resolve(settings)
    configure(settings.require_secret_key())
    database = Database(servers.database_socket_url or servers.database_url, settings.cells(), pool_size=2)
    _context = Context(settings, database, connect(servers.redis_url))
    return _context


def context() -> Context:
    """The process's context. Raises RuntimeError before :func:`open_context`."""
    if _context is None:
        raise RuntimeError("workers.context.open_context(settings) was not called in this process")
    return _context
