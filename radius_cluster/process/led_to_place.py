"""Logins that were led to a place for accounts that end soon (NET-4).

They are noted, because nothing else tells of their sessions that they are there: whoever has paid is let out of it
(tenants/access/tell_routers.py), and no account learns its fixed address there. Ordinary logins pay nothing for it.
"""

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import asyncpg
import structlog

from radius_cluster.listen.receive import Request
from radius_cluster.process.login_sql import ACCOUNT
from radius_cluster.process.special_login import port_of
from radius_cluster.process.spool import Spool
from radius_cluster.routing.directory import Ready
from radius_cluster.wire.codes import CALLING_STATION_ID
from radius_cluster.wire.devices import device_of

LOG = structlog.get_logger(__name__)
_MOST_KEPT: Final = 20_000  # logins of an outage
# In the order of the key: other processes note the same at the same time.
_NOTE: Final = """
INSERT INTO aaa.place_login AS p (tenant_id, account_id, nas_id, mac, soon_seconds, at)
SELECT DISTINCT ON (1, 2, 3, 4) tenant, account, nas, device, soon, to_timestamp(at)
FROM unnest($1::int[], $2::bigint[], $3::int[], $4::text[], $5::int[], $6::float8[])
  AS q(tenant, account, nas, device, soon, at)
ORDER BY 1, 2, 3, 4, q.at DESC
ON CONFLICT (tenant_id, account_id, nas_id, mac) DO UPDATE SET soon_seconds = excluded.soon_seconds, at = excluded.at
WHERE p.at <= excluded.at
"""


class Led(NamedTuple):
    """``mac``: the device as accounting will name it; of one without a name the port, or the second: so two are two;
    ``soon_seconds``: whoever has longer to go is led no more."""

    tenant_id: int
    account_id: int
    nas_id: int
    mac: str
    soon_seconds: int
    at: float


def led_of(request: Request, row: Any, ready: Ready, now: float) -> Led:
    """For a login that was given ``ready[5]``."""
    packet = request.packet
    device = device_of(packet) or packet.text(CALLING_STATION_ID) or port_of(packet) or f"?{now:.0f}"
    return Led(request.nas.tenant.id, row[ACCOUNT], request.nas.id, device, ready[4], now)


async def note_led(connection: Any, led: Sequence[Led]) -> None:
    """Write them down with one statement."""
    if led:
        await connection.execute(_NOTE, *map(list, zip(*led, strict=True)))


class LedMeanwhile:
    """Those of logins that were decided while the database was away, until it is back: in a file, which whoever comes
    after a process that dies writes down; in memory what the file does not take."""

    def __init__(self, spool: Spool | None = None) -> None:
        self._spool = spool
        self._led: list[Led] = []
        self._added = 0
        self._noting = False

    def add(self, led: Led) -> None:
        """Keep it; beyond many the newest are not."""
        if self._added >= _MOST_KEPT:
            return
        self._added += 1
        try:
            if self._spool is not None:
                self._spool.append([list(led)])
                return
        except OSError as error:
            LOG.warning("place_not_spooled", error=str(error))
        self._led.append(led)

    async def note(self, connection: Any) -> None:
        """Write down what was kept. A database that can only be read decides logins all the same: the next connection
        tries again."""
        if self._noting:  # another connection is at it
            return
        self._noting = True
        try:
            while self._spool is not None and (lines := self._next_lines()):
                await note_led(connection, [Led(*line) for line in lines])
                self._spool.done()
            await note_led(connection, self._led)
            self._led, self._added = [], 0
        except asyncpg.PostgresError as error:
            LOG.warning("places_not_noted", error=str(error))
        finally:
            self._noting = False

    def _next_lines(self) -> list[Any]:
        """A disk that cannot be read keeps no login from being decided."""
        assert self._spool is not None
        try:
            return self._spool.next_lines(time.monotonic())
        except OSError as error:
            LOG.warning("places_unreadable", error=str(error))
            return []

    def close(self) -> None:
        """Give up the file; what is in it is left for the next process."""
        if self._spool is not None:
            self._spool.close()
