"""Who was online: closed sessions (RAD-8)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select

from infra.keyset import Page, count_bounded, fetch_page
from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.subscribers.search_sql import normalise_mac
from tenants.subscribers.visibility import visible_ids
from tenants.usage.addresses import address6, address_of, uses_address6
from tenants.usage.models import SessionHistory


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which closed sessions; give an account or a range of time. ``text``: a user name, address, MAC or line."""

    account_id: int | None = None
    nas_id: int | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None  # not included


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One closed session; ``cause`` is Acct-Terminate-Cause or one of ours (100 stale … 103 cleared by staff)."""

    nas_id: int
    session_id: str
    username: str
    account_id: int
    framed_ip: str
    mac: str
    nas_port_id: str
    started_at: datetime
    ended_at: datetime
    seconds: int
    octets_in: int
    octets_out: int
    cause: int


def list_history(
    scope: TenantScope, wanted: HistoryFilter, actor: Actor, *, cursor: str = "", size: int = 50
) -> Page[HistoryRow]:
    """One page of the closed sessions that the actor may see, newest end first."""
    page = fetch_page(
        scope.session,
        _statement(scope, wanted, actor),
        keys=(SessionHistory.ended_at, SessionHistory.nas_id, SessionHistory.session_id, SessionHistory.started_at),
        cursor=cursor,
        size=size,
        descending=True,
    )
    return page.of(HistoryRow)


def count_history(scope: TenantScope, wanted: HistoryFilter, actor: Actor) -> int | None:
    """How many sessions the filter has; None for more than are counted."""
    total = count_bounded(scope.session, _statement(scope, wanted, actor))
    return total.number if total.exact else None


def _statement(scope: TenantScope, wanted: HistoryFilter, actor: Actor) -> Select[*tuple[Any, ...]]:
    where: list[ColumnElement[bool]] = [SessionHistory.tenant_id == scope.tenant_id]
    among = visible_ids(actor)
    if among is not None:
        where.append(SessionHistory.account_id.in_(among))
    if wanted.account_id is not None:
        where.append(SessionHistory.account_id == wanted.account_id)
    if wanted.nas_id is not None:
        where.append(SessionHistory.nas_id == wanted.nas_id)
    if wanted.since is not None:
        where.append(SessionHistory.ended_at >= wanted.since)
    if wanted.until is not None:
        where.append(SessionHistory.ended_at < wanted.until)
    if wanted.text:
        mac = normalise_mac(wanted.text)
        address = address6(wanted.text)
        used = func.host(SessionHistory.framed_ip) == wanted.text
        used = used if address is None else uses_address6(SessionHistory, address)
        named = or_(SessionHistory.username == wanted.text, used, SessionHistory.nas_port_id == wanted.text)
        where.append(func.lower(SessionHistory.mac) == mac if mac else named)
    return select(
        SessionHistory.nas_id,
        SessionHistory.session_id,
        SessionHistory.username,
        SessionHistory.account_id,
        address_of(SessionHistory).label("framed_ip"),
        func.coalesce(SessionHistory.mac, "").label("mac"),
        func.coalesce(SessionHistory.nas_port_id, cast(SessionHistory.nas_port, Text), "").label("nas_port_id"),
        SessionHistory.started_at,
        SessionHistory.ended_at,
        SessionHistory.seconds,
        SessionHistory.octets_in,
        SessionHistory.octets_out,
        SessionHistory.cause,
    ).where(*where)
