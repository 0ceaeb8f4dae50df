"""What the platform console shows: tenants with their sizes, engines, queues, sign-ups (TEN-5).

Accounts and sessions stand in the tenants' cells: each page asks every cell once, for the tenants of the page only.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from infra.db import Database
from infra.keyset import Page, count_bounded, fetch_page
from infra.outbox import DueRow, OutboxRow
from infra.tenant_scope import unscoped
from tenants.access.models import Subscriber
from tenants.kernel.errors import NotFound
from tenants.registry.models import Hostname, Nas, Node, Owner, PlatformAuditEntry, SignUp, Tenant, Tier
from tenants.usage.models import Session as OnlineSession
from tenants.usage.queries_routers import Engine, engine_of

_REASON = "the platform console shows all tenants"


@dataclass(frozen=True, slots=True)
class TenantRow:
    """One ISP; ``accounts``, ``online`` and ``routers`` are counted when the page is read."""

    id: int
    slug: str
    name: str
    email: str
    phone: str
    state: str
    tier_code: str
    tier_en: str
    tier_zh: str
    max_accounts: int | None
    max_nas: int | None
    cell: str
    nas_prefix: str
    timezone: str
    locale: str
    created_at: datetime
    tier_until: datetime | None
    suspended_at: datetime | None
    suspended_reason: str
    schema_version: str
    accounts: int = 0
    online: int = 0
    routers: int = 0


def list_tenants(
    database: Database,
    *,
    text: str = "",
    state: str = "",
    tier: str = "",
    cell: str = "",
    sort: str = "name",
    cursor: str = "",
    size: int = 50,
) -> Page[TenantRow]:
    """One page of tenants; ``sort`` is name or created, "-" in front for descending."""
    where: list[ColumnElement[bool]] = []
    if text:
        hosts = select(Hostname.tenant_id).where(Hostname.hostname.icontains(text, autoescape=True))
        where.append(
            or_(
                Tenant.name.icontains(text, autoescape=True),
                Tenant.slug.icontains(text, autoescape=True),
                Tenant.email.icontains(text, autoescape=True),
                Tenant.nas_prefix == text,
                Tenant.id.in_(hosts),
            )
        )
    for column, value in ((Tenant.state, state), (Tenant.tier_code, tier), (Tenant.cell, cell)):
        if value:
            where.append(column == value)
    keys: dict[str, Any] = {"name": Tenant.name, "created": Tenant.created_at}
    key = keys.get(sort.removeprefix("-"), Tenant.name)
    with unscoped(database, reason=_REASON) as session:
        page = fetch_page(
            session,
            _tenant_statement().where(*where),
            keys=(key, Tenant.id),
            cursor=cursor,
            size=size,
            descending=sort.startswith("-"),
        )
        rows = [TenantRow(**row._mapping) for row in page.rows]
        total = count_bounded(session, select(Tenant.id).where(*where))
        rows = _with_routers(session, rows)
    return Page(tuple(_with_sizes(database, rows)), page.next, page.previous, total)


def tenant_detail(database: Database, tenant_id: int) -> TenantRow:
    """One tenant. Raises :class:`NotFound`."""
    with unscoped(database, reason=_REASON) as session:
        row = session.execute(_tenant_statement().where(Tenant.id == tenant_id)).first()
        if row is None:
            raise NotFound(what="tenant", ref=tenant_id)
        rows = _with_routers(session, [TenantRow(**row._mapping)])
    return _with_sizes(database, rows)[0]


def count_tenants(database: Database) -> dict[str, int]:
    """Tenants by state."""
    with unscoped(database, reason=_REASON) as session:
        rows = session.execute(select(Tenant.state, func.count()).group_by(Tenant.state)).all()
    return {str(state): int(number) for state, number in rows}


@dataclass(frozen=True, slots=True)
class CloudTotals:
    """Sums over all cells."""

    accounts: int
    online: int


def cloud_totals(database: Database) -> CloudTotals:
    """Accounts and open sessions of the whole cloud."""
    accounts = online = 0
    for cell in database.cells:
        with unscoped(database, reason=_REASON, cell=cell) as session:
            accounts += int(session.execute(select(func.count()).select_from(Subscriber)).scalar_one())
            online += int(session.execute(select(func.count()).select_from(OnlineSession)).scalar_one())
    return CloudTotals(accounts, online)


@dataclass(frozen=True, slots=True)
class TenantContact:
    """Who owns a tenant, and its own domains."""

    owner_name: str
    owner_email: str
    hostnames: tuple[str, ...]


def tenant_contact(database: Database, tenant_id: int) -> TenantContact:
    """Owner and domains of a tenant."""
    with unscoped(database, reason=_REASON) as session:
        owner = session.execute(select(Owner).where(Owner.tenant_id == tenant_id)).scalar_one_or_none()
        hosts = session.execute(select(Hostname.hostname).where(Hostname.tenant_id == tenant_id)).scalars().all()
    return TenantContact(owner.name if owner else "", owner.email if owner else "", tuple(hosts))


def list_nodes(database: Database, now: datetime, *, seen_within_seconds: int = 600) -> tuple[Engine, ...]:
    """All processes heard of lately, whatever their kind."""
    with unscoped(database, reason=_REASON) as session:
        rows = session.execute(
            select(Node)
            .where(Node.heartbeat_at >= now - timedelta(seconds=seen_within_seconds))
            .order_by(Node.kind, Node.node)
        ).scalars()
        return tuple(engine_of(row) for row in rows)


@dataclass(frozen=True, slots=True)
class BacklogRow:
    """Work waiting in one cell: due rows of a kind, or outbox rows of a topic."""

    cell: str
    table: str  # due | outbox
    name: str
    waiting: int
    overdue: int
    failed: int
    oldest_at: datetime | None


def list_backlog(database: Database, now: datetime) -> tuple[BacklogRow, ...]:
    """What is waiting: due work (all of it, and what is late) and effects that have not left yet."""
    found: list[BacklogRow] = []
    for cell in database.cells:
        with unscoped(database, reason=_REASON, cell=cell) as session:
            due = session.execute(
                select(
                    DueRow.kind,
                    func.count(),
                    func.count().filter(DueRow.run_at < now),
                    func.count().filter(DueRow.last_error != ""),
                    func.min(DueRow.run_at),
                ).group_by(DueRow.kind)
            ).all()
            found += [BacklogRow(cell, "due", *row) for row in due]
            # Only the last hour of what is finished: the rest is history, not a backlog.
            recent = or_(OutboxRow.state.in_(("waiting", "taken")), OutboxRow.created_at >= now - timedelta(hours=1))
            effects = session.execute(
                select(
                    OutboxRow.topic,
                    func.count().filter(OutboxRow.state.in_(("waiting", "taken"))),
                    func.count().filter(
                        OutboxRow.state == "waiting", OutboxRow.available_at < now - timedelta(seconds=30)
                    ),
                    func.count().filter(OutboxRow.state.in_(("refused", "unanswered", "failed"))),
                    func.min(OutboxRow.created_at).filter(OutboxRow.state == "waiting"),
                )
                .where(recent)
                .group_by(OutboxRow.topic)
            ).all()
            found += [BacklogRow(cell, "outbox", *row) for row in effects]
    return tuple(sorted(found, key=lambda row: (row.cell, row.table, row.name)))


@dataclass(frozen=True, slots=True)
class DueFailure:
    """A piece of due work that failed and will be tried again."""

    cell: str
    tenant_id: int
    kind: str
    subject_id: int
    run_at: datetime
    attempts: int
    last_error: str


def list_due_failures(database: Database, limit: int = 50) -> tuple[DueFailure, ...]:
    """Due work with an error, the most often tried first."""
    found: list[DueFailure] = []
    for cell in database.cells:
        with unscoped(database, reason=_REASON, cell=cell) as session:
            rows = session.execute(
                select(DueRow).where(DueRow.last_error != "").order_by(DueRow.attempts.desc()).limit(limit)
            ).scalars()
            found += [
                DueFailure(cell, r.tenant_id, r.kind, r.subject_id, r.run_at, r.attempts, r.last_error) for r in rows
            ]
    return tuple(found[:limit])


@dataclass(frozen=True, slots=True)
class SignUpRow:
    """A sign-up that waits for its verification, or has got its tenant."""

    id: int
    slug: str
    name: str
    contact_name: str
    email: str
    phone: str
    tier_code: str
    created_at: datetime
    expires_at: datetime
    verified_at: datetime | None
    tenant_id: int | None


def list_sign_ups(database: Database, *, waiting: bool = True, limit: int = 100) -> tuple[SignUpRow, ...]:
    """The newest sign-ups; ``waiting`` leaves out those that became tenants."""
    columns = [getattr(SignUp, name) for name in SignUpRow.__dataclass_fields__]
    statement = select(*columns).order_by(SignUp.created_at.desc()).limit(limit)
    if waiting:
        statement = statement.where(SignUp.tenant_id.is_(None))
    with unscoped(database, reason=_REASON) as session:
        return tuple(SignUpRow(**row._mapping) for row in session.execute(statement))


@dataclass(frozen=True, slots=True)
class PlatformEntry:
    """What a platform operator did."""

    id: int
    at: datetime
    actor: str
    action: str
    tenant_id: int | None
    tenant_name: str
    detail: dict[str, Any]
    address: str


def list_platform_audit(
    database: Database, *, tenant_id: int | None = None, cursor: str = "", size: int = 50
) -> Page[PlatformEntry]:
    """One page of the platform's own log, newest first."""
    entry = PlatformAuditEntry
    statement = select(
        entry.id,
        entry.at,
        entry.actor,
        entry.action,
        entry.tenant_id,
        func.coalesce(Tenant.name, "").label("tenant_name"),
        entry.detail,
        entry.address,
    ).outerjoin(Tenant, Tenant.id == entry.tenant_id)
    if tenant_id is not None:
        statement = statement.where(entry.tenant_id == tenant_id)
    with unscoped(database, reason=_REASON) as session:
        page = fetch_page(
            session,
            statement,
            keys=(entry.at, entry.id),
            cursor=cursor,
            size=size,
            descending=True,
        )
    return page.of(PlatformEntry)


