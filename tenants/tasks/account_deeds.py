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
from tenants.billing.operation import Operation
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
    """Done to one account by an operation (``asks``), else by itself (``runs``).

    ``right`` is asked for besides ``accounts.bulk``.
    """

    right: str
    fields: tuple[str, ...]
    asks: Callable[[Doing, AccountRow], tuple[Operation[Any], Any]] | None = None
    runs: Callable[[Doing, AccountRow], None] | None = None


def _kick(doing: Doing, row: AccountRow) -> None:
    seconds = read(doing.scope).interim_seconds
    open_now = sessions_of_account(doing.scope, row.id, doing.now, interim_seconds=seconds)
    keys = [SessionKey(one.nas_id, one.session_id, one.username) for one in open_now]
    if not kick_sessions(doing.scope, keys, actor=doing.actor, now=doing.now):
        raise NobodyOnline


def _disable(doing: Doing, row: AccountRow) -> tuple[Operation[Any], Disable]:
    return disable, Disable(row.id, doing.values["reason"])


def _enable(doing: Doing, row: AccountRow) -> tuple[Operation[Any], Enable]:
    return enable, Enable(row.id, doing.values["reason"])


def _extend(doing: Doing, row: AccountRow) -> tuple[Operation[Any], ManualChange]:
    later = max(row.expires_at, doing.now) + timedelta(days=doing.values["days"])
    return manual_change, ManualChange(row.id, expires_at=later, reason=doing.values["reason"])


def _move(doing: Doing, row: AccountRow) -> tuple[Operation[Any], Move]:
    return move, Move(row.id, region_id=doing.values["region"])


DEEDS: dict[str, Deed] = {
    "extend": Deed("op.manual", ("days", "reason"), _extend),
    "move": Deed("op.move", ("region",), _move),
    "kick": Deed("online.kick", (), runs=_kick),
    "enable": Deed("op.enable", ("reason",), _enable),
    "disable": Deed("op.disable", ("reason",), _disable),
}
