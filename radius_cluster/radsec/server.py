"""The RadSec process: listens for routers, and hands their packets to the same logins and accounting as UDP has.

A process of its own, so that handshakes (about 1 ms each) and TLS records never delay the UDP ports.
"""

import asyncio
import gc
import os
import signal
import socket
import time
from contextlib import suppress
from typing import Final

import structlog

from infra.crypto import derive_key, master_box
from infra.servers import Servers
from infra.settings import Settings
from radius_cluster.cells import Cells
from radius_cluster.counters import Counters
from radius_cluster.listen.duplicates import Duplicates
from radius_cluster.listen.node_link import NodeLink, OnMessage
from radius_cluster.listen.peers import ASK, RADSEC_PREFIX, Peers, owner_name
from radius_cluster.listen.receive import Request
from radius_cluster.listen.set_or_late import set_or_late
from radius_cluster.node import cell_urls, eap_server
from radius_cluster.process.eap_certificates import TenantTls
from radius_cluster.process.eap_elsewhere import Elsewhere
from radius_cluster.process.eap_request import EapLogins
from radius_cluster.process.login_replies import REJECT_DELAY_SECONDS
from radius_cluster.process.tell_locked import hear_unlocked
from radius_cluster.radsec.connection import Connection
from radius_cluster.radsec.credentials import Credentials
from radius_cluster.radsec.directory import RadsecDirectory
from radius_cluster.radsec.guests import RadsecGuests
from radius_cluster.radsec.hub import Hub
from radius_cluster.radsec.way_back import WayBack
from radius_cluster.report import MAIN_CELL, Reporter
from radius_cluster.routing.load import DirectoryLoader
from radius_cluster.watch.tell import Teller
from radius_cluster.wire.codes import ACCESS_REQUEST, ACCOUNTING_REQUEST
from tenants.network import packet_watch, unlocking
from tenants.network.rules_certificates import radsec_server_names

LOG = structlog.get_logger(__name__)
_REPORT_SECONDS: Final = 2.0
_DRAIN_SECONDS: Final = 5.0
_BACKLOG: Final = 512


