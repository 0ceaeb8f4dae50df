"""Whose logins are refused just now, because he guessed passwords (RAD-9); what all hosts say, put together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.subscribers.models import Account
from tenants.subscribers.visibility import visible_ids
from tenants.usage.models import LockedOut, RefusedPacket

_MOST_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class LockedRow:
    """A login name from a device at a router; ``username`` "" is the device with any name. ``device`` is by
    what it is counted, ``mac`` how people read that; ``tries`` of all hosts, ``hosts`` is how many lock it out."""

    nas_id: int
    username: str
    device: bytes
    mac: str
    account_id: int | None
    locked_at: datetime
    until_at: datetime
    tries: int
    hosts: int


def list_locked(
    scope: TenantScope, actor: Actor, now: datetime, *, account_id: int | None = None
) -> tuple[LockedRow, ...]:
    """The newest first; of one account also its devices that are refused with any name. Who sees only some of the
    subscribers sees theirs."""
    statement = select(LockedOut).where(LockedOut.tenant_id == scope.tenant_id, LockedOut.until_at > now)
    among = visible_ids(actor)
    if account_id is not None:
        statement = statement.where(or_(LockedOut.account_id == account_id, _stands_in_the_way_of(account_id)))
        if among is not None:
            statement = statement.where(
                select(Account.id).where(Account.id == account_id, Account.id.in_(among)).exists()
            )
    elif among is not None:
        statement = statement.where(LockedOut.account_id.in_(among))
    rows = scope.session.scalars(statement.order_by(LockedOut.locked_at.desc()).limit(_MOST_SHOWN))
    same: dict[tuple[int, str, bytes], list[LockedOut]] = defaultdict(list)
    for row in rows:
        same[row.nas_id, row.username, row.device].append(row)
    return tuple(_together(of_hosts) for of_hosts in same.values())


def _stands_in_the_way_of(account_id: int) -> ColumnElement[bool]:
    """Of a device that is refused with any name: whether one of its logins for this account was refused since."""
    its = (
        RefusedPacket.tenant_id == LockedOut.tenant_id,
        RefusedPacket.account_id == account_id,
        RefusedPacket.nas_id == LockedOut.nas_id,
        RefusedPacket.reason == "locked_out",
        RefusedPacket.at >= LockedOut.locked_at,
        or_(RefusedPacket.mac == LockedOut.mac, RefusedPacket.mac == ""),
    )
    return LockedOut.account_id.is_(None) & exists().where(*its)


def _together(rows: Sequence[LockedOut]) -> LockedRow:
    first = rows[0]
    return LockedRow(
        first.nas_id,
        first.username,
        first.device,
        first.mac,
        first.account_id,
        min(row.locked_at for row in rows),
        max(row.until_at for row in rows),
        sum(row.tries for row in rows),
        len(rows),
    )
