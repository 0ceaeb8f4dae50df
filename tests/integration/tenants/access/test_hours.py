"""A plan group's hours: who is online follows at each edge, however late the worker runs (PLN-7)."""

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select, update

from infra.db import Database
from infra.outbox import DueRow, OutboxRow
from infra.tenant_scope import TenantScope, tenant_scope
from tenants.access.edit_hours import WindowValues, add_window, change_window, drop_window
from tenants.access.keep_hours import HOURS, keep_all_hours, keep_hours
from tenants.catalog.errors import PlanFieldNeeded, WindowNotFound
from tenants.catalog.set_windows import windows_of
from tenants.registry import settings
from tenants.registry.directory import find_tenant
from tenants.registry.settings import TIMEZONE
from tests.fixtures.accounts import OWNER, go_online, open_one, sell

ALL = 127


def at(scope: TenantScope, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=scope.zone).astimezone(UTC)


def due(scope: TenantScope, group_id: int) -> datetime | None:
    return scope.session.scalar(select(DueRow.run_at).where(DueRow.kind == HOURS, DueRow.subject_id == group_id))


def asked(scope: TenantScope) -> list[tuple[str, str]]:
    rows = scope.session.execute(
        select(OutboxRow.topic, OutboxRow.subject)
        .where(OutboxRow.tenant_id == scope.tenant_id, OutboxRow.state == "waiting")
        .order_by(OutboxRow.topic, OutboxRow.subject)
    )
    found = [(topic, subject) for topic, subject in rows if topic.startswith("radius.")]
    scope.session.execute(update(OutboxRow).where(OutboxRow.tenant_id == scope.tenant_id).values(state="done"))
    return found


def test_a_day_with_opening_hours(scope: TenantScope) -> None:
    plan, other = sell(scope, "shop"), sell(scope, "home")
    in_shop, at_home = open_one(scope, "u1", plan), open_one(scope, "u2", other)
    go_online(scope, in_shop)
    go_online(scope, at_home, "s2")
    morning = at(scope, "2026-11-20 09:00")
    add_window(scope, plan.group_id, WindowValues(ALL, time(8), time(18)), actor=OWNER, now=morning)
    assert (asked(scope), due(scope, plan.group_id)) == ([], at(scope, "2026-11-20 18:00"))
    keep_hours(scope, plan.group_id, at(scope, "2026-11-20 18:00"))
    assert asked(scope) == [("radius.disconnect", f"account:{in_shop}")]
    assert due(scope, plan.group_id) == at(scope, "2026-11-21 08:00")
    keep_hours(scope, plan.group_id, at(scope, "2026-11-21 08:00:30"))
    assert (asked(scope), due(scope, plan.group_id)) == ([], at(scope, "2026-11-21 18:00"))


def test_a_fast_night(scope: TenantScope) -> None:
    plan = sell(scope)
    account_id = open_one(scope, "u1", plan)
    go_online(scope, account_id)
    night = WindowValues(ALL, time(22), time(6), "rate", up_bps=50_000_000, down_bps=200_000_000)
    add_window(scope, plan.group_id, night, actor=OWNER, now=at(scope, "2026-11-20 23:00"))  # it is night already
    assert asked(scope) == [("radius.coa", f"account:{account_id}")]
    for edge, following in (("2026-11-21 06:00", "2026-11-21 22:00"), ("2026-11-21 22:00", "2026-11-22 06:00")):
        assert due(scope, plan.group_id) == at(scope, edge)
        keep_hours(scope, plan.group_id, at(scope, edge) + timedelta(seconds=1))
        assert asked(scope) == [("radius.coa", f"account:{account_id}")]
        assert due(scope, plan.group_id) == at(scope, following)
    drop_window(scope, plan.group_id, 1, None, actor=OWNER, now=at(scope, "2026-11-21 23:00"))
    assert asked(scope) == [("radius.coa", f"account:{account_id}")]  # back to the group's own
    assert due(scope, plan.group_id) is None


def test_another_time_zone_moves_the_edges(scope: TenantScope, database: Database) -> None:
    plan, now = sell(scope), at(scope, "2026-11-20 12:00")  # 04:00 UTC
    add_window(scope, plan.group_id, WindowValues(ALL, time(8), time(18)), actor=OWNER, now=now)
    settings.write(scope, "timezone", "Europe/Berlin", actor=OWNER, now=now)
    topics = scope.session.scalars(select(OutboxRow.topic).where(OutboxRow.tenant_id == scope.tenant_id)).all()
    assert TIMEZONE in topics
    scope.commit()
    with tenant_scope(database, find_tenant(database, scope.tenant_id)) as later:
        assert keep_all_hours(later, now) == 1
        assert due(later, plan.group_id) == datetime(2026, 11, 20, 7, tzinfo=UTC)  # 08:00 in Berlin


def test_changing_what_somebody_else_has_changed(scope: TenantScope) -> None:
    plan, now = sell(scope), at(scope, "2026-11-20 12:00")
    hours = WindowValues(ALL, time(8), time(18))
    [first] = add_window(scope, plan.group_id, hours, actor=OWNER, now=now)
    [second] = change_window(scope, plan.group_id, 1, first, WindowValues(31, time(9), time(17)), actor=OWNER, now=now)
    with pytest.raises(WindowNotFound):
        change_window(scope, plan.group_id, 1, first, hours, actor=OWNER, now=now)
    with pytest.raises(WindowNotFound):
        drop_window(scope, plan.group_id, 2, None, actor=OWNER, now=now)
    with pytest.raises(PlanFieldNeeded):
        add_window(scope, plan.group_id, WindowValues(1, time(8), time(9), "rate", 1_000_000), actor=OWNER, now=now)
    assert windows_of(scope, plan.group_id) == [second]
