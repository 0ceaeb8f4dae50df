"""Everything the page of one subscriber shows about the account itself (SUB-4, SUB-5, SUB-10)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.audit.models import AuditEntry
from tenants.catalog.models import Plan, PlanGroup, RateProfile
from tenants.kernel.actor import Actor
from tenants.kernel.errors import NotFound
from tenants.network.models import Region
from tenants.staff.models import Operator
from tenants.subscribers.address_wish import not_taken, wants_address, wants_router, was_learned
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.state_sql import shown_state_expression
from tenants.subscribers.visibility import visible_to
from tenants.usage.models import SessionHistory, Usage
from tenants.usage.queries_refused import latest_refusals


@dataclass(frozen=True, slots=True)
class AccountDetail:
    """One account with its customer, plan and region; ``state`` is the shown one."""

    id: int
    customer_id: int
    username: str
    name: str
    phone: str
    email: str
    address: str
    building: str
    room: str
    customer_remark: str
    attribute: str
    state: str
    plan_id: int | None
    plan_name: str
    plan_kind: str
    plan_price: Decimal | None
    group_id: int | None
    group_name: str
    up_bps: int | None
    down_bps: int | None
    region_id: int
    region_name: str
    opened_at: datetime
    activated_at: datetime | None
    expires_at: datetime
    never_expires: bool
    cut_off_at: datetime | None
    held_at: datetime | None
    period_started_at: datetime | None
    balance: Decimal
    receivable: Decimal
    auto_renew: bool
    max_sessions: int | None
    plan_max_sessions: int | None
    static_ip: Any
    bind_mac: str
    bind_nas_id: int | None
    bind_port: str
    bind_options: dict[str, Any] | None
    access_type: str
    box: str
    port: str
    vlan: str
    install_fee: Decimal
    remark: str
    deleted_at: datetime | None
    closed_at: datetime | None
    opened_by: str

    @property
    def learns_router(self) -> bool:
        """Whether the next login's router will be bound."""
        return self.bind_nas_id is None and wants_router(self.bind_options)

    @property
    def learns_address(self) -> bool:
        """Whether the next session's address will be its fixed one."""
        return wants_address(self.bind_options)

    @property
    def address_typed(self) -> bool:
        """Whether somebody chose its fixed address; a learned one is a binding like the others."""
        return self.static_ip is not None and not was_learned(self.bind_options)

    @property
    def address_not_taken(self) -> str:
        """The address that was refused while one was to be learned, else ""."""
        return not_taken(self.bind_options)

    @property
    def full_address(self) -> str:
        """Address, building and room in one line."""
        return " ".join(part for part in (self.address, self.building, self.room) if part)

    @property
    def label(self) -> str:
        """What a person calls it: the customer's name, else the user name."""
        return self.name or self.username


# As AccountDetail names them; the state depends on the instant and comes beside them.
_COLUMNS = (
    Account.id,
    Account.customer_id,
    Account.username,
    Customer.name,
    Customer.phone,
    Customer.email,
    Customer.address,
    Customer.building,
    Customer.room,
    Customer.remark.label("customer_remark"),
    Customer.attribute,
    Account.plan_id,
    func.coalesce(Plan.name, "").label("plan_name"),
    func.coalesce(Plan.kind, "").label("plan_kind"),
    Plan.price.label("plan_price"),
    PlanGroup.id.label("group_id"),
    func.coalesce(PlanGroup.name, "").label("group_name"),
    RateProfile.up_bps,
    RateProfile.down_bps,
    Account.region_id,
    Region.name.label("region_name"),
    Account.opened_at,
    Account.activated_at,
    Account.expires_at,
    Account.never_expires,
    Account.cut_off_at,
    Account.held_at,
    Account.period_started_at,
    Account.balance,
    Account.receivable,
    Account.auto_renew,
    Account.max_sessions,
    Plan.max_sessions.label("plan_max_sessions"),
    Account.static_ip,
    Account.bind_mac,
    Account.bind_nas_id,
    Account.bind_port,
    Account.bind_options,
    Account.access_type,
    Account.box,
    Account.port,
    Account.vlan,
    Account.install_fee,
    Account.remark,
    Account.deleted_at,
    Account.closed_at,
    func.coalesce(Operator.name, "").label("opened_by"),
)


