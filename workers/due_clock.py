"""Looks twice a second what is due and who has to know: due rows → jobs of their tenants, outbox rows → deliveries.

Cost grows with what is due: each look is a range of the index on (kind, run_at), or of the waiting outbox rows.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from redis import Redis
from sqlalchemy import func, select, update

from infra.db import Database
from infra.outbox import DueRow, OutboxRow
from infra.queue import DEFAULT, Task, enqueue, take_leases
from infra.redis_keys import due_lease
from infra.tenant_scope import unscoped
from workers.due_kinds import FAMILIES, LEASE_SECONDS, QUEUE_OF, delivery_task, due_task

MOST_ROWS = 5_000  # looked at in one tick; the rest is seen half a second later
TAKEN_TOO_LONG = timedelta(seconds=120)  # a delivery whose worker was killed is given out again


class DueClock:
    """Enqueues what is due; a lease per tenant and family keeps it from enqueueing the same thing every tick."""

    def __init__(self, database: Database, redis: "Redis") -> None:
        self._database = database
        self._redis = redis

    def tick(self, now: datetime) -> int:
        """One look at all cells; gives how many jobs were enqueued."""
        count = 0
        for cell in self._database.cells:
            for family, kinds in FAMILIES.items():
                count += self._enqueue_due(family, self._tenants_due(cell, kinds, now))
            count += self._enqueue_deliveries(cell, now)
        return count

    def _tenants_due(self, cell: str, kinds: Sequence[str], now: datetime) -> list[int]:
        first = (
            select(DueRow.tenant_id, DueRow.run_at)
            .where(DueRow.kind.in_(kinds), DueRow.run_at <= now)
            .order_by(DueRow.run_at)
            .limit(MOST_ROWS)
            .subquery()
        )
        statement = select(first.c.tenant_id).group_by(first.c.tenant_id).order_by(func.min(first.c.run_at))
        with unscoped(self._database, reason="see which tenants have due work", cell=cell) as session:
            return list(session.scalars(statement))

    def _enqueue_due(self, family: str, tenant_ids: Sequence[int]) -> int:
        if not tenant_ids:
            return 0
        keys = [due_lease(tenant_id, family) for tenant_id in tenant_ids]
        free = take_leases(self._redis, keys, LEASE_SECONDS)
        tasks = [due_task(tenant_id, family) for tenant_id, ours in zip(tenant_ids, free, strict=True) if ours]
        return enqueue(self._redis, QUEUE_OF[family], tasks, keep_seconds=0)

    def _enqueue_deliveries(self, cell: str, now: datetime) -> int:
        """Mark waiting effects as taken and hand them to the workers; those of the cluster are not ours."""
        ours = ~OutboxRow.topic.startswith("radius.", autoescape=True)
        waiting = (
            select(OutboxRow.id)
            .where(OutboxRow.state == "waiting", ours, OutboxRow.available_at <= now)
            .order_by(OutboxRow.available_at)
            .limit(MOST_ROWS)
            .with_for_update(skip_locked=True)
        )
        lost = (
            select(OutboxRow.id)
            .where(OutboxRow.state == "taken", ours, OutboxRow.taken_at < now - TAKEN_TOO_LONG)
            .limit(MOST_ROWS)
            .with_for_update(skip_locked=True)
        )
        rows: list[tuple[int, int]] = []
        with unscoped(self._database, reason="hand out effects of committed transactions", cell=cell) as session:
            for found in (waiting, lost):
                ids = session.scalars(found).all()
                if ids:
                    taken = (
                        update(OutboxRow)
                        .where(OutboxRow.id.in_(ids))
                        .values(state="taken", taken_at=now)
                        .returning(OutboxRow.tenant_id, OutboxRow.id)
                    )
                    rows += [(row.tenant_id, row.id) for row in session.execute(taken)]
        # After the commit: a worker must find the row as taken. If we die here, it is given out again as lost.
        tasks: list[Task] = [delivery_task(tenant_id, row_id, cell) for tenant_id, row_id in sorted(rows)]
        return enqueue(self._redis, DEFAULT, tasks, keep_seconds=0)
