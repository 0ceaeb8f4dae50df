"""Set-based work over all tenants of a cell: one statement, whatever the number of tenants (JOB-1)."""

import random
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from infra import clock
from infra.outbox import DueRow, OutboxRow
from infra.tenant_scope import unscoped
from tenants.registry.models import Tenant
from tenants.registry.nodes import drop_dead, listening_since
from tenants.usage.close_stale import close_stale_sessions, longest_silence
from tenants.usage.drop_old import drop_old_counts
from tenants.usage.sample_online import sample_online
from workers.context import Context
from workers.due_kinds import UPKEEP_KINDS
from workers.job import platform_job

NODE_ALIVE = timedelta(seconds=30)
NODES_KEPT = timedelta(hours=1)
EFFECTS_KEPT = timedelta(days=30)  # done outbox rows: the online page counts the disconnects of the day
COUNTS_KEPT = timedelta(days=400)
SAMPLES_KEPT = timedelta(days=90)
_MONTHS_BEHIND, _MONTHS_AHEAD = 1, 3


@platform_job
def close_stale(known: Context, cell: str) -> int:
    """Close sessions that have been silent for the tenant's number of intervals; gives how many."""
    now = clock.now()
    with unscoped(known.database, reason="read every tenant's accounting interval") as registry:
        since = listening_since(registry, alive_since=now - NODE_ALIVE)
        rows = registry.execute(
            select(Tenant.id, Tenant.interim_seconds, Tenant.stale_intervals).where(Tenant.cell == cell)
        ).all()
    if since is None:
        return 0  # nobody listens, so silence says nothing about the sessions
    limits = {row.id: longest_silence(row.interim_seconds, row.stale_intervals) for row in rows}
    with unscoped(known.database, reason="close stale sessions of all tenants", cell=cell) as session:
        return close_stale_sessions(session, limits, listening_since=since, now=now)


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