class RadsecServer:
    """Build, then :meth:`run`."""

    def __init__(self, settings: Settings, servers: Servers) -> None:
        self._settings = settings
        urls = cell_urls(settings, servers)
        master = master_box(settings.require_secret_key())
        self.directory = RadsecDirectory()
        self.counters = Counters()
        tls = TenantTls(urls[MAIN_CELL], settings.base_domain)
        self.eap = EapLogins(eap_server(settings, RADSEC_PREFIX), tls, self.counters, self._forward)
        self.cells = Cells(urls, self.counters, self.eap, settings.data_dir.expanduser().absolute() / "spool")
        self._loader = DirectoryLoader(urls[MAIN_CELL], master, self.directory)
        names = radsec_server_names(settings.radius_address, settings.base_domain)
        self.credentials = Credentials(urls[MAIN_CELL], master, self.directory, names, lambda: self.hub.refresh())
        handlers = {ACCESS_REQUEST: self.cells.log_in, ACCOUNTING_REQUEST: self.cells.account}
        self._teller = Teller(servers.redis_url, "radsec")
        self._loader.channels[packet_watch.CHANNEL] = self._teller.watches.hear
        self._loader.channels[unlocking.CHANNEL] = hear_unlocked(self.cells.lock_out, self.directory)
        ways = self.directory, self.credentials, self.counters, handlers
        self.hub = Hub(*ways, settings.radius_balancers, self._teller.watches)
        self._loader.followers["certificate"] = tls.forget
        self._loader.followers["radsec"] = self.credentials.look
        self._reporter = Reporter(urls, self.directory, self.counters, time.time(), kind="radsec")
        self._reporter.lock_out = self.cells.lock_out
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises OSError when the port cannot be opened."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        settings = self._settings
        opened = _open_tcp(settings.bind, settings.radsec_port)
        name = RADSEC_PREFIX + owner_name(socket.gethostname(), os.getpid())

        def on_message(sender: str, kind: int, body: bytes) -> None:
            (back.on_message if kind == ASK else self.elsewhere.on_message)(sender, kind, body)

        def send(other: str, kind: int, body: bytes) -> bool:
            return peers.send(other, kind, body) or (link is not None and link.send(other, kind, body))

        peers = Peers(settings.data_dir.expanduser().absolute() / "run", name, on_message)
        link = self._open_link(name, on_message)
        back = WayBack(self.hub, peers, link)
        self.elsewhere = Elsewhere(send, RadsecGuests(send, self.directory, self.counters, self.cells.log_in))
        background = [*self.cells.start(), asyncio.create_task(self._loader.run())]
        try:
            await self._wait_for(self._loader.ready)
            background.append(asyncio.create_task(self.credentials.run()))
            await self._wait_for(self.credentials.ready)
            gc.collect()
            gc.freeze()
            listening = await loop.create_server(lambda: Connection(self.hub), sock=opened, backlog=_BACKLOG)
            LOG.info("radsec_ready", port=f"{settings.bind}:{settings.radsec_port}", nas=len(self.directory.nas))
            await self._serve(back)
            listening.close()
            await self._drain()
        finally:
            for task in background:
                task.cancel()
            self.cells.close()
            self._teller.close()
            self.eap.tls.close()
            peers.close()
            if link is not None:
                link.close()
            opened.close()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*background, return_exceptions=True)

    def _open_link(self, name: str, on_message: OnMessage) -> NodeLink | None:
        """The way to coa processes of other hosts."""
        settings = self._settings
        if not settings.node_address:
            return None
        key = derive_key(settings.require_secret_key(), "node-link")
        self._reporter.link = NodeLink(key, name, settings.node_address, on_message)
        return self._reporter.link

    def _forward(self, owner: str, request: Request) -> bool:
        """Hand a request to the process that has its EAP conversation; one that began over UDP cannot go on here."""
        return owner.startswith(RADSEC_PREFIX) and self.elsewhere.ask([owner], request) > 0

    async def _wait_for(self, ready: asyncio.Event) -> None:
        waits = [asyncio.create_task(ready.wait()), asyncio.create_task(self._stopping.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _serve(self, back: WayBack) -> None:
        last_report = 0.0
        reporting: asyncio.Task[None] | None = None
        while not self._stopping.is_set():
            await set_or_late(self._stopping, Duplicates.tick_seconds)
            now = time.monotonic()
            self.hub.tick(now)
            self.cells.tick(now)
            self.elsewhere.tick(now)
            if now - last_report >= _REPORT_SECONDS:
                last_report = now
                self.eap.forget_old()
                back.tell()
                if reporting is None or reporting.done():  # a database that hangs must not hold up the tick
                    reporting = asyncio.create_task(self._report(self.cells.state))
        if reporting is not None:
            await asyncio.wait({reporting}, timeout=_DRAIN_SECONDS)

    async def _drain(self) -> None:
        """Answer what has come; routers connect again, and ask again what got no answer."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        while self.cells.busy() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        await asyncio.sleep(REJECT_DELAY_SECONDS + 0.05)
        self.hub.close_all()
        await asyncio.sleep(0.05)
        await self._report("draining")
        await self._reporter.goodbye()
        LOG.info("radsec_stopped", answered=dict(self._reporter.totals))

    async def _report(self, state: str) -> None:
        self._reporter.totals["radsec.connections"] = self.hub.connections
        listening = (self._settings.radius_address, 0, 0, self._settings.radsec_port)
        await self._reporter.report(time.time(), state=state, listening=listening)


def _open_tcp(address: str, port: int) -> socket.socket:
    """A bound socket that shares its port with a process that is still ending. Raises OSError."""
    opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.setblocking(False)
        opened.bind((address, port))
    except BaseException:
        opened.close()
        raise
    return opened
