"""Follows a watch of packets at the command line: each packet as it comes, until the time is over or Ctrl-C.

SIGTERM ends it as well as Ctrl-C does, which programs in the background of a shell never hear of.
"""

import json
import signal
import time
from datetime import timedelta

import click

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from portals.commands._output import wants_json
from portals.commands._tenant import AT_THE_COMMAND_LINE, open_tenant
from portals.shared.packet_watch import Look, WatchStore
from portals.shared.packet_words import fate, text_of
from tenants.network.packet_watch import TOLD_EVERY_SECONDS, PacketWatch
from tenants.network.queries import list_nas
from tenants.subscribers.watch_packets import WatchPackets, announce, watch_packets

_LOOK_EVERY_SECONDS = 0.5


def follow(tenant: str, command: WatchPackets) -> None:
    """Print what comes; JSON lines with ``--json``. Raises as ``watch_packets``, WatchNotPossible."""
    with open_tenant(tenant) as opened:
        store = WatchStore(opened.installation.settings)
        database, scope = opened.installation.database, opened.scope
        begun = watch_packets(scope, command, actor=AT_THE_COMMAND_LINE, now=clock.now())
        store.look(begun.watch)  # or say at once that it is not possible
        scope.commit()
        printer = _Printer({row.id: row.identifier for row in list_nas(scope)}, scope.tenant)
        scope.commit()
        ends_at = clock.now() + timedelta(minutes=command.minutes)
        click.echo(f"Watching until {ends_at.astimezone(scope.zone):%H:%M:%S}; Ctrl-C ends it.", err=True)
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            while (left := (ends_at - clock.now()).total_seconds()) > 0:
                _say(database, scope.tenant, begun.watch, left)
                if not _look(store, begun.watch, printer, min(left, TOLD_EVERY_SECONDS)):
                    break
        except KeyboardInterrupt:
            printer.show(store.look(begun.watch, printer.seen))  # what came in the last moment
        finally:
            signal.signal(signal.SIGTERM, before)
            _say(database, scope.tenant, begun.watch, 0)
            store.forget(begun.watch)
    printer.end()


class _Printer:
    """Prints packets, and counts them."""

    def __init__(self, routers: dict[int, str], tenant: TenantRef) -> None:
        self._routers, self._zone = routers, tenant.zone
        self.seen = self.left_out = 0

    def show(self, look: Look) -> None:
        self.seen, self.left_out = look.total, look.left_out
        for packet in look.packets:
            if wants_json():
                router = self._routers.get(packet["router"] or 0, "")
                told = {**packet, "router": router, "outcome": fate(packet).word}
                click.echo(json.dumps(told, ensure_ascii=False))
            else:
                click.echo(text_of([packet], self._routers, self._zone))

    def end(self) -> None:
        more = f"; left out because so many came: {self.left_out}" if self.left_out else ""
        click.echo(f"Packets: {self.seen}{more}.", err=True)


def _say(database: Database, tenant: TenantRef, watch: PacketWatch, left: float) -> None:
    with tenant_scope(database, tenant) as scope:
        announce(scope, watch, left)


def _look(store: WatchStore, watch: PacketWatch, printer: _Printer, seconds: float) -> bool:
    """Print what comes within so many seconds; False when no more is kept."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        look = store.look(watch, printer.seen)
        printer.show(look)
        if look.is_full:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)
    return True
