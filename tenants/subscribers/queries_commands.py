"""What routers were asked to do with running sessions, and what became of it (RAD-5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select

from infra.outbox import OutboxRow
from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.subscribers.visibility import visible_ids

DISCONNECT: Final = "radius.disconnect"
CHANGE: Final = "radius.coa"
# Results of rows for which nobody was asked: of a make that cannot be told another end of a session; of an account that
# is over, whose place has no speed to tell, or that has no place and is about to be cut.
UNASKED: Final = ("no_live_end", "place_without_speed", "account_over")
STATES: Final = {
    "done": ("done",),
    "refused": ("refused", "failed"),
    "unanswered": ("unanswered",),
    "waiting": ("waiting", "taken"),
}
_BATCH_WITHIN: Final = timedelta(hours=1)
_MOST_ROWS: Final = 50_000


@dataclass(frozen=True, slots=True)
class CommandCounts:
    """Requests since an instant, by result; ``waiting`` are on their way."""

    total: int
    done: int
    refused: int
    unanswered: int
    waiting: int

    @property
    def percent(self) -> int:
        """How much of it has ended, one way or another."""
        return 100 * (self.total - self.waiting) // self.total if self.total else 100


@dataclass(frozen=True, slots=True)
class CommandBatch:
    """Several sessions that were asked for by one deed: a bulk kick, an edited speed."""

    asked_at: datetime
    topic: str
    reason: str
    counts: CommandCounts
    ended_at: datetime | None  # None while some are on their way


@dataclass(frozen=True, slots=True)
class CommandResult:
    """One request and what became of it."""

    id: int
    topic: str
    username: str
    nas_id: int
    framed_ip: str
    reason: str
    state: str  # waiting | taken | done | refused | unanswered | failed
    result: str
    created_at: datetime
    finished_at: datetime | None
    account_id: int | None

    @property
    def under_way(self) -> bool:
        """Whether it waits for its answer."""
        return self.state in STATES["waiting"]


def count_disconnects(scope: TenantScope, actor: Actor, since: datetime) -> CommandCounts:
    """How the routers answered to the tenant's Disconnect-Requests since then."""
    numbers = [func.count().filter(OutboxRow.state.in_(states)) for states in STATES.values()]
    where = [*_visible(scope, actor), OutboxRow.topic == DISCONNECT, OutboxRow.created_at >= since]
    row = scope.session.execute(select(func.count(), *numbers).where(*where)).one()
    return CommandCounts(*(int(number) for number in row))


def list_commands(
    scope: TenantScope, actor: Actor, *, since: datetime, state: str = "", limit: int = 50
) -> tuple[CommandResult, ...]:
    """The newest requests with their results; ``state``: one of :data:`STATES`, "" for all."""
    where = [*_visible(scope, actor), OutboxRow.created_at >= since]
    if state in STATES:
        where.append(OutboxRow.state.in_(STATES[state]))
    rows = scope.session.execute(select(OutboxRow).where(*where).order_by(OutboxRow.id.desc()).limit(limit)).scalars()
    return tuple(
        CommandResult(
            row.id,
            row.topic,
            str(row.payload.get("username", "")),
            int(row.payload.get("nas_id") or 0),
            str(row.payload.get("framed_ip") or ""),
            str(row.payload.get("reason", "")),
            row.state,
            row.result,
            row.created_at,
            row.finished_at,
            row.payload.get("account_id"),
        )
        for row in rows
    )


def list_batches(scope: TenantScope, actor: Actor, now: datetime, limit: int = 5) -> tuple[CommandBatch, ...]:
    """The newest deeds of the last hour that asked for more than one session, and how far each has come."""
    # The newest rows alone are looked at: an edited plan can leave a million behind in a week.
    newest = (
        select(
            OutboxRow.created_at,
            OutboxRow.topic,
            OutboxRow.payload["reason"].astext.label("reason"),
            OutboxRow.state,
            OutboxRow.finished_at,
        )
        .where(*_visible(scope, actor))
        .order_by(OutboxRow.id.desc())
        .limit(_MOST_ROWS)
        .subquery()
    )
    # One deed writes all its rows in one transaction, whose instant they share.
    key = (newest.c.created_at, newest.c.topic, newest.c.reason)
    numbers = [func.count().filter(newest.c.state.in_(states)) for states in STATES.values()]
    rows = scope.session.execute(
        select(*key, func.count(), *numbers, func.max(newest.c.finished_at))
        .where(newest.c.created_at >= now - _BATCH_WITHIN)
        .group_by(*key)
        .having(func.count() > 1)
        .order_by(newest.c.created_at.desc())
        .limit(limit)
    ).all()
    return tuple(
        CommandBatch(at, topic, why, CommandCounts(total, *counts), None if counts[-1] else ended)
        for at, topic, why, total, *counts, ended in rows
    )


def _visible(scope: TenantScope, actor: Actor) -> list[ColumnElement[bool]]:
    where = [
        OutboxRow.tenant_id == scope.tenant_id,
        OutboxRow.topic.in_((DISCONNECT, CHANGE)),
        OutboxRow.result.not_in(UNASKED),  # the session's own page tells it
    ]
    among = visible_ids(actor)
    if among is not None:
        where.append(OutboxRow.payload["account_id"].as_integer().in_(among))
    return where
