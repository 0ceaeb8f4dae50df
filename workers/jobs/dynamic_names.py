"""Asks where routers with dynamic DNS names are (NET-2)."""

import asyncio

import structlog

from infra import clock
from infra.gateways.dns import parse_servers, resolve_all, system_servers
from tenants.network.dynamic_names import keep_answers, names_to_resolve
from workers.context import Context
from workers.job import platform_job

LOG = structlog.get_logger(__name__)
WITHIN_SECONDS = 25.0  # of the 30 until the next round


@platform_job
def resolve_names(known: Context) -> int:
    """Ask for all names at once, in bounded time; gives how many routers have moved. What fails keeps its address."""
    servers = parse_servers(known.settings.dns_servers) or system_servers()
    names = names_to_resolve(known.database)
    if not names:
        return 0
    answers = asyncio.run(resolve_all(names, servers, within_seconds=WITHIN_SECONDS))
    changed = keep_answers(known.database, answers, now=clock.now())
    if changed.failed:
        LOG.warning("names_unresolved", routers=changed.failed, of=changed.asked, servers=len(servers))
    return changed.moved
