"""The cells that a node serves: each with its logins and its accounting."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from radius_cluster.counters import Counters, dropped
from radius_cluster.listen.database import Lane
from radius_cluster.listen.receive import Request
from radius_cluster.process.access_request import Logins
from radius_cluster.process.accounting_request import Accounting
from radius_cluster.process.eap_request import EapLogins
from radius_cluster.process.led_to_place import LedMeanwhile
from radius_cluster.process.lock_out import LockOut
from radius_cluster.process.recent_starts import RecentStarts
from radius_cluster.process.spool import Spool
from radius_cluster.wire.codes import EAP_MESSAGE

_STATES: Final = ("running", "catching_up", "degraded", "spool_full")


class Cell:
    """One PostgreSQL and what waits for it."""

    def __init__(
        self,
        name: str,
        url: str,
        counters: Counters,
        eap: EapLogins,
        spool_folder: Path | None,
        recent: RecentStarts,
        lock_out: LockOut,
    ) -> None:
        self.name = name
        self.url = url
        self.logins = Logins(url, name, counters, eap, lock_out)
        spool = None
        if spool_folder is not None:
            spool = Spool(spool_folder, name)
            self.logins.led = LedMeanwhile(Spool(spool_folder, f"places.{name}", synced=False))
        self.accounting = Accounting(url, name, counters, spool, recent)

    def lanes(self) -> Iterator[Lane[Any]]:
        """All lanes."""
        yield from self.logins.lanes
        yield self.accounting.lane

    @property
    def state(self) -> str:
        """How it serves: a state of registry.nodes."""
        state = self.accounting.state
        if state == "running" and not (self.accounting.lane.up and any(lane.up for lane in self.logins.lanes)):
            return "degraded"
        return state

    def busy(self) -> bool:
        """Whether anything waits for an answer."""
        return self.logins.busy() or self.accounting.busy()


class Cells:
    """All cells by name; requests find theirs through the NAS's tenant."""

    def __init__(
        self, urls: dict[str, str], counters: Counters, eap: EapLogins, spool_folder: Path | None = None
    ) -> None:
        self._counters = counters
        self._eap = eap
        self._recent = recent = RecentStarts(spool_folder)
        self.lock_out = lock_out = LockOut(spool_folder)
        self.by_name = {
            name: Cell(name, url, counters, eap, spool_folder, recent, lock_out) for name, url in urls.items()
        }

    def start(self) -> list[asyncio.Task[None]]:
        """Start all lanes."""
        return [asyncio.create_task(lane.run()) for cell in self.by_name.values() for lane in cell.lanes()]

    def log_in(self, request: Request) -> None:
        """Hand an Access-Request to its tenant's cell."""
        cell = self.by_name.get(request.nas.tenant.cell)
        if cell is None:
            self._lost(request, "auth")
        elif EAP_MESSAGE in request.packet.places:
            self._eap.receive(request, cell.logins.submit)
        else:
            cell.logins.submit(request)

    def wants_more_logins(self) -> bool:
        """Whether logins that have arrived had better be read before anything else is done."""
        return any(cell.logins.wants_more() for cell in self.by_name.values())

    def account(self, request: Request) -> None:
        """Hand an Accounting-Request to its tenant's cell."""
        cell = self.by_name.get(request.nas.tenant.cell)
        if cell is None:
            self._lost(request, "acct")
        else:
            cell.accounting.submit(request)

    def drop_hanging(self, now: float) -> None:
        """Cut connections whose statement takes too long, and the idle ones to the same database."""
        for cell in self.by_name.values():
            hanging = max(lane.drop_if_hanging(now) for lane in cell.lanes())
            if hanging:
                for lane in cell.lanes():
                    lane.drop_if_silent(hanging)

    def tick(self, now: float) -> None:
        """Twice a second: notice databases that are away, and go on without them (RAD-10)."""
        self.drop_hanging(now)
        for cell in self.by_name.values():
            cell.logins.tick(now)
            cell.accounting.tick(now)

    @property
    def state(self) -> str:
        """The worst of the cells' states."""
        return max((cell.state for cell in self.by_name.values()), key=_STATES.index)

    def close(self) -> None:
        """Give up the spools' files."""
        for cell in self.by_name.values():
            cell.accounting.close()
            cell.logins.led.close()
        self._recent.close()
        self.lock_out.close()

    def busy(self) -> bool:
        """Whether anything waits for an answer."""
        return any(cell.busy() for cell in self.by_name.values())

    def _lost(self, request: Request, kind: str) -> None:
        """A tenant of a cell that this node's settings do not name."""
        request.forget("unknown_cell")
        self._counters.count(request.nas, dropped(kind, "unknown_cell"))
