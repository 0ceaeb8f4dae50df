"""The live "waiting for the first packet" page (TEN-4): how far a router is, and why packets of it were refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, or_, select

from infra.tenant_scope import TenantScope
from tenants.network.find import find_nas
from tenants.network.packet_reasons import PacketReason, packet_reason
from tenants.registry.models import Nas
from tenants.usage.models import RefusedPacket

StepState = Literal["done", "now", "later"]
STEPS = ("registered", "copied", "packet", "online")
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One of the four steps; ``at`` is when it was reached."""

    code: str
    state: StepState
    at: datetime | None


@dataclass(frozen=True, slots=True)
class RefusedAttempt:
    """A packet that was not answered, or a login that was refused; ``words`` is None for reasons of an account."""

    at: datetime
    reason: str
    words: PacketReason | None
    source: str
    nas_identifier: str
    username: str
    method: str
    repeats: int
    node: str


@dataclass(frozen=True, slots=True)
class Onboarding:
    """``waiting_seconds``: since the script was copied or the router registered; 0 once a packet came."""

    nas_id: int
    identifier: str
    steps: tuple[Step, ...]
    waiting_seconds: int
    refused_count: int
    refused: tuple[RefusedAttempt, ...]
    finished: bool

    @property
    def distrusted(self) -> RefusedAttempt | None:
        """The newest packet of this router itself that could not be trusted: also a working one may go wrong."""
        mine = (row for row in self.refused if row.words is not None and row.reason != "unknown_nas")
        return next(mine, None)


def onboarding(scope: TenantScope, nas_id: int, *, now: datetime) -> Onboarding:
    """Raises :class:`NasNotFound`. Packets of unknown routers count when they used this tenant's prefix."""
    nas = find_nas(scope, nas_id)
    # The tenant's prefix with an identifier that nobody has: often this router, wrongly named.
    stray = RefusedPacket.reason == "unknown_nas"
    mine = (
        RefusedPacket.tenant_id == scope.tenant_id,
        RefusedPacket.at >= nas.created_at,
        or_(RefusedPacket.nas_id == nas.id, RefusedPacket.nas_identifier == nas.identifier, stray),
    )
    rows = scope.session.scalars(select(RefusedPacket).where(*mine).order_by(RefusedPacket.at.desc()).limit(_SHOWN))
    refused = tuple(
        RefusedAttempt(
            at=row.at,
            reason=row.reason,
            words=packet_reason(row.reason),
            source=row.source,
            nas_identifier=row.nas_identifier,
            username=row.username,
            method=row.method,
            repeats=row.repeats,
            node=row.node,
        )
        for row in rows
    )
    count = scope.session.scalar(select(func.coalesce(func.sum(RefusedPacket.repeats), 0)).where(*mine)) or 0
    waiting_since = nas.script_copied_at or nas.created_at
    return Onboarding(
        nas_id=nas.id,
        identifier=nas.identifier,
        steps=steps_of(nas),
        waiting_seconds=0 if nas.first_packet_at else max(0, int((now - waiting_since).total_seconds())),
        refused_count=int(count),
        refused=refused,
        finished=nas.first_online_at is not None,
    )


def steps_of(nas: Nas) -> tuple[Step, ...]:
    """Each step done, under way or still to come; a later one that was reached counts the earlier ones as done."""
    reached = (nas.created_at, nas.script_copied_at, nas.first_packet_at, nas.first_online_at)
    last = max(index for index, at in enumerate(reached) if at is not None)
    states: list[StepState] = ["done" if i <= last else "now" if i == last + 1 else "later" for i in range(len(STEPS))]
    return tuple(Step(code, state, at) for code, state, at in zip(STEPS, states, reached, strict=True))
