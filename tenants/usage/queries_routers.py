"""Routers with their health: last packet, sessions, onboarding steps (NET-2, TEN-4).

Routers live in the registry, sessions in the tenant's cell, which may be another database; they are joined here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.kernel.errors import NotFound
from tenants.network.models import Region
from tenants.registry.models import Nas, Node
from tenants.usage.models import Session as OnlineSession

SILENT_AFTER_SECONDS = 900  # three accounting intervals of the usual five minutes
COPIED_RETURNS = 3  # one or two are a line that failed and came back
COPIED_SHOWN = timedelta(minutes=30)  # after the last one
MOST_OWN_ADDRESSES = 4
HEARTBEAT_SECONDS = 15  # a node that was silent for so long is not announced to anybody


@dataclass(frozen=True, slots=True)
class Router:
    """One router. ``step`` is registered → copied → packet → online, the furthest one reached."""

    id: int
    identifier: str
    name: str
    vendor: str
    auth_mode: str
    address: str
    ddns_name: str
    ddns_addresses: tuple[str, ...]  # where the name pointed last
    ddns_resolved_at: datetime | None
    ddns_error: str  # why it could not be asked the last time: no_such_name, no_address, no_answer
    coa_port: int
    message_authenticator: str
    timezone: str
    stale_seconds: int | None  # of its own
    invert_directions: bool
    region_id: int | None
    region_name: str
    remark: str
    created_at: datetime
    script_copied_at: datetime | None
    first_packet_at: datetime | None
    first_accept_at: datetime | None
    first_online_at: datetime | None
    last_packet_at: datetime | None
    last_source: str
    other_sources: tuple[str, ...]  # addresses of the last minutes, the newest first
    returns: int  # how often in a row packets came from one of them again
    returned_at: datetime | None
    sessions: int

    @property
    def step(self) -> str:
        """How far the onboarding got."""
        if self.first_online_at is not None:
            return "online"
        if self.first_packet_at is not None:
            return "packet"
        return "copied" if self.script_copied_at is not None else "registered"

    @property
    def stale_minutes(self) -> int | None:
        """As people write it."""
        return None if self.stale_seconds is None else self.stale_seconds // 60

    @property
    def sources(self) -> tuple[str, ...]:
        """The addresses of its packets of the last minutes."""
        return (self.last_source.rpartition(":")[0], *self.other_sources)

    def is_copied(self, now: datetime) -> bool:
        """Whether another router may have its identifier: packets come from one address and another in turn. An address
        that changes, however often, is none that comes again; one router that uses two lines in turn looks the same."""
        return self.returns >= COPIED_RETURNS and self.returned_at is not None and now - self.returned_at < COPIED_SHOWN

    def health(self, now: datetime) -> str:
        """``waiting`` for its first packet, ``good``, or ``silent``."""
        if self.last_packet_at is None:
            return "waiting"
        silent = now - self.last_packet_at > timedelta(seconds=SILENT_AFTER_SECONDS)
        return "silent" if silent else "good"


def list_routers(scope: TenantScope, *, text: str = "", region_id: int | None = None) -> tuple[Router, ...]:
    """All routers of the tenant by name; there are tens, not thousands."""
    statement = select(Nas).where(Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None))
    if region_id is not None:
        statement = statement.where(Nas.region_id == region_id)
    if text:
        like = Nas.name.icontains(text, autoescape=True) | Nas.identifier.icontains(text, autoescape=True)
        statement = statement.where(like | (func.host(Nas.address) == text))
    rows = scope.registry.execute(statement.order_by(Nas.name, Nas.id)).scalars().all()
    return _routers(scope, list(rows))


def router_detail(scope: TenantScope, nas_id: int) -> Router:
    """One router. Raises :class:`NotFound` for another tenant's too."""
    row = scope.registry.execute(
        select(Nas).where(Nas.id == nas_id, Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None))
    ).scalar_one_or_none()
    if row is None:
        raise NotFound(what="router", ref=nas_id)
    return _routers(scope, [row])[0]


def own_addresses(scope: TenantScope, nas_id: int, now: datetime) -> list[tuple[str, int]]:
    """What a router's lately reported sessions call its own address (NAS-IP-Address), the most of them first: two
    routers of one identifier have two, one router with two lines has one as a rule."""
    address, sessions = func.host(OnlineSession.nas_address), func.count()
    statement = (
        select(address, sessions)
        .where(
            OnlineSession.tenant_id == scope.tenant_id,
            OnlineSession.nas_id == nas_id,
            OnlineSession.nas_address.is_not(None),
            OnlineSession.updated_at > now - COPIED_SHOWN,
        )
        .group_by(address)
        .order_by(sessions.desc(), address)
        .limit(MOST_OWN_ADDRESSES)
    )
    return [(str(found), int(number)) for found, number in scope.session.execute(statement)]


