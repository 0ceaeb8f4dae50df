"""One process of the RADIUS cluster: sockets, directory, cells, reports; and its end without losing a packet."""

import asyncio
import gc
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from infra.crypto import derive_key, master_box
from infra.servers import Servers
from infra.settings import Settings
from radius_cluster.cells import Cells
from radius_cluster.counters import Counters
from radius_cluster.listen.behind_balancer import BalancedReceiver
from radius_cluster.listen.duplicates import Duplicates
from radius_cluster.listen.node_link import NodeLink
from radius_cluster.listen.peers import FORWARD, HAND_OVER, HELLO, RADSEC_PREFIX, RECALL, Peers, owner_name
from radius_cluster.listen.receive import Receiver, Request
from radius_cluster.listen.set_or_late import set_or_late
from radius_cluster.listen.sockets import WANTED_BUFFER_OCTETS, open_udp, receive_buffer_octets
from radius_cluster.process.eap.server import EapServer
from radius_cluster.process.eap_certificates import TenantTls
from radius_cluster.process.eap_elsewhere import Elsewhere, UdpGuests
from radius_cluster.process.eap_request import EapLogins
from radius_cluster.process.login_replies import REJECT_DELAY_SECONDS
from radius_cluster.process.tell_locked import hear_unlocked
from radius_cluster.report import MAIN_CELL, Reporter
from radius_cluster.routing.directory import Directory
from radius_cluster.routing.load import DirectoryLoader
from radius_cluster.routing.on_disk import DirectoryOnDisk
from radius_cluster.watch.tell import Teller
from radius_cluster.wire.codes import ACCESS_REQUEST, ACCOUNTING_REQUEST
from radius_cluster.wire.proxy_protocol import TrustedBalancers
from tenants.network import packet_watch, unlocking

LOG = structlog.get_logger(__name__)
_REPORT_SECONDS = 2.0
_DRAIN_SECONDS = 5.0
_MOST_ASKED_ELSEWHERE = 16  # processes of other hosts that are asked about one account, while the database is away
_FORGET_EVERY_SECONDS = 0.1  # answers that were kept long enough go in small portions: 20,000 at once took 15 ms
_FORGOTTEN_AT_ONCE = 6_000
# The collector looks at what is young, often, for a fraction of a millisecond: with 50,000 it came seldom, because what
# is freed counts against what is new, and then took 78 ms. Never at all that is kept of packets, which has no cycles.
_COLLECT_OFTEN = (1_000, 20, 1_000_000)


def cell_urls(settings: Settings, servers: Servers) -> dict[str, str]:
    """Database URLs of all cells; the main one through its Unix socket where there is one (cheaper)."""
    return {MAIN_CELL: servers.database_socket_url or servers.database_url, **settings.cells()}


def eap_server(settings: Settings, prefix: str = "") -> EapServer:
    """The EAP server of this process; all of the cluster share the key of what travels in State."""
    key = derive_key(settings.require_secret_key(), "eap-state")
    return EapServer(key, prefix + owner_name(socket.gethostname(), os.getpid()))


