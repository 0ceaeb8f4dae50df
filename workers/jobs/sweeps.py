"""Set-based work over all tenants of a cell: one statement, whatever the number of tenants (JOB-1)."""

import random
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from infra import clock
from infra.outbox import DueRow, OutboxRow
from infra.tenant_scope import tenant_scope, unscoped
from tenants.access.check_sessions import LATELY, begun_by_nobody, end_too_many, end_uninvited
from tenants.registry.directory import find_tenant
from tenants.registry.errors import TenantNotFound
from tenants.registry.models import Nas, Tenant
from tenants.registry.nodes import drop_dead, listening_since
from tenants.subscribers.end_closed import end_sessions_of_closed
from tenants.usage.close_stale import Silence, close_stale_sessions, longest_silence
from tenants.usage.drop_old import drop_old_counts
from tenants.usage.sample_online import sample_online
from workers.context import Context
from workers.due_kinds import UPKEEP_KINDS
from workers.job import platform_job

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # of a look at all sessions
NODE_ALIVE = timedelta(seconds=30)
NODES_KEPT = timedelta(hours=1)
EFFECTS_KEPT = timedelta(days=30)  # done outbox rows: the online page counts the disconnects of the day
COUNTS_KEPT = timedelta(days=400)
SAMPLES_KEPT = timedelta(days=90)
_MONTHS_BEHIND, _MONTHS_AHEAD = 1, 3


@platform_job
def close_stale(known: Context, cell: str) -> int:
    """Close sessions that have been silent for too long; gives how many."""
    now = clock.now()
    with unscoped(known.database, reason="read every tenant's accounting interval") as registry:
        since = listening_since(registry, alive_since=now - NODE_ALIVE)
        limits = _longest_silence(registry, cell)
    if since is None:
        return 0  # nobody listens, so silence says nothing about the sessions
    with unscoped(known.database, reason="close stale sessions of all tenants", cell=cell) as session:
        return close_stale_sessions(session, limits, listening_since=since, now=now)


@platform_job
def check_sessions(known: Context, cell: str) -> int:
    """Ask for the end of sessions begun lately that ought not to be open; gives how many."""
    now = clock.now()
    with unscoped(known.database, reason="read every tenant's accounting interval") as registry:
        limits, days = _longest_silence(registry, cell), _local_days(registry, cell, now)
    with unscoped(known.database, reason="find sessions that ought not to be open", cell=cell) as session:
        asked = end_uninvited(session, days, begun_after=now - LATELY, now=now)
        asked += end_too_many(session, limits, now=now)
        nobodys = begun_by_nobody(session, begun_after=now - LATELY)
    failed: Exception | None = None
    for tenant_id, usernames in nobodys.items():
        try:
            with (
                suppress(TenantNotFound),
                tenant_scope(known.database, find_tenant(known.database, tenant_id)) as scope,
            ):
                asked += end_sessions_of_closed(scope, usernames, closed_since=now - 2 * LATELY)
        except Exception as error:  # whatever it is, the other tenants' must be asked; the job's entry tells it
            failed = failed or error
    if failed is not None:
        raise failed
    return asked


@platform_job
def check_all_sessions(known: Context, cell: str) -> int:
    """Ask again for the end of sessions of accounts that may not connect, however long they are; gives how many."""
    now = clock.now()
    with unscoped(known.database, reason="read every tenant's calendar") as registry:
        days = _local_days(registry, cell, now)
    with unscoped(known.database, reason="find sessions that ought not to be open", cell=cell) as session:
        return end_uninvited(session, days, begun_after=BEGINNING, now=now)


def _longest_silence(registry: Session, cell: str) -> Silence:
    """Of the tenants of the cell, and of their routers."""
    rows = registry.execute(
        select(Tenant.id, Tenant.interim_seconds, Tenant.stale_intervals).where(Tenant.cell == cell)
    ).all()
    ours = select(Tenant.id).where(Tenant.cell == cell)
    own = select(Nas.id, Nas.stale_seconds).where(Nas.stale_seconds.is_not(None), Nas.tenant_id.in_(ours))
    return Silence(
        {row.id: longest_silence(row.interim_seconds, row.stale_intervals) for row in rows},
        {row.id: row.stale_seconds for row in registry.execute(own)},
    )


def _local_days(registry: Session, cell: str, now: datetime) -> dict[int, date]:
    """Tenant of the cell → the day of its calendar."""
    rows = registry.execute(select(Tenant.id, Tenant.timezone).where(Tenant.cell == cell)).all()
    return {row.id: now.astimezone(ZoneInfo(row.timezone)).date() for row in rows}


@platform_job
def sample(known: Context, cell: str) -> int:
    """Note how many sessions are open; gives how many tenants."""
    with unscoped(known.database, reason="count open sessions of all tenants", cell=cell) as session:
        return sample_online(session, now=clock.now())


@platform_job
def keep_partitions(known: Context, cell: str) -> int:
    """Make the months of session history that will be needed; gives how many were made."""
    with unscoped(known.database, reason="make partitions of the session history", cell=cell) as session:
        statement = text("SELECT aaa.keep_history_months(:behind, :ahead)")
        return int(session.execute(statement, {"behind": _MONTHS_BEHIND, "ahead": _MONTHS_AHEAD}).scalar_one())


@platform_job
def drop_old(known: Context, cell: str) -> int:
    """Drop done effects, packet counts and online samples that nobody looks at any more; gives how many rows."""
    now = clock.now()
    with unscoped(known.database, reason="drop old counts and effects of all tenants", cell=cell) as session:
        done = session.execute(delete(OutboxRow).where(OutboxRow.finished_at < now - EFFECTS_KEPT))
        counts = drop_old_counts(session, counts_before=now - COUNTS_KEPT, samples_before=now - SAMPLES_KEPT)
        return cast("CursorResult[Any]", done).rowcount + counts


@platform_job
def forget_dead_nodes(known: Context) -> int:
    """Forget processes that have been silent for an hour; gives how many."""
    with unscoped(known.database, reason="forget dead processes") as registry:
        return drop_dead(registry, before=clock.now() - NODES_KEPT)


@platform_job
def seed_upkeep(known: Context, cell: str) -> int:
    """Give every tenant of the cell its upkeep rows where it has none, spread over the first hour; gives how many."""
    now = clock.now()
    with unscoped(known.database, reason="list the tenants of a cell") as registry:
        living = select(Tenant.id).where(Tenant.cell == cell, Tenant.state.in_(("active", "suspended")))
        tenant_ids = registry.scalars(living).all()
    rows = [
        {"tenant_id": tenant_id, "kind": kind, "subject_id": 0, "run_at": _some_time_after(now)}
        for tenant_id in tenant_ids
        for kind in UPKEEP_KINDS
    ]
    if not rows:
        return 0
    with unscoped(known.database, reason="seed the upkeep of all tenants", cell=cell) as session:
        put = insert(DueRow).on_conflict_do_nothing().returning(DueRow.tenant_id)
        return len(session.execute(put, rows).all())


def _some_time_after(now: datetime) -> datetime:
    return now + timedelta(seconds=random.uniform(60, 3600))
