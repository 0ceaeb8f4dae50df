"""A subscriber ends the own connection, so that the device dials again (SLF-4)."""

from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.access.ask_routers import DISCONNECT
from tenants.access.disconnect import emit_for_sessions
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.subscribers.errors import AccountNotFound
from tenants.usage.models import Session as OnlineSession

REASON = "subscriber"


def end_own_sessions(
    scope: TenantScope, *, nas_id: int | None = None, session_id: str = "", actor: Actor, now: datetime
) -> int:
    """Ask the routers to end the account's sessions, or the one named; gives how many requests were written."""
    if actor.kind != "subscriber" or actor.id is None:
        raise AccountNotFound(what="account", ref=actor.name)
    mine = [OnlineSession.account_id == actor.id]
    if nas_id is not None:
        mine += [OnlineSession.nas_id == nas_id, OnlineSession.session_id == session_id]
    count = emit_for_sessions(scope, DISCONNECT, mine, REASON)
    if count:
        record(
            scope,
            actor=actor,
            action="account.kick",
            object_kind="account",
            object_id=actor.id,
            object_label=actor.name,
            after={"sessions": count},
            now=now,
        )
    return count
