"""Close the sessions of one router in our books without sending it anything (RAD-5): it lost them, or it is gone."""

from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.usage.close_sessions import CLEARED, close_sessions
from tenants.usage.models import Session as OnlineSession


def clear_nas_sessions(scope: TenantScope, nas_id: int, *, actor: Actor, now: datetime, label: str = "") -> int:
    """Move the router's open sessions into the history with what they last reported; gives how many.

    A session that is still alive comes back with its next interim update, nothing of its usage is lost.
    """
    actor.require("online.clear")
    count = close_sessions(
        scope.session, [OnlineSession.tenant_id == scope.tenant_id, OnlineSession.nas_id == nas_id], cause=CLEARED
    )
    record(
        scope,
        actor=actor,
        action="nas.clear_sessions",
        object_kind="nas",
        object_id=nas_id,
        object_label=label,
        after={"sessions": count},
        now=now,
    )
    return count
