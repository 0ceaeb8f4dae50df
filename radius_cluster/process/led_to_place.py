"""Logins that were led to a place for accounts that end soon (NET-4).

They are noted, because nothing else tells of their sessions that they are there: whoever has paid is let out of it
(tenants/access/tell_routers.py), and no account learns its fixed address there. Ordinary logins pay nothing for it.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from radius_cluster.listen.receive import Request
from radius_cluster.process.login_sql import ACCOUNT
from radius_cluster.routing.directory import Ready
from radius_cluster.wire.codes import CALLING_STATION_ID
from radius_cluster.wire.devices import device_of

# In the order of the key: other processes note the same at the same time.
_NOTE: Final = """
INSERT INTO aaa.place_login AS p (tenant_id, account_id, nas_id, mac, soon_seconds, at)
SELECT DISTINCT ON (1, 2, 3, 4) tenant, account, nas, device, soon, to_timestamp($6::float8)
FROM unnest($1::int[], $2::bigint[], $3::int[], $4::text[], $5::int[]) AS q(tenant, account, nas, device, soon)
ORDER BY 1, 2, 3, 4
ON CONFLICT (tenant_id, account_id, nas_id, mac) DO UPDATE SET soon_seconds = excluded.soon_seconds, at = excluded.at
"""


class Led(NamedTuple):
    """``mac``: the device as accounting will name it; ``soon_seconds``: whoever has longer to go is led no more."""

    tenant_id: int
    account_id: int
    nas_id: int
    mac: str
    soon_seconds: int


def led_of(request: Request, row: Any, ready: Ready) -> Led:
    """For a login that was given ``ready[5]``."""
    device = device_of(request.packet) or request.packet.text(CALLING_STATION_ID)
    return Led(request.nas.tenant.id, row[ACCOUNT], request.nas.id, device, ready[4])


async def note_led(connection: Any, led: Sequence[Led], now: float) -> None:
    """Write them down with one statement."""
    if led:
        await connection.execute(_NOTE, *map(list, zip(*led, strict=True)), now)
