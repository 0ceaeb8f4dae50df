"""One session and its packets' story (RAD-5, SUB-10): what was asked, reported, refused and ordered, in order."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select

from infra.outbox import OutboxRow
from infra.tenant_scope import TenantScope
from tenants.access.rules import LEARN
from tenants.kernel.actor import Actor
from tenants.kernel.errors import NotFound
from tenants.subscribers.kick import SessionKey
from tenants.subscribers.models import Account
from tenants.subscribers.visibility import visible_to
from tenants.usage.models import RefusedPacket, SessionHistory, SessionNote
from tenants.usage.models import Session as OnlineSession

_AROUND = timedelta(minutes=10)  # refused logins just before and after belong to the story
_MOST_EVENTS = 100
_SHARED = (
    "nas_id", "session_id", "username", "account_id", "mac", "called", "nas_port", "nas_port_id", "started_at",
    "updated_at", "seconds", "octets_in", "octets_out", "packets_in", "packets_out", "framed_ipv6_prefix",
    "delegated_ipv6_prefix",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """``kind``: started · refused · asked · answered · reported · noted · ended; ``code`` says which of it.

    Counters where a packet brought some, or the sums that it went on from; ``noted`` codes are those of SessionNote.
    """

    at: datetime
    kind: str
    code: str = ""
    detail: str = ""
    repeats: int = 1
    seconds: int = 0
    octets_in: int = 0
    octets_out: int = 0
    router: int | str = ""  # of a refused login, where it was another one than the session's: its id, or what it said


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """An open session, or a past one (``ended_at``); ``cause`` as in SessionHistory."""

    nas_id: int
    session_id: str
    username: str
    account_id: int
    mac: str | None
    called: str | None
    nas_port: int | None
    nas_port_id: str | None
    started_at: datetime
    updated_at: datetime
    seconds: int
    octets_in: int
    octets_out: int
    packets_in: int
    packets_out: int
    framed_ipv6_prefix: str | None
    delegated_ipv6_prefix: str | None
    framed_ip: str
    nas_address: str
    ended_at: datetime | None
    cause: int | None
    bound_port: str  # of its account
    reports: int | None  # interims that were stored; None: it ended before they were counted
    up_bps: int | None  # between the last two reports, while it is open
    down_bps: int | None
    events: tuple[SessionEvent, ...] = field(default=())


def session_detail(
    scope: TenantScope, key: SessionKey, actor: Actor, *, started_at: datetime | None = None
) -> SessionDetail:
    """The open session of this key, else the newest past one (begun at ``started_at`` where that is given).

    Raises :class:`NotFound`, also for an account that the actor may not see.
    """
    row = _open_row(scope, key, started_at) or _past_row(scope, key, started_at)
    if row is None or not _may_see(scope, row.account_id, actor):
        raise NotFound(what="session", ref=key.session_id)
    ended_at = getattr(row, "ended_at", None)
    values = {name: getattr(row, name) for name in (*_SHARED, "reports")}
    found = SessionDetail(
        **values,
        framed_ip=row.framed_ip or "",
        nas_address=row.nas_address or "",
        bound_port=_bound_port(scope, row.account_id),
        ended_at=ended_at,
        cause=getattr(row, "cause", None),
        up_bps=getattr(row, "up_bps", None),
        down_bps=getattr(row, "down_bps", None),
    )
    counters = found.seconds, found.octets_in, found.octets_out
    notes = _notes(scope, found)
    missing = any(note.code == "start_missing" for note in notes)
    events = [
        SessionEvent(found.started_at, "started", "start_missing" if missing else ""),
        *(note for note in notes if note.code != "start_missing"),
        *_refused(scope, found),
        *_commands(scope, found),
    ]
    if found.updated_at > found.started_at and ended_at != found.updated_at:
        events.append(SessionEvent(found.updated_at, "reported", "", "", found.reports or 1, *counters))
    if ended_at is not None:
        events.append(SessionEvent(ended_at, "ended", str(found.cause), "", found.reports or 0, *counters))
    ordered = sorted(events, key=lambda event: event.at)[-_MOST_EVENTS:]
    return replace(found, events=tuple(ordered))


def _columns(model: Any) -> list[Any]:
    names = [*_SHARED, "reports", *(("up_bps", "down_bps") if model is OnlineSession else ())]
    hosts = [func.host(getattr(model, name)).label(name) for name in ("framed_ip", "nas_address")]
    return [*(getattr(model, name) for name in names), *hosts]


def _of(scope: TenantScope, model: Any, key: SessionKey, started_at: datetime | None) -> list[Any]:
    where = [
        model.tenant_id == scope.tenant_id,
        model.nas_id == key.nas_id,
        model.session_id == key.session_id,
        model.username == key.username,
    ]
    return where if started_at is None else [*where, model.started_at == started_at]


def _open_row(scope: TenantScope, key: SessionKey, started_at: datetime | None) -> Any:
    statement = select(*_columns(OnlineSession)).where(*_of(scope, OnlineSession, key, started_at))
    return scope.session.execute(statement).first()


def _past_row(scope: TenantScope, key: SessionKey, started_at: datetime | None) -> Any:
    statement = (
        select(*_columns(SessionHistory), SessionHistory.ended_at, SessionHistory.cause)
        .where(*_of(scope, SessionHistory, key, started_at))
        .order_by(SessionHistory.ended_at.desc())
        .limit(1)
    )
    return scope.session.execute(statement).first()


def _bound_port(scope: TenantScope, account_id: int) -> str:
    bound = scope.session.scalar(select(Account.bind_port).where(Account.id == account_id)) if account_id else ""
    return "" if bound in (None, LEARN) else str(bound)


def _may_see(scope: TenantScope, account_id: int, actor: Actor) -> bool:
    if actor.region_ids is None and not actor.own_accounts_only:
        return True
    statement = select(Account.id).where(Account.id == account_id, visible_to(actor))
    return scope.session.execute(statement).first() is not None


def _notes(scope: TenantScope, found: SessionDetail) -> list[SessionEvent]:
    """What was out of the ordinary with its packets. The router may have used its identifier before, or since."""
    statement = select(SessionNote).where(
        SessionNote.tenant_id == scope.tenant_id,
        SessionNote.nas_id == found.nas_id,
        SessionNote.session_id == found.session_id,
        SessionNote.username == found.username,
        SessionNote.last_at >= found.started_at - _AROUND,
    )
    if found.ended_at is not None:
        statement = statement.where(SessionNote.first_at <= found.ended_at + _AROUND)
    return [
        SessionEvent(
            row.last_at, "noted", row.kind, repeats=row.times, seconds=row.seconds, octets_in=row.octets_in,
            octets_out=row.octets_out,
        )
        for row in scope.session.scalars(statement.order_by(SessionNote.last_at).limit(_MOST_EVENTS))
    ]  # fmt: skip


def _refused(scope: TenantScope, found: SessionDetail) -> list[SessionEvent]:
    """Logins of the same account, name or device that were refused around it."""
    same = [RefusedPacket.username == found.username]
    if found.account_id:
        same.append(RefusedPacket.account_id == found.account_id)
    if found.mac:
        same.append(RefusedPacket.mac == found.mac)
    facts = (RefusedPacket.at, RefusedPacket.reason, RefusedPacket.mac, RefusedPacket.repeats)
    statement = select(*facts, RefusedPacket.nas_id, RefusedPacket.nas_identifier).where(
        RefusedPacket.tenant_id == scope.tenant_id,
        RefusedPacket.at >= found.started_at - _AROUND,
        RefusedPacket.at <= (found.ended_at or found.updated_at) + _AROUND,
        or_(*same),
    )
    rows = scope.session.execute(statement.order_by(RefusedPacket.at.desc()).limit(_MOST_EVENTS))
    return [
        SessionEvent(
            row.at, "refused", row.reason, row.mac, row.repeats,
            router="" if row.nas_id == found.nas_id else row.nas_id or row.nas_identifier,
        )
        for row in rows
    ]  # fmt: skip


def _commands(scope: TenantScope, found: SessionDetail) -> list[SessionEvent]:
    """Disconnects and changes that were sent for it, and what the router said."""
    facts = (OutboxRow.created_at, OutboxRow.finished_at, OutboxRow.topic, OutboxRow.state, OutboxRow.result)
    statement = select(*facts, OutboxRow.payload).where(
        OutboxRow.tenant_id == scope.tenant_id,
        OutboxRow.topic.in_(("radius.disconnect", "radius.coa")),
        OutboxRow.subject == f"account:{found.account_id}",
        OutboxRow.payload["session_id"].astext == found.session_id,
        OutboxRow.created_at >= found.started_at,
    )
    events = []
    for row in scope.session.execute(statement.order_by(OutboxRow.id.desc()).limit(_MOST_EVENTS)):
        reason = str(row.payload.get("reason") or "")
        events.append(SessionEvent(row.created_at, "asked", row.topic, reason))
        if row.finished_at is not None:
            events.append(SessionEvent(row.finished_at, "answered", row.state, row.result))
    return events
