"""Staff see who is locked out, and end it (RAD-9): what this process saw begin is told to the database every two
seconds, and whoever unlocks somebody is heard through NOTIFY by all processes of all hosts.

A row is what its host says: unlocking takes it away, and if a host has not heard of that, the next refused try puts it
back. Rows whose time is over are shown to nobody, and go with the next that are told.
"""

from collections.abc import Callable
from typing import Any, Final

import structlog

from radius_cluster.process.lock_out import LockOut
from radius_cluster.routing.directory import Directory
from tenants.network.unlocking import Unlocked

LOG = structlog.get_logger(__name__)
_ANSWER_SECONDS: Final = 5

# In the order of the key: other processes of this host may tell of the same.
_TELL: Final = """
INSERT INTO aaa.locked_out AS l (tenant_id, nas_id, username, device, counted_in, account_id, mac, locked_at, until_at,
  tries)
SELECT tenant, nas, name, device, $10, account, mac, to_timestamp(at), to_timestamp(until), tries
FROM unnest($1::int[], $2::int[], $3::text[], $4::bytea[], $5::bigint[], $6::text[], $7::float8[], $8::float8[],
  $9::int[]) AS q(tenant, nas, name, device, account, mac, at, until, tries)
ORDER BY 1, 2, 3, 4
ON CONFLICT (tenant_id, nas_id, username, device, counted_in) DO UPDATE SET account_id = excluded.account_id,
  mac = excluded.mac, locked_at = excluded.locked_at, until_at = excluded.until_at, tries = excluded.tries
WHERE l.until_at <= excluded.until_at
"""
_ENDED: Final = """
DELETE FROM aaa.locked_out l USING unnest($1::int[], $2::int[], $3::text[], $4::bytea[], $5::float8[])
  AS q(tenant, nas, name, device, until)
WHERE l.tenant_id = q.tenant AND l.nas_id = q.nas AND l.username = q.name AND l.device = q.device
  AND l.counted_in = $6 AND l.until_at <= to_timestamp(q.until)
"""
_OVER: Final = """
DELETE FROM aaa.locked_out WHERE (tenant_id, nas_id, username, device, counted_in) IN (
  SELECT tenant_id, nas_id, username, device, counted_in FROM aaa.locked_out
  WHERE until_at < to_timestamp($1::float8) - interval '1 minute' FOR UPDATE SKIP LOCKED)
"""


async def tell_locked(connection: Any, lock_out: LockOut, cell: str, now: float) -> None:
    """Write down what has changed of the lock-outs of this cell's tenants. Raises as asyncpg does."""
    there = [(locked, tries) for locked, tries in lock_out.noted(now) if locked.cell == cell and tries != locked.told]
    ended = [locked for locked, tries in there if not tries]
    news = [(locked, tries) for locked, tries in there if tries]
    if news:
        columns = ("tenant_id", "nas_id", "username", "device", "account_id", "mac", "locked_at", "until")
        values = [[getattr(locked, name) for locked, _tries in news] for name in columns]
        tries_of_all = [tries for _locked, tries in news]
        await connection.execute(_TELL, *values, tries_of_all, lock_out.name, timeout=_ANSWER_SECONDS)
        for locked, tries in news:
            locked.told = tries
        await connection.execute(_OVER, now, timeout=_ANSWER_SECONDS)
    if ended:
        keys = [
            [getattr(locked, name) for locked in ended]
            for name in ("tenant_id", "nas_id", "username", "device", "until")
        ]
        await connection.execute(_ENDED, *keys, lock_out.name, timeout=_ANSWER_SECONDS)
        for locked in ended:
            lock_out.forget(locked)


def hear_unlocked(lock_out: LockOut, directory: Directory) -> Callable[[str], None]:
    """What is called with each text that comes through NOTIFY."""

    def hear(text: str) -> None:
        try:
            unlocked = Unlocked.heard(text)
        except (ValueError, KeyError, TypeError):
            return
        nas = directory.nas.get(unlocked.nas_id)
        if nas is not None and nas.tenant.id == unlocked.tenant_id:
            lock_out.unlock(unlocked.nas_id, unlocked.username, unlocked.device)
            LOG.info("unlocked", tenant=unlocked.tenant_id, nas=unlocked.nas_id, username=unlocked.username)

    return hear
