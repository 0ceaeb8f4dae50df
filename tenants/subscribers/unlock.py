"""Let somebody who was locked out for guessing passwords try again at once (RAD-9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, text, tuple_

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.network.unlocking import CHANNEL, Unlocked
from tenants.registry.models import Nas
from tenants.subscribers.errors import NobodyLockedOut, NobodyToUnlock
from tenants.subscribers.queries_locked import LockedRow, list_locked
from tenants.subscribers.search_sql import normalise_mac
from tenants.usage.models import LockedOut


@dataclass(frozen=True, slots=True)
class Unlock:
    """Whom: all that is given must hold, and something must be. ``username``: as the device writes it, "" a device that
    is refused with any name. ``device``: by what it is counted; ``mac``: the same as people write it."""

    account_id: int | None = None
    nas_id: int | None = None
    username: str | None = None
    device: bytes | None = None
    mac: str | None = None

    def means(self, row: LockedRow) -> bool:
        """Whether it is about this one; the account is looked at by the list."""
        mac = None if self.mac is None else normalise_mac(self.mac) or self.mac
        return (
            self.nas_id in (None, row.nas_id)
            and self.username in (None, row.username)
            and self.device in (None, row.device)
            and mac in (None, row.mac)
        )


def unlock(scope: TenantScope, command: Unlock, *, actor: Actor, now: datetime) -> Sequence[LockedRow]:
    """Have all processes of all hosts forget their wrong passwords; gives who is let try again.

    Raises NobodyToUnlock, NobodyLockedOut, Forbidden.
    """
    actor.require("refused.unlock")
    if command == Unlock():
        raise NobodyToUnlock(field="account")
    rows = [row for row in list_locked(scope, actor, now, account_id=command.account_id) if command.means(row)]
    if not rows:
        raise NobodyLockedOut()
    keys = [(row.nas_id, row.username, row.device) for row in rows]
    key = tuple_(LockedOut.nas_id, LockedOut.username, LockedOut.device)
    scope.session.execute(delete(LockedOut).where(LockedOut.tenant_id == scope.tenant_id, key.in_(keys)))
    for one in keys:
        told = {"channel": CHANNEL, "told": Unlocked(scope.tenant_id, *one).announcement()}
        scope.registry.execute(text("SELECT pg_notify(:channel, :told)"), told)
    _record(scope, rows, actor, now)
    return rows


def _record(scope: TenantScope, rows: Sequence[LockedRow], actor: Actor, now: datetime) -> None:
    """Under the account where a name was locked, so that its timeline tells it; else under the router."""
    ids = {row.nas_id for row in rows}
    found = scope.registry.execute(select(Nas.id, Nas.identifier).where(Nas.id.in_(ids)))
    routers = {row.id: row.identifier for row in found}
    for row in rows:
        router = routers.get(row.nas_id, "")
        of_account = row.account_id is not None
        record(
            scope,
            actor=actor,
            action="account.unlock" if of_account else "nas.unlock_device",
            object_kind="account" if of_account else "nas",
            object_id=row.account_id if of_account else row.nas_id,
            object_label=row.username if of_account else router,
            before={"router": router, "device": row.mac, "tries": row.tries},
            now=now,
        )
