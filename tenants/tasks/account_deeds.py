"""What can be done to many subscribers at once, each by the operation of its own page (SUB-7)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from infra.tenant_scope import TenantScope
from tenants.billing.disable import Disable, disable
from tenants.billing.enable import Enable, enable
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.move import Move, move
from tenants.kernel.actor import Actor
from tenants.kernel.errors import InvalidInput
from tenants.registry.settings import read
from tenants.subscribers.kick import SessionKey, kick_sessions
from tenants.subscribers.queries_list import AccountRow
from tenants.subscribers.queries_online import sessions_of_account


class NobodyOnline(InvalidInput):
    """There is no session to end."""

    code = "nobody_online"
    message = "Nobody is online with it."


@dataclass(frozen=True, slots=True)
class Doing:
    """In whose name and with which values (days, reason, region) a deed is done."""

    scope: TenantScope
    actor: Actor
    now: datetime
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deed:
    """``run(doing, row, key)`` does it to one account; ``right`` is asked for besides ``accounts.bulk``."""

    right: str
    fields: tuple[str, ...]
    run: Callable[[Doing, AccountRow, str], None]


def _kick(doing: Doing, row: AccountRow, _key: str) -> None:
    seconds = read(doing.scope).interim_seconds
    open_now = sessions_of_account(doing.scope, row.id, doing.now, interim_seconds=seconds)
    keys = [SessionKey(one.nas_id, one.session_id, one.username) for one in open_now]
    if not kick_sessions(doing.scope, keys, actor=doing.actor, now=doing.now):
        raise NobodyOnline


def _disable(doing: Doing, row: AccountRow, key: str) -> None:
    disable(doing.scope, Disable(row.id, doing.values["reason"]), actor=doing.actor, now=doing.now, key=key)


def _enable(doing: Doing, row: AccountRow, key: str) -> None:
    enable(doing.scope, Enable(row.id, doing.values["reason"]), actor=doing.actor, now=doing.now, key=key)


def _extend(doing: Doing, row: AccountRow, key: str) -> None:
    later = max(row.expires_at, doing.now) + timedelta(days=doing.values["days"])
    command = ManualChange(row.id, expires_at=later, reason=doing.values["reason"])
    manual_change(doing.scope, command, actor=doing.actor, now=doing.now, key=key)


def _move(doing: Doing, row: AccountRow, key: str) -> None:
    move(doing.scope, Move(row.id, region_id=doing.values["region"]), actor=doing.actor, now=doing.now, key=key)


DEEDS: dict[str, Deed] = {
    "extend": Deed("op.manual", ("days", "reason"), _extend),
    "move": Deed("op.move", ("region",), _move),
    "kick": Deed("online.kick", (), _kick),
    "enable": Deed("op.enable", ("reason",), _enable),
    "disable": Deed("op.disable", ("reason",), _disable),
}
