"""Refused logins and packets that could not be trusted (TEN-4, RAD-7), and the packet counters."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all
from sqlalchemy.orm import aliased

from infra.keyset import Page, count_bounded, fetch_page
from infra.tenant_scope import TenantScope
from tenants.usage.models import PacketCount, RefusedPacket
from tenants.usage.queries_latency import SUFFIX


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One refusal; ``reason`` is the stable code, ``repeats`` how often it came again within the same minute."""

    id: int
    at: datetime
    nas_id: int | None
    nas_identifier: str
    source: str
    code: int
    reason: str
    username: str
    account_id: int | None
    mac: str
    method: str
    repeats: int
    node: str
    detail: dict[str, Any]


def _columns() -> list[Any]:
    return [getattr(RefusedPacket, name) for name in RefusedRow.__dataclass_fields__]


def list_refused(
    scope: TenantScope,
    *,
    since: datetime,
    reason: str = "",
    nas_id: int | None = None,
    nas_identifier: str = "",
    account: tuple[int, str] | None = None,
    text: str = "",
    mac: str = "",
    named: int | None = None,
    among: Select[int] | None = None,
    cursor: str = "",
    size: int = 50,
) -> Page[RefusedRow]:
    """One page of refusals, newest first, with its bounded total.

    ``account``: all of one, by its id and user name. ``text``: those of this user name or device; ``mac``: the device
    as it is stored; ``named``: the account that has the name, whose refusals count however routers wrote it. ``among``:
    ids of the accounts that the reader may see, None for all; user names that nobody has are anybody's.
    """
    where: list[ColumnElement[bool]] = [RefusedPacket.tenant_id == scope.tenant_id, RefusedPacket.at >= since]
    if reason:
        where.append(RefusedPacket.reason == reason)
    if nas_id is not None:
        where.append(RefusedPacket.nas_id == nas_id)
    if nas_identifier:
        where.append(RefusedPacket.nas_identifier == nas_identifier)
    if account is not None:
        where.append(_of(*account))
    if among is not None:
        where.append(_among(among))
    if text:
        its = [RefusedPacket.username == text, RefusedPacket.mac == (mac or text.lower())]
        where.append(or_(*its, *([] if named is None else [RefusedPacket.account_id == named])))
    statement = select(*_columns()).where(*where)
    page = fetch_page(
        scope.session,
        statement,
        keys=(RefusedPacket.at, RefusedPacket.id),
        cursor=cursor,
        size=size,
        descending=True,
    )
    return page.of(RefusedRow, count_bounded(scope.session, statement))


def _among(ids: Select[int]) -> ColumnElement[bool]:
    return or_(RefusedPacket.account_id.is_(None), RefusedPacket.account_id.in_(ids))


def latest_refusals(
    scope: TenantScope,
    account_id: int,
    username: str,
    *,
    since: datetime | None = None,
    before: datetime | None = None,
    limit: int,
) -> tuple[RefusedPacket, ...]:
    """What was refused of an account, newest first: found for it, in whatever spelling, or of its very name."""
    within = [RefusedPacket.tenant_id == scope.tenant_id]
    within += [] if since is None else [RefusedPacket.at > since]
    within += [] if before is None else [RefusedPacket.at < before]
    # Each part reads as many rows of its index as are wanted, be there ever so many.
    parts = (
        select(RefusedPacket).where(*within, *its).order_by(RefusedPacket.at.desc()).limit(limit)
        for its in ([RefusedPacket.account_id == account_id], _nobodys(username))
    )
    newest = aliased(RefusedPacket, union_all(*parts).subquery())
    return tuple(scope.session.scalars(select(newest).order_by(newest.at.desc()).limit(limit)))


def _of(account_id: int, username: str) -> ColumnElement[bool]:
    return or_(RefusedPacket.account_id == account_id, and_(*_nobodys(username)))


def _nobodys(username: str) -> list[ColumnElement[bool]]:
    """Of this name, where nobody looked for the account: it was not there yet, or the packet could not be trusted."""
    return [RefusedPacket.account_id.is_(None), RefusedPacket.username == username]


def count_refused_by_reason(
    scope: TenantScope, since: datetime, *, nas_id: int | None = None, among: Select[int] | None = None
) -> dict[str, int]:
    """Refusals per reason since then, most first; ``among`` as in :func:`list_refused`."""
    where = [RefusedPacket.tenant_id == scope.tenant_id, RefusedPacket.at >= since]
    if nas_id is not None:
        where.append(RefusedPacket.nas_id == nas_id)
    rows = scope.session.execute(
        select(RefusedPacket.reason, func.sum(RefusedPacket.repeats))
        .where(*where, *([] if among is None else [_among(among)]))
        .group_by(RefusedPacket.reason)
        .order_by(func.sum(RefusedPacket.repeats).desc())
    ).all()
    return {reason: int(number) for reason, number in rows}


@dataclass(frozen=True, slots=True)
class CounterRow:
    """Packets of one router, kind and outcome in a span of time."""

    nas_id: int
    kind: str
    outcome: str
    packets: int


def count_packets(scope: TenantScope, since: datetime) -> tuple[CounterRow, ...]:
    """Packets by router, kind and outcome since then (RAD-7)."""
    rows = scope.session.execute(
        select(PacketCount.nas_id, PacketCount.kind, PacketCount.outcome, func.sum(PacketCount.packets))
        .where(PacketCount.tenant_id == scope.tenant_id, PacketCount.hour >= since, ~PacketCount.kind.endswith(SUFFIX))
        .group_by(PacketCount.nas_id, PacketCount.kind, PacketCount.outcome)
        .order_by(PacketCount.nas_id, PacketCount.kind, PacketCount.outcome)
    ).all()
    return tuple(CounterRow(nas_id, kind, outcome, int(packets)) for nas_id, kind, outcome, packets in rows)


def packets_per_hour(scope: TenantScope, since: datetime) -> tuple[tuple[datetime, int, int, int], ...]:
    """(hour, accepted logins, refused logins, accounting) since then; hours without packets are absent."""
    outcome, packets = PacketCount.outcome, PacketCount.packets
    rows = scope.session.execute(
        select(
            PacketCount.hour,
            func.coalesce(func.sum(packets).filter(PacketCount.kind == "auth", outcome == "accepted"), 0),
            func.coalesce(func.sum(packets).filter(PacketCount.kind == "auth", outcome.startswith("rejected")), 0),
            func.coalesce(func.sum(packets).filter(PacketCount.kind == "acct", outcome == "stored"), 0),
        )
        .where(PacketCount.tenant_id == scope.tenant_id, PacketCount.hour >= since)
        .group_by(PacketCount.hour)
        .order_by(PacketCount.hour)
    ).all()
    return tuple((hour, int(yes), int(no), int(stored)) for hour, yes, no, stored in rows)
