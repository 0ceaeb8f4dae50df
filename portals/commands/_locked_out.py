"""Who is locked out for guessing passwords, at the command line."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

from infra import clock
from infra.tenant_scope import TenantScope
from portals.commands._output import emit
from portals.commands._tenant import AT_THE_COMMAND_LINE, open_tenant
from tenants.network.find import find_nas
from tenants.network.queries import list_nas
from tenants.subscribers.find import find_account
from tenants.subscribers.queries_locked import LockedRow, list_locked
from tenants.subscribers.unlock import Unlock, unlock


def show_locked_out(tenant: str, account: str | None) -> None:
    """Print them. Raises AccountNotFound."""
    with open_tenant(tenant) as opened:
        scope = opened.scope
        account_id = None if account is None else find_account(scope, account).id
        rows = list_locked(scope, AT_THE_COMMAND_LINE, clock.now(), account_id=account_id)
        routers, zone = _routers(scope), scope.zone
    text = "\n".join(_line(row, routers, zone) for row in rows) or "Nobody is locked out just now."
    emit(_documents(rows, routers), text)


def let_try_again(tenant: str, account: str | None, nas: str | None, device: str | None) -> None:
    """Raises AccountNotFound, NasNotFound, NobodyToUnlock, NobodyLockedOut."""
    with open_tenant(tenant) as opened:
        scope = opened.scope
        command = Unlock(
            account_id=None if account is None else find_account(scope, account).id,
            nas_id=None if nas is None else find_nas(scope, nas).id,
            mac=device,
        )
        rows = unlock(scope, command, actor=AT_THE_COMMAND_LINE, now=clock.now())
        routers = _routers(scope)
    names = ", ".join(f"{_who(row)} at {routers.get(row.nas_id, row.nas_id)}" for row in rows)
    emit(_documents(rows, routers), f"May try again: {names}.")


def _routers(scope: TenantScope) -> dict[int, str]:
    return {row.id: row.identifier for row in list_nas(scope)}


def _who(row: LockedRow) -> str:
    device = row.mac or "a device without a name"
    return f"{row.username} from {device}" if row.username else f"{device} with any name"


def _line(row: LockedRow, routers: dict[int, str], zone: tzinfo) -> str:
    since, until = (f"{at.astimezone(zone):%H:%M:%S}" for at in (row.locked_at, row.until_at))
    return f"{_who(row)} at {routers.get(row.nas_id, row.nas_id)}: since {since}, until {until}, tries {row.tries}"


def _documents(rows: Iterable[LockedRow], routers: dict[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "account": row.username or None,
            "device": row.mac,
            "router": routers.get(row.nas_id, ""),
            "locked_at": row.locked_at,
            "until_at": row.until_at,
            "tries": row.tries,
        }
        for row in rows
    ]