class Node:
    """Build, then :meth:`run`."""

    def __init__(self, settings: Settings, servers: Servers) -> None:
        self._settings = settings
        self._started_at = time.time()
        urls = cell_urls(settings, servers)
        self.directory = Directory()
        self.counters = Counters()
        self.peers: Peers | None = None
        self.elsewhere: Elsewhere | None = None
        self._guests: UdpGuests | None = None
        tls = TenantTls(urls[MAIN_CELL], settings.base_domain)
        self.eap = EapLogins(eap_server(settings), tls, self.counters, self._forward)
        spool_folder = settings.data_dir.expanduser().absolute() / "spool"
        self.cells = Cells(urls, self.counters, self.eap, spool_folder)
        for cell in self.cells.by_name.values():
            cell.logins.ask_others = self._ask_others
        master, on_disk = master_box(settings.require_secret_key()), DirectoryOnDisk(spool_folder / "directory.json")
        self._loader = DirectoryLoader(urls[MAIN_CELL], master, self.directory, on_disk)
        self._loader.followers["certificate"] = tls.forget
        self._teller = Teller(servers.redis_url, "radius")
        self._loader.channels[packet_watch.CHANNEL] = self._teller.watches.hear
        self._loader.channels[unlocking.CHANNEL] = hear_unlocked(self.cells.lock_out, self.directory)
        self._reporter = Reporter(urls, self.directory, self.counters, self._started_at)
        self._reporter.lock_out = self.cells.lock_out
        self._receivers: list[Receiver] = []
        self._stopping = asyncio.Event()
        self._turn = 0
        self._recalling = False  # a request of another process is being decided

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises OSError when a port cannot be opened."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        self._open_peers()
        in_company = self._in_company()
        if not in_company:  # else the others serve until we can: what came to our socket meanwhile would only wait
            self._open_ports()
        background = [
            *self.cells.start(),
            asyncio.create_task(self._loader.run()),
        ]
        try:
            await self._wait_for_directory()
            gc.collect()
            gc.freeze()  # the directory stays: the collector need not look at it again and again
            gc.set_threshold(*_COLLECT_OFTEN)
            if in_company:
                self._open_ports()
            for receiver in self._receivers:
                receiver.start()
            LOG.info(
                "radius_ready",
                auth=f"{self._settings.bind}:{self._settings.radius_auth_port}",
                acct=f"{self._settings.bind}:{self._settings.radius_acct_port}",
                nas=len(self.directory.nas),
            )
            await self._serve()
            await self._drain()
        finally:
            for task in background:
                task.cancel()
            for receiver in self._receivers:
                receiver.close()
            self.cells.close()
            self._teller.close()
            self.eap.tls.close()
            if self.peers is not None:
                self.peers.close()
            if self._reporter.link is not None:
                self._reporter.link.close()
            if self._guests is not None:
                self._guests.close()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*background, return_exceptions=True)

    def _open_ports(self) -> None:
        settings = self._settings
        for port, kind, handlers in (
            (settings.radius_auth_port, "auth", {ACCESS_REQUEST: self.cells.log_in}),
            (settings.radius_acct_port, "acct", {ACCOUNTING_REQUEST: self.cells.account}),
        ):
            opened = open_udp(settings.bind, port)
            granted = receive_buffer_octets(opened)
            if granted < WANTED_BUFFER_OCTETS:
                LOG.warning(
                    "small_socket_buffer",
                    port=port,
                    octets=granted,
                    hint="bursts may lose packets; raise net.core.rmem_max to 16777216 or start as root",
                )
            self._receivers.append(self._receiver(opened, kind, handlers))

    def _open_peers(self) -> None:
        name = owner_name(socket.gethostname(), os.getpid())
        settings = self._settings
        self.peers = Peers(settings.data_dir.expanduser().absolute() / "run", name, self._on_peer)
        if settings.node_address:
            key = derive_key(settings.require_secret_key(), "node-link")
            link = NodeLink(key, name, settings.node_address, lambda *message: elsewhere.on_message(*message))
            handlers = {ACCESS_REQUEST: self.cells.log_in}
            self._guests = UdpGuests(link.send, self.directory, self.counters, handlers)
            elsewhere = self.elsewhere = Elsewhere(link.send, self._guests)
            self._reporter.link = link

    def _in_company(self) -> bool:
        """Whether another process of this host serves the same ports, and stays."""
        assert self.peers is not None
        return any(self.peers.send(name, HELLO, b"") for name in self._staying())

    def _receiver(
        self, opened: socket.socket, kind: str, handlers: Mapping[int, Callable[[Request], None]]
    ) -> Receiver:
        balancers = TrustedBalancers(self._settings.radius_balancers)
        parts = opened, kind, self.directory, self.counters, handlers, self._teller.watches
        receiver = BalancedReceiver(*parts, balancers=balancers) if balancers else Receiver(*parts)
        if kind == "auth":
            receiver.wants_more = self.cells.wants_more_logins
        return receiver

    def _forward(self, owner: str, request: Request) -> bool:
        """Hand a request to the process that owns its EAP conversation, of this host or of another."""
        if owner.startswith(RADSEC_PREFIX):  # a router does not change from RadSec to UDP within a conversation
            return False
        source = json.dumps(request.source).encode()
        if self.peers is not None and self.peers.send(owner, FORWARD, source + b"\n" + request.packet.raw):
            return True
        return self.elsewhere is not None and self.elsewhere.ask([owner], request) > 0

    def _on_peer(self, _sender: str, kind: int, body: bytes) -> None:
        """A request that another process received; it is answered from this one's socket, whose port is the same."""
        if kind == FORWARD and self._receivers:
            source, _, data = body.partition(b"\n")
            self._receivers[0].take(data, tuple(json.loads(source)), time.time())
        elif kind in (HAND_OVER, RECALL) and self._loader.ready.is_set():
            head, _, data = body.partition(b"\n")
            receiver_kind, *origin = json.loads(head)
            self._recalling = kind == RECALL
            try:
                for receiver in self._receivers:
                    if receiver.kind == receiver_kind:
                        receiver.take(data, tuple(origin), time.time())
            finally:
                self._recalling = False

    def _hand_over(self, kind: str, data: bytes, source: tuple[Any, ...]) -> bool:
        """Give a datagram to another process of this host that stays; False when there is none."""
        body = json.dumps([kind, *source]).encode() + b"\n" + data
        assert self.peers is not None
        return any(self.peers.send(name, HAND_OVER, body) for name in self._staying())

    def _ask_others(self, request: Request) -> bool:
        """While the database is away: whichever process has seen the account answers (RAD-10). One of another host may
        even have the database still."""
        if self._recalling or self.peers is None or (self._guests is not None and self._guests.recalling):
            return False
        body = json.dumps(["auth", *request.source]).encode() + b"\n" + request.packet.raw
        asked = sum(self.peers.send(name, RECALL, body) for name in self._staying())
        link = self._reporter.link
        if self.elsewhere is not None and link is not None:
            asked += self.elsewhere.ask(link.names("")[:_MOST_ASKED_ELSEWHERE], request, RECALL)
        return asked > 0

    def _staying(self) -> list[str]:
        """Processes of this host that serve the same ports, another one first each time."""
        assert self.peers is not None
        names = self.peers.staying(owner_name(socket.gethostname(), 0)[:-1])
        self._turn += 1
        return names[self._turn % len(names) :] + names[: self._turn % len(names)] if names else []

    async def _wait_for_directory(self) -> None:
        """Without the directory every packet would be an unknown NAS's: better to let them wait in the socket."""
        ready = asyncio.create_task(self._loader.ready.wait())
        stop = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({ready, stop}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        stop.cancel()

    async def _serve(self) -> None:
        last_tick = last_report = 0.0
        reporting: asyncio.Task[None] | None = None
        while not self._stopping.is_set():
            await set_or_late(self._stopping, _FORGET_EVERY_SECONDS)
            now = time.monotonic()
            for receiver in self._receivers:
                receiver.duplicates.tick(now, _FORGOTTEN_AT_ONCE)
            if now - last_tick < Duplicates.tick_seconds:
                continue
            last_tick = now
            self.cells.tick(now)
            if self.elsewhere is not None:
                self.elsewhere.tick(now)
            if now - last_report >= _REPORT_SECONDS:
                last_report = now
                self.eap.forget_old()
                if reporting is None or reporting.done():  # a database that hangs must not hold up the tick
                    reporting = asyncio.create_task(self._report(self.cells.state))
        if reporting is not None:
            await asyncio.wait({reporting}, timeout=_DRAIN_SECONDS)

    async def _drain(self) -> None:
        """Answer what has come, hand what comes now to the other processes, write what was counted."""
        assert self.peers is not None
        self.peers.leave()
        in_company = self._in_company()
        for receiver in self._receivers:
            if in_company:
                receiver.hand_over = self._hand_over
            else:
                receiver.stop_reading()
        deadline = time.monotonic() + _DRAIN_SECONDS
        while self.cells.busy() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        await asyncio.sleep(REJECT_DELAY_SECONDS + 0.05)
        for receiver in self._receivers:  # from now on the kernel gives the other processes all
            receiver.close()
        await self._report("draining")
        await self._reporter.goodbye()
        LOG.info("radius_stopped", answered=dict(self._reporter.totals))

    async def _report(self, state: str) -> None:
        settings = self._settings
        listening = (settings.radius_address, settings.radius_auth_port, settings.radius_acct_port, None)
        await self._reporter.report(time.time(), state=state, listening=listening)