def router_options(scope: TenantScope, nas_id: int) -> dict[str, Any]:
    """What the router is sent beyond its dialect. Raises :class:`NotFound` for another tenant's."""
    router_detail(scope, nas_id)
    return dict(scope.registry.scalar(select(Nas.options).where(Nas.id == nas_id)) or {})


def stale_times(scope: TenantScope) -> dict[int, int]:
    """The routers with a stale time of their own, and its seconds."""
    statement = select(Nas.id, Nas.stale_seconds).where(
        Nas.tenant_id == scope.tenant_id, Nas.stale_seconds.is_not(None)
    )
    return {nas_id: seconds or 0 for nas_id, seconds in scope.registry.execute(statement)}


def router_names(scope: TenantScope) -> dict[int, str]:
    """Name by id, the removed ones included: history still names them."""
    rows = scope.registry.execute(select(Nas.id, Nas.name).where(Nas.tenant_id == scope.tenant_id)).all()
    return {int(nas_id): str(name) for nas_id, name in rows}


def _routers(scope: TenantScope, rows: list[Nas]) -> tuple[Router, ...]:
    regions: dict[int, str] = dict(scope.session.execute(select(Region.id, Region.name)).all())
    sessions: dict[int, int] = dict(
        scope.session.execute(
            select(OnlineSession.nas_id, func.count())
            .where(OnlineSession.tenant_id == scope.tenant_id)
            .group_by(OnlineSession.nas_id)
        ).all()
    )
    return tuple(
        Router(
            id=row.id,
            identifier=row.identifier,
            name=row.name,
            vendor=row.vendor,
            auth_mode=row.auth_mode,
            address="" if row.address is None else str(row.address),
            ddns_name=row.ddns_name,
            ddns_addresses=tuple(row.ddns_addresses),
            ddns_resolved_at=row.ddns_resolved_at,
            ddns_error=row.ddns_error,
            coa_port=row.coa_port,
            message_authenticator=row.message_authenticator,
            timezone=row.timezone,
            stale_seconds=row.stale_seconds,
            invert_directions=row.invert_directions,
            region_id=row.region_id,
            region_name=regions.get(row.region_id or 0, ""),
            remark=row.remark,
            created_at=row.created_at,
            script_copied_at=row.script_copied_at,
            first_packet_at=row.first_packet_at,
            first_accept_at=row.first_accept_at,
            first_online_at=row.first_online_at,
            last_packet_at=row.last_packet_at,
            last_source=row.last_source,
            other_sources=tuple(sorted(row.other_sources, key=row.other_sources.__getitem__, reverse=True)),
            returns=row.returns,
            returned_at=row.returned_at,
            sessions=int(sessions.get(row.id, 0)),
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class Engine:
    """A live process of the RADIUS cluster as the platform and the tenants see it."""

    node: str
    kind: str
    host: str
    address: str
    auth_port: int | None
    acct_port: int | None
    radsec_port: int | None
    state: str
    started_at: datetime
    heartbeat_at: datetime
    counters: dict[str, Any]
    memory_octets: int | None

    def alive(self, now: datetime) -> bool:
        """Whether its heartbeat is young enough to be announced."""
        return now - self.heartbeat_at <= timedelta(seconds=HEARTBEAT_SECONDS)


def live_engines(scope: TenantScope, now: datetime) -> tuple[Engine, ...]:
    """The RADIUS processes that are alive (TEN-3), without what is the platform's alone: host, counters, memory."""
    announced = (
        Node.node, Node.kind, Node.address, Node.auth_port, Node.acct_port, Node.radsec_port,
        Node.state, Node.started_at, Node.heartbeat_at,
    )  # fmt: skip
    rows = scope.registry.execute(select(*announced).where(Node.kind == "radius").order_by(Node.node))
    engines = (Engine(**row._asdict(), host="", counters={}, memory_octets=None) for row in rows)
    return tuple(engine for engine in engines if engine.alive(now))


def engine_of(row: Node) -> Engine:
    """A node's row as a read model."""
    return Engine(**{name: getattr(row, name) for name in Engine.__dataclass_fields__})
