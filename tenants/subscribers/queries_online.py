"""Who is online (RAD-5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, func, literal, not_, or_, select

from infra.keyset import Page, count_bounded, fetch_page
from infra.tenant_scope import TenantScope
from tenants.access.models import Profile, Subscriber
from tenants.access.rules import LEARN
from tenants.kernel.actor import Actor
from tenants.subscribers.kick import SessionKey
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.search_sql import is_on_line, normalise_mac
from tenants.subscribers.visibility import visible_to
from tenants.usage.addresses import address6, address_of, uses_address6
from tenants.usage.models import Session as OnlineSession
from tenants.usage.queries_routers import stale_times

_SORTS: dict[str, Any] = {
    "username": OnlineSession.username,
    "started": OnlineSession.started_at,
    "down": OnlineSession.octets_out,
    "updated": OnlineSession.updated_at,
}
SORTS = tuple(_SORTS)
_LAST_WORDS = timedelta(seconds=10)  # a report under way when the session was cut says nothing
_DEFIED = OnlineSession.updated_at > OnlineSession.cut_requested_at + _LAST_WORDS
LATE_INTERVALS = 3  # a session that has been silent for so many accounting intervals is shown as late


@dataclass(frozen=True, slots=True)
class OnlineFilter:
    """What the online list shows; ``longer_than_seconds`` and ``late`` narrow by age and silence."""

    text: str = ""
    nas_id: int | None = None
    region_id: int | None = None
    longer_than_seconds: int = 0
    late: bool = False
    unknown: bool = False
    defied: bool = False  # the router said that it ended them, and they go on
    not_ended: str = ""  # it refused to end them, or did not answer: any | refused | unanswered


@dataclass(frozen=True, slots=True)
class OnlineRow:
    """One open session; ``account_id`` 0 is a session of nobody we know."""

    nas_id: int
    session_id: str
    username: str
    account_id: int
    name: str
    framed_ip: str
    mac: str
    nas_port_id: str  # where it is plugged in, as the router says: NAS-Port-Id or option 82's circuit, else NAS-Port
    bound_port: str  # of its account; where the router's reports say nothing, its login said that it was this
    started_at: datetime
    updated_at: datetime
    seconds: int
    octets_in: int
    octets_out: int
    up_bps: int | None  # of the plan
    down_bps: int | None
    now_up_bps: int | None  # between the last two reports
    now_down_bps: int | None
    late: bool
    cut_requested_at: datetime | None
    cut_failed: str | None  # refused | unanswered

    @property
    def defied(self) -> bool:
        """The router acknowledged its end, and reports it still (daloradius#463)."""
        return self.cut_requested_at is not None and self.updated_at > self.cut_requested_at + _LAST_WORDS

    @property
    def line(self) -> str:
        """The port, or line, or what it is known to be."""
        return self.nas_port_id or self.bound_port

    @property
    def key(self) -> str:
        """The session as one form value."""
        return SessionKey(self.nas_id, self.session_id, self.username).text()


@dataclass(frozen=True, slots=True)
class OnlineTotals:
    """Sums over the present filter."""

    sessions: int
    octets_in: int
    octets_out: int
    late: int
    defied: int
    not_ended: int
    up_bps: int  # between the last two reports of those that are not late
    down_bps: int


def _online_conditions(
    scope: TenantScope, wanted: OnlineFilter, actor: Actor, now: datetime, interim_seconds: int
) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [OnlineSession.tenant_id == scope.tenant_id]
    if actor.region_ids is not None or actor.own_accounts_only:
        where.append(visible_to(actor))
    if wanted.nas_id is not None:
        where.append(OnlineSession.nas_id == wanted.nas_id)
    if wanted.region_id is not None:
        where.append(Account.region_id == wanted.region_id)
    if wanted.longer_than_seconds:
        where.append(OnlineSession.started_at <= now - timedelta(seconds=wanted.longer_than_seconds))
    if wanted.late:
        where.append(_late(scope, now, interim_seconds))
    if wanted.defied:
        where.append(_DEFIED)
    if wanted.not_ended:
        any_ = wanted.not_ended == "any"
        where.append(OnlineSession.cut_failed.is_not(None) if any_ else OnlineSession.cut_failed == wanted.not_ended)
    if wanted.unknown:
        where.append(OnlineSession.account_id == 0)
    if wanted.text:
        where.append(_text_condition(wanted.text.strip()))
    return where


def _late(scope: TenantScope, now: datetime, interim_seconds: int) -> ColumnElement[bool]:
    """Whether a session has been silent for so long that it may be over; those of routers with a stale time of their
    own when three quarters of it have passed, which is what three of four intervals are."""
    usual = literal(now - timedelta(seconds=LATE_INTERVALS * interim_seconds))
    own = {nas_id: literal(now - timedelta(seconds=0.75 * seconds)) for nas_id, seconds in stale_times(scope).items()}
    return OnlineSession.updated_at < (case(own, value=OnlineSession.nas_id, else_=usual) if own else usual)


def _text_condition(text: str) -> ColumnElement[bool]:
    mac = normalise_mac(text)
    if mac:
        return func.lower(OnlineSession.mac) == mac
    whole = address6(text)
    if whole is not None:
        return uses_address6(OnlineSession, whole)
    on_line = is_on_line(text)
    if ":" in text:
        begun = OnlineSession.framed_ipv6_prefix, OnlineSession.delegated_ipv6_prefix, OnlineSession.mac
        return or_(*(column.startswith(text.lower(), autoescape=True) for column in begun), on_line)
    if text.replace(".", "").isdigit() and "." in text:
        return or_(func.host(OnlineSession.framed_ip).startswith(text, autoescape=True), on_line)
    names = OnlineSession.username, Customer.name
    return or_(*(name.contains(text, autoescape=True) for name in names), on_line)


def list_online(
    scope: TenantScope,
    wanted: OnlineFilter,
    actor: Actor,
    now: datetime,
    *,
    interim_seconds: int,
    sort: str = "username",
    cursor: str = "",
    size: int = 50,
) -> Page[OnlineRow]:
    """One page of open sessions with its bounded total."""
    statement = _online_statement(scope, now, interim_seconds).where(
        *_online_conditions(scope, wanted, actor, now, interim_seconds)
    )
    key = _SORTS.get(sort.removeprefix("-"), OnlineSession.username)
    page = fetch_page(
        scope.session,
        statement,
        keys=(key, OnlineSession.nas_id, OnlineSession.session_id, OnlineSession.username),
        cursor=cursor,
        size=size,
        descending=sort.startswith("-"),
    )
    return page.of(OnlineRow, count_bounded(scope.session, statement))


def session_keys(
    scope: TenantScope, wanted: OnlineFilter, actor: Actor, now: datetime, *, interim_seconds: int, limit: int
) -> list[SessionKey | None]:
    """The keys of all sessions of a filter, at most ``limit`` of them: for "select all"."""
    rows = scope.session.execute(
        select(OnlineSession.nas_id, OnlineSession.session_id, OnlineSession.username)
        .outerjoin(Account, Account.id == OnlineSession.account_id)
        .outerjoin(Customer, Customer.id == Account.customer_id)
        .where(*_online_conditions(scope, wanted, actor, now, interim_seconds))
        .limit(limit)
    ).all()
    return [SessionKey(*row) for row in rows]


def sessions_of_account(
    scope: TenantScope, account_id: int, now: datetime, *, interim_seconds: int
) -> tuple[OnlineRow, ...]:
    """The open sessions of one account, newest first."""
    statement = (
        _online_statement(scope, now, interim_seconds)
        .where(OnlineSession.tenant_id == scope.tenant_id, OnlineSession.account_id == account_id)
        .order_by(OnlineSession.started_at.desc())
    )
    return tuple(OnlineRow(**row._mapping) for row in scope.session.execute(statement))


def total_online(
    scope: TenantScope, wanted: OnlineFilter, actor: Actor, now: datetime, *, interim_seconds: int
) -> OnlineTotals:
    """Sums over all sessions of the filter, not only over the page."""
    late = _late(scope, now, interim_seconds)
    statement = select(
        func.count(),
        func.coalesce(func.sum(OnlineSession.octets_in), 0),
        func.coalesce(func.sum(OnlineSession.octets_out), 0),
        func.count().filter(late),
        func.count().filter(_DEFIED),
        func.count().filter(OnlineSession.cut_failed.is_not(None)),
        *(
            func.coalesce(func.sum(rate).filter(not_(late)), 0)
            for rate in (OnlineSession.up_bps, OnlineSession.down_bps)
        ),
    ).select_from(OnlineSession)
    row = scope.session.execute(
        _joined(statement, wanted, actor).where(*_online_conditions(scope, wanted, actor, now, interim_seconds))
    ).one()
    return OnlineTotals(*(int(value) for value in row))


def count_online(scope: TenantScope, actor: Actor) -> int:
    """Open sessions that the actor may see."""
    wanted = OnlineFilter()
    statement = select(func.count()).select_from(OnlineSession).where(OnlineSession.tenant_id == scope.tenant_id)
    statement = _joined(statement, wanted, actor)
    if actor.region_ids is not None or actor.own_accounts_only:
        statement = statement.where(visible_to(actor))
    return int(scope.session.execute(statement).scalar_one())


def _joined(statement: Any, wanted: OnlineFilter, actor: Actor) -> Any:
    """Accounts and customers only where a condition asks for them: a sum over all sessions stays one scan."""
    if wanted.text or wanted.region_id is not None or actor.region_ids is not None or actor.own_accounts_only:
        statement = statement.outerjoin(Account, Account.id == OnlineSession.account_id).outerjoin(
            Customer, Customer.id == Account.customer_id
        )
    return statement


def _online_statement(scope: TenantScope, now: datetime, interim_seconds: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            OnlineSession.nas_id,
            OnlineSession.session_id,
            OnlineSession.username,
            OnlineSession.account_id,
            func.coalesce(Customer.name, "").label("name"),
            address_of(OnlineSession).label("framed_ip"),
            func.coalesce(OnlineSession.mac, "").label("mac"),
            func.coalesce(OnlineSession.nas_port_id, cast(OnlineSession.nas_port, Text), "").label("nas_port_id"),
            func.coalesce(func.nullif(Account.bind_port, LEARN), "").label("bound_port"),
            OnlineSession.started_at,
            OnlineSession.updated_at,
            OnlineSession.seconds,
            OnlineSession.octets_in,
            OnlineSession.octets_out,
            Profile.up_bps,
            Profile.down_bps,
            OnlineSession.up_bps.label("now_up_bps"),
            OnlineSession.down_bps.label("now_down_bps"),
            _late(scope, now, interim_seconds).label("late"),
            OnlineSession.cut_requested_at,
            OnlineSession.cut_failed,
        )
        .outerjoin(Account, Account.id == OnlineSession.account_id)
        .outerjoin(Customer, Customer.id == Account.customer_id)
        .outerjoin(
            Subscriber,
            and_(Subscriber.tenant_id == OnlineSession.tenant_id, Subscriber.account_id == OnlineSession.account_id),
        )
        .outerjoin(
            Profile,
            and_(Profile.tenant_id == OnlineSession.tenant_id, Profile.profile_id == Subscriber.profile_id),
        )
    )