def list_tiers(database: Database) -> tuple[tuple[str, str, str], ...]:
    """(code, English name, Chinese name) of the tiers in their order."""
    with unscoped(database, reason=_REASON) as session:
        rows = session.execute(select(Tier.code, Tier.name_en, Tier.name_zh).order_by(Tier.sort)).all()
    return tuple((row.code, row.name_en, row.name_zh) for row in rows)


def _tenant_statement() -> Any:
    names = [name for name in TenantRow.__dataclass_fields__ if hasattr(Tenant, name)]
    columns = [getattr(Tenant, name) for name in names]
    return select(
        *columns, Tier.name_en.label("tier_en"), Tier.name_zh.label("tier_zh"), Tier.max_accounts, Tier.max_nas
    ).join(Tier, Tier.code == Tenant.tier_code)


def _with_routers(session: Any, rows: list[TenantRow]) -> list[TenantRow]:
    counts: dict[int, int] = dict(
        session.execute(
            select(Nas.tenant_id, func.count())
            .where(Nas.tenant_id.in_([row.id for row in rows]), Nas.deleted_at.is_(None))
            .group_by(Nas.tenant_id)
        ).all()
    )
    return [replace(row, routers=counts.get(row.id, 0)) for row in rows]


def _with_sizes(database: Database, rows: list[TenantRow]) -> list[TenantRow]:
    accounts: dict[int, int] = {}
    online: dict[int, int] = {}
    for cell in {row.cell for row in rows}:
        ids = [row.id for row in rows if row.cell == cell]
        with unscoped(database, reason=_REASON, cell=cell) as session:
            for model, into in ((Subscriber, accounts), (OnlineSession, online)):
                counted: Any = select(model.tenant_id, func.count()).where(model.tenant_id.in_(ids))
                into.update(session.execute(counted.group_by(model.tenant_id)).all())
    return [replace(row, accounts=accounts.get(row.id, 0), online=online.get(row.id, 0)) for row in rows]
