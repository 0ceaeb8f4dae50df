"""``python -m radius_cluster.coa``: sends Disconnect- and CoA-Requests until SIGTERM."""

import asyncio
import signal
import socket
import sys
import time

import structlog

from infra.crypto import derive_key, master_box
from infra.servers import Servers
from infra.settings import Settings
from radius_cluster.coa.engine import Engine
from radius_cluster.coa.exchange import Exchange
from radius_cluster.counters import Counters
from radius_cluster.listen.set_or_late import set_or_late
from radius_cluster.node import cell_urls
from radius_cluster.program import run_program
from radius_cluster.report import MAIN_CELL, Reporter
from radius_cluster.routing.directory import Directory
from radius_cluster.routing.load import DirectoryLoader
from radius_cluster.watch.tell import Teller
from tenants.network.packet_watch import CHANNEL

LOG = structlog.get_logger(__name__)


async def serve(settings: Settings, servers: Servers) -> None:
    """Until SIGTERM or SIGINT."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    urls = cell_urls(settings, servers)
    directory, counters = Directory(), Counters()
    loader = DirectoryLoader(urls[MAIN_CELL], master_box(settings.require_secret_key()), directory)
    reporter = Reporter(urls, directory, counters, time.time(), kind="coa")
    teller = Teller(servers.redis_url, "coa")
    loader.channels[CHANNEL] = teller.watches.hear
    engine = Engine(urls, MAIN_CELL, directory, counters, teller.watches)
    # Answers come from routers, which have addresses of either kind.
    engine.exchange = Exchange("::" if socket.has_dualstack_ipv6() else "0.0.0.0")  # noqa: S104
    key = derive_key(settings.require_secret_key(), "node-link")
    way = (key, settings.node_address) if settings.node_address else None
    reporter.link = engine.radsec.open(settings.data_dir.expanduser().absolute() / "run", engine.exchange, way)
    background = [asyncio.create_task(loader.run())]
    ready, stop = asyncio.create_task(loader.ready.wait()), asyncio.create_task(stopping.wait())
    await asyncio.wait({ready, stop}, return_when=asyncio.FIRST_COMPLETED)
    serving = [asyncio.create_task(engine.serve_cell(cell)) for cell in urls]
    LOG.info("coa_ready", nas=len(directory.nas))
    while not stopping.is_set():
        await set_or_late(stopping, 2.0)
        await reporter.report(time.time(), state="running", listening=("", 0, 0, None))
    engine.stop()
    await asyncio.wait(serving, timeout=6)
    await reporter.report(time.time(), state="draining", listening=("", 0, 0, None))
    await reporter.goodbye()
    for task in (*background, *serving, ready, stop):
        task.cancel()
    await asyncio.gather(*background, *serving, ready, stop, return_exceptions=True)
    teller.close()
    engine.radsec.close()
    engine.exchange.close()
    LOG.info("coa_stopped", results=dict(reporter.totals))


def main() -> int:
    """Exit codes: 0 stopped as asked, 1 cannot serve, 2 wrong settings."""
    return run_program("coa", serve)


if __name__ == "__main__":
    sys.exit(main())
