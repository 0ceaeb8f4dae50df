"""Hours that begin or end, and speeds that come back at a quota's reset, by the worker's job (PLN-5, PLN-7)."""

from datetime import timedelta

from sqlalchemy import select, update

from infra import clock
from infra.db import Database
from infra.outbox import DueRow, OutboxRow, set_due
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.access.edit_hours import WindowValues, add_window
from tenants.access.keep_hours import HOURS
from tenants.subscribers.warn_of_quota import QUOTA_RESET
from tests.fixtures.accounts import OWNER, go_online, open_one, sell
from workers.context import Context
from workers.jobs.run_due import run_due

EVERY_DAY = 127


def test_hours_that_end_and_a_quota_that_begins_anew(
    job_context: Context, database: Database, tenant: TenantRef
) -> None:
    with tenant_scope(database, tenant) as scope:
        plan, other = sell(scope, "hours"), sell(scope, "quota")
        with_hours, with_quota = open_one(scope, "u1", plan), open_one(scope, "u2", other)
        go_online(scope, with_hours, "s1")
        go_online(scope, with_quota, "s2")
        now = clock.now()
        closed = (now.astimezone(scope.zone) - timedelta(hours=2)).time().replace(second=0, microsecond=0)
        opened = (now.astimezone(scope.zone) - timedelta(hours=4)).time().replace(second=0, microsecond=0)
        hours = WindowValues(EVERY_DAY, opened, closed)
        add_window(scope, plan.group_id, hours, actor=OWNER, now=now - timedelta(hours=3))  # they were open then
        set_due(scope.session, scope.tenant_id, QUOTA_RESET, with_quota, now)
        assert scope.session.scalars(select(DueRow.run_at).where(DueRow.kind == HOURS)).one() <= now
        scope.session.execute(
            update(OutboxRow).where(OutboxRow.tenant_id == scope.tenant_id).values(state="done")
        )  # only what the job writes
    assert run_due(tenant.id, "rates") == {"handled": 2, "failed": 0}
    with tenant_scope(database, tenant) as scope:
        rows = scope.session.scalars(
            select(OutboxRow).where(OutboxRow.tenant_id == scope.tenant_id, OutboxRow.state == "waiting")
        ).all()
        assert sorted((row.topic, row.payload["session_id"], row.payload["reason"]) for row in rows) == [
            ("radius.coa", "s2", "quota_reset"),
            ("radius.disconnect", "s1", "outside_window"),
        ]
        due = dict(scope.session.execute(select(DueRow.kind, DueRow.run_at).where(DueRow.tenant_id == tenant.id)).all())
        assert due[HOURS] > now
        assert QUOTA_RESET not in due
    assert run_due(tenant.id, "rates") == {"handled": 0, "failed": 0}
