"""What can be done to many subscribers at once, each by the operation of its own page (SUB-7)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from portals.admin.blueprint import actor, present, scope
from portals.shared.i18n import lazy
from portals.shared.tenancy import tenant_settings
from tenants.billing.disable import Disable, disable
from tenants.billing.enable import Enable, enable
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.move import Move, move
from tenants.kernel.errors import InvalidInput
from tenants.subscribers.kick import SessionKey, kick_sessions
from tenants.subscribers.queries_list import AccountRow
from tenants.subscribers.queries_online import sessions_of_account


class NobodyOnline(InvalidInput):
    """There is no session to end."""

    code = "nobody_online"
    message = "Nobody is online with it."


@dataclass(frozen=True, slots=True)
class Deed:
    """A bulk operation: ``run(row, values, key)`` does it to one account."""

    name: str
    title: Any
    icon: str
    right: str
    fields: tuple[str, ...]
    run: Callable[[AccountRow, dict[str, Any], str], None]


def _kick(row: AccountRow, _values: dict[str, Any], _key: str) -> None:
    open_now = sessions_of_account(scope(), row.id, present(), interim_seconds=tenant_settings().interim_seconds)
    keys = [SessionKey(one.nas_id, one.session_id, one.username) for one in open_now]
    if not kick_sessions(scope(), keys, actor=actor(), now=present()):
        raise NobodyOnline


def _disable(row: AccountRow, values: dict[str, Any], key: str) -> None:
    disable(scope(), Disable(row.id, values["reason"]), actor=actor(), now=present(), key=key)


def _enable(row: AccountRow, values: dict[str, Any], key: str) -> None:
    enable(scope(), Enable(row.id, values["reason"]), actor=actor(), now=present(), key=key)


def _extend(row: AccountRow, values: dict[str, Any], key: str) -> None:
    later = max(row.expires_at, present()) + timedelta(days=values["days"])
    command = ManualChange(row.id, expires_at=later, reason=values["reason"])
    manual_change(scope(), command, actor=actor(), now=present(), key=key)


def _move(row: AccountRow, values: dict[str, Any], key: str) -> None:
    move(scope(), Move(row.id, region_id=values["region"]), actor=actor(), now=present(), key=key)


DEEDS = {
    deed.name: deed
    for deed in (
        Deed("extend", lazy("Extend the expiry"), "calendar-plus", "op.manual", ("days", "reason"), _extend),
        Deed("move", lazy("Move to a region"), "map-pin", "op.move", ("region",), _move),
        Deed("kick", lazy("Disconnect"), "plug-x", "online.kick", (), _kick),
        Deed("enable", lazy("Enable"), "check", "op.enable", ("reason",), _enable),
        Deed("disable", lazy("Disable"), "ban", "op.disable", ("reason",), _disable),
    )
}


def allowed_deeds() -> list[Deed]:
    """Those that this person may do to many at once."""
    if not actor().may("accounts.bulk"):
        return []
    return [deed for deed in DEEDS.values() if actor().may(deed.right)]