def account_detail(
    scope: TenantScope, account_id: int, actor: Actor, now: datetime, *, expiring_days: int = 3
) -> AccountDetail:
    """The account. Raises :class:`NotFound` also for one that the actor may not see."""
    row = scope.session.execute(
        select(*_COLUMNS, shown_state_expression(now, expiring_days).label("state"))
        .join(Customer, Customer.id == Account.customer_id)
        .join(Region, Region.id == Account.region_id)
        .outerjoin(Plan, Plan.id == Account.plan_id)
        .outerjoin(PlanGroup, PlanGroup.id == Plan.group_id)
        .outerjoin(RateProfile, RateProfile.id == PlanGroup.rate_profile_id)
        .outerjoin(Operator, Operator.id == Account.created_by)
        .where(Account.id == account_id, visible_to(actor))
    ).first()
    if row is None:
        raise NotFound(what="account", ref=account_id)
    return AccountDetail(**row._mapping)


@dataclass(frozen=True, slots=True)
class DayUsage:
    """Octets and seconds of one local day."""

    day: date
    octets_in: int
    octets_out: int
    seconds: int


def usage_by_day(scope: TenantScope, account_id: int, last: date, days: int = 14) -> tuple[DayUsage, ...]:
    """The last days up to and with ``last``, in order, empty days included."""
    first = last - timedelta(days=days - 1)
    rows = scope.session.execute(
        select(Usage.day, Usage.octets_in, Usage.octets_out, Usage.seconds).where(
            Usage.tenant_id == scope.tenant_id,
            Usage.account_id == account_id,
            Usage.day.between(first, last),
        )
    ).all()
    found = {row.day: row for row in rows}
    result = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        row = found.get(day)
        result.append(
            DayUsage(day, 0, 0, 0) if row is None else DayUsage(day, row.octets_in, row.octets_out, row.seconds)
        )
    return tuple(result)


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a subscriber's timeline; ``kind`` is audit, refused or session; ``what`` its code."""

    at: datetime
    kind: str
    what: str
    who: str
    detail: dict[str, Any]


def timeline(
    scope: TenantScope, account_id: int, username: str, *, before: datetime | None = None, limit: int = 50
) -> tuple[Happening, ...]:
    """What happened to the account, newest first: staff actions, refused logins, ended sessions (SUB-10)."""
    session, tenant_id = scope.session, scope.tenant_id
    audit = select(AuditEntry).where(AuditEntry.object_kind == "account", AuditEntry.object_id == str(account_id))
    ended = select(SessionHistory).where(SessionHistory.tenant_id == tenant_id, SessionHistory.account_id == account_id)
    if before is not None:
        audit = audit.where(AuditEntry.at < before)
        ended = ended.where(SessionHistory.ended_at < before)
    entries = [
        Happening(e.at, "audit", e.action, e.actor_name, {"before": e.before, "after": e.after, "reason": e.reason})
        for e in session.execute(audit.order_by(AuditEntry.at.desc()).limit(limit)).scalars()
    ]
    entries += [
        Happening(
            r.at,
            "refused",
            r.reason,
            "",
            {
                "nas_id": r.nas_id,
                "mac": r.mac,
                "repeats": r.repeats,
                "nas": r.nas_identifier,
                "written": "" if r.username == username else r.username,
            },
        )
        for r in latest_refusals(scope, account_id, username, before=before, limit=limit)
    ]
    entries += [
        Happening(
            s.ended_at,
            "session",
            str(s.cause),
            "",
            {
                "nas_id": s.nas_id,
                "seconds": s.seconds,
                "framed_ip": "" if s.framed_ip is None else str(s.framed_ip),
                "octets_in": s.octets_in,
                "octets_out": s.octets_out,
            },
        )
        for s in session.execute(ended.order_by(SessionHistory.ended_at.desc()).limit(limit)).scalars()
    ]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return tuple(entries[:limit])
