"""End sessions by asking their routers (RAD-5): outbox rows, carried out and answered by the CoA process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_

from infra.tenant_scope import TenantScope
from tenants.access.ask_routers import DISCONNECT
from tenants.access.disconnect import emit_for_sessions
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.subscribers.models import Account
from tenants.subscribers.visibility import visible_to
from tenants.usage.models import Session as OnlineSession

MOST_AT_ONCE = 5_000  # one click must not be able to empty a big ISP's network by mistake
_SLICE = 500  # sessions named in one statement


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What names an open session."""

    nas_id: int
    session_id: str
    username: str

    @staticmethod
    def parse(raw: str) -> "SessionKey | None":
        """``nas:session:user`` as a form sends it (lengths keep colons apart), or None."""
        nas, _, rest = raw.partition(":")
        length, _, tail = rest.partition(":")
        if not nas.isdigit() or not length.isdigit() or len(nas) > 9 or len(length) > 4:
            return None
        return SessionKey(int(nas), tail[: int(length)], tail[int(length) :])

    def text(self) -> str:
        """The form value that :meth:`parse` reads."""
        return f"{self.nas_id}:{len(self.session_id)}:{self.session_id}{self.username}"


def kick_sessions(scope: TenantScope, keys: Sequence[SessionKey], *, actor: Actor, now: datetime) -> int:
    """Ask for the end of the sessions that exist and that the actor may see; returns how many were asked for."""
    actor.require("online.kick")
    wanted = [(key.nas_id, key.session_id, key.username) for key in keys[:MOST_AT_ONCE]]
    if not wanted:
        return 0
    statement = (
        select(OnlineSession.nas_id, OnlineSession.session_id, OnlineSession.username, OnlineSession.account_id)
        .outerjoin(Account, Account.id == OnlineSession.account_id)
        .where(
            OnlineSession.tenant_id == scope.tenant_id,
            tuple_(OnlineSession.nas_id, OnlineSession.session_id, OnlineSession.username).in_(wanted),
        )
    )
    if actor.region_ids is not None or actor.own_accounts_only:
        statement = statement.where(visible_to(actor))
    rows = scope.session.execute(statement).all()
    found = [(row.nas_id, row.session_id, row.username) for row in rows]
    asked = 0
    for start in range(0, len(found), _SLICE):
        this = tuple_(OnlineSession.nas_id, OnlineSession.session_id, OnlineSession.username)
        asked += emit_for_sessions(scope, DISCONNECT, [this.in_(found[start : start + _SLICE])], "kick")
    for row in rows:
        record(
            scope,
            actor=actor,
            action="session.kick",
            object_kind="account" if row.account_id else "session",
            object_id=row.account_id or row.session_id,
            object_label=row.username,
            now=now,
        )
    return asked
