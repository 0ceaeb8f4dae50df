"""What the cluster knows of accounts and plans, after every change (RAD-3, NET-5; packet-path.md)."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select

from infra import clock
from infra.db import Database
from infra.outbox import DueRow, OutboxRow
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.access.apply_catalog import (
    edit_plan_and_apply,
    edit_plan_group_and_apply,
    edit_rate_profile_and_apply,
    set_windows_and_apply,
)
from tenants.access.disconnect import disconnect_account
from tenants.access.models import Profile, Subscriber
from tenants.access.project import EXPIRE, NOT_YET, project_account, project_profiles
from tenants.access.rules import STATE_ACTIVE, STATE_DISABLED, STATE_HELD
from tenants.catalog.add_plan import PlanValues
from tenants.catalog.add_plan_group import AddPlanGroup
from tenants.catalog.add_rate_profile import AddRateProfile
from tenants.catalog.edit_plan import EditPlan
from tenants.catalog.edit_plan_group import EditPlanGroup
from tenants.catalog.edit_rate_profile import EditRateProfile
from tenants.catalog.find import find_group
from tenants.catalog.models import PlanWindow
from tenants.catalog.rules import Window
from tenants.subscribers.bind import Unbind, learn_bindings, unbind
from tenants.subscribers.delete_account import delete_account, restore_account
from tenants.subscribers.edit_account import EditAccount, edit_account
from tenants.subscribers.models import Account
from tenants.subscribers.password import reset_password
from tests.fixtures.accounts import OWNER, force, go_online, open_one, sell, set_expiry

NOW = clock.now()


def subscriber(scope: TenantScope, account_id: int) -> Subscriber | None:
    return scope.session.scalars(
        select(Subscriber)
        .where(Subscriber.tenant_id == scope.tenant_id, Subscriber.account_id == account_id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def due_at(scope: TenantScope, account_id: int) -> datetime | None:
    return scope.session.scalars(
        select(DueRow.run_at).where(DueRow.kind == EXPIRE, DueRow.subject_id == account_id)
    ).one_or_none()


def change(scope: TenantScope, account_id: int, **values: Any) -> Subscriber | None:
    if values:
        force(scope, account_id, **values)
    project_account(scope, account_id)
    return subscriber(scope, account_id)


def profile(scope: TenantScope, profile_id: int) -> Profile:
    return scope.session.scalars(
        select(Profile)
        .where(Profile.tenant_id == scope.tenant_id, Profile.profile_id == profile_id)
        .execution_options(populate_existing=True)
    ).one()


def coa(scope: TenantScope, topic: str = "radius.coa") -> list[str]:
    return sorted(scope.session.scalars(select(OutboxRow.subject).where(OutboxRow.topic == topic)))


def test_an_edited_service_says_which_one_online_sessions_have(scope: TenantScope) -> None:
    plan = sell(scope)
    go_online(scope, open_one(scope, "u1", plan))

    def edit(service: str | None) -> list[str | None]:
        options = {"service": service} if service else {}
        scope.session.execute(delete(OutboxRow).where(OutboxRow.tenant_id == scope.tenant_id))
        group = find_group(scope, plan.group_id)
        command = EditPlanGroup(group.id, AddPlanGroup(group.name, group.rate_profile_id, options=options))
        edit_plan_group_and_apply(scope, command, actor=OWNER, now=NOW)
        payloads = scope.session.scalars(select(OutboxRow.payload).where(OutboxRow.topic == "radius.coa"))
        return [payload.get("previous_service") for payload in payloads]

    assert edit("rate(20m)") == [""]
    assert edit("rate(50m)") == ["rate(20m)"]
    assert edit(None) == ["rate(50m)"]


def test_an_opened_account_may_enter(scope: TenantScope) -> None:
    plan = sell(scope, max_sessions=2, concurrency="drop-oldest")
    account_id = open_one(scope, "u1", plan, bind_mac="AA-BB-CC-00-00-01", static_ip="10.0.0.7")
    account = scope.session.get_one(Account, account_id)
    row = subscriber(scope, account_id)
    assert row is not None
    assert (row.username, row.state, row.activated, row.valid_until) == ("u1", STATE_ACTIVE, True, account.expires_at)
    assert (row.max_sessions, row.drop_oldest, row.profile_id) == (2, True, plan.group_id)
    assert (row.bind_mac, str(row.static_ip), row.in_arrears) == ("aa:bb:cc:00:00:01", "10.0.0.7", False)
    assert row.password_sealed == account.password_sealed
    assert due_at(scope, account_id) == account.expires_at
    assert profile(scope, plan.group_id).down_bps == 100_000_000


@pytest.mark.parametrize(("state", "expected"), [("disabled", STATE_DISABLED), ("held", STATE_HELD)])
def test_states(scope: TenantScope, state: str, expected: int) -> None:
    account_id = open_one(scope, "u1", sell(scope))
    row = change(scope, account_id, state=state, held_at=NOW if state == "held" else None)
    assert row is not None
    assert row.state == expected
    assert (due_at(scope, account_id) is None) is (state == "held")  # a hold stops the clock


def test_arrears_end_before_the_expiry(scope: TenantScope) -> None:
    """G6: until the old expiry and the allowed days, whatever the new expiry says."""
    account_id = open_one(scope, "u1", sell(scope))
    cut_off = NOW + timedelta(days=3)
    row = change(scope, account_id, cut_off_at=cut_off, receivable=Decimal(50))
    assert row is not None
    assert (row.valid_until, row.in_arrears) == (cut_off, True)
    assert due_at(scope, account_id) == cut_off
    row = change(scope, account_id, cut_off_at=None, receivable=Decimal(0))
    assert row is not None
    assert not row.in_arrears
    assert row.valid_until == due_at(scope, account_id) == scope.session.get_one(Account, account_id).expires_at


def test_before_the_first_login_nothing_expires(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope), start="first-login")
    row = subscriber(scope, account_id)
    assert row is not None
    assert (row.activated, row.valid_until) == (False, NOT_YET)
    assert due_at(scope, account_id) is None


def test_never_expires(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope))
    end = datetime(2099, 12, 31, 16, tzinfo=UTC)  # 2100-01-01 00:00 in Shanghai
    row = change(scope, account_id, never_expires=True, expires_at=end)
    assert row is not None
    assert row.valid_until == end


def test_a_past_expiry_is_due_at_once(scope: TenantScope) -> None:
    """The worker renews it as of that instant, or disconnects whoever is online."""
    plan = sell(scope)
    offline, online = open_one(scope, "offline", plan), open_one(scope, "online", plan)
    go_online(scope, online)
    past = NOW - timedelta(days=1)
    for account_id in (offline, online):
        set_expiry(scope, account_id, past)
        assert due_at(scope, account_id) == past


def test_a_new_name_leaves_no_old_one(scope: TenantScope) -> None:
    account_id = open_one(scope, "old", sell(scope))
    row = change(scope, account_id, username="new")
    assert row is not None
    assert row.username == "new"
    names = scope.session.scalars(select(Subscriber.username).where(Subscriber.tenant_id == scope.tenant_id)).all()
    assert names == ["new"]


def test_closed_and_deleted_accounts_are_unknown(scope: TenantScope) -> None:
    plan = sell(scope)
    closed, deleted = open_one(scope, "closed", plan), open_one(scope, "deleted", plan)
    assert change(scope, closed, state="closed", closed_at=NOW) is None
    assert due_at(scope, closed) is None
    go_online(scope, deleted)
    delete_account(scope, deleted, actor=OWNER, now=NOW)
    assert subscriber(scope, deleted) is None
    assert coa(scope, "radius.disconnect") == [f"account:{deleted}"]
    restore_account(scope, deleted, actor=OWNER, now=NOW)
    assert subscriber(scope, deleted) is not None
    assert due_at(scope, deleted) is not None


def test_a_new_password_reaches_the_cluster(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope))
    before = subscriber(scope, account_id)
    assert before is not None
    sealed = before.password_sealed
    reset_password(scope, account_id, "another", actor=OWNER, now=NOW)
    after = subscriber(scope, account_id)
    assert after is not None
    assert after.password_sealed == scope.session.get_one(Account, account_id).password_sealed != sealed


def test_what_the_next_login_is_to_teach_reaches_the_cluster(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope), bind_nas_id=7)
    unbind(scope, Unbind(account_id, "nas", learn_again=True), actor=OWNER, now=NOW)
    row = subscriber(scope, account_id)
    assert row is not None
    assert (row.bind_nas_id, row.bind_options) == (None, {"learn": ["nas"]})
    edit_account(scope, EditAccount(account_id, {"remark": "moved"}), actor=OWNER, now=NOW)
    assert learn_bindings(scope, account_id, nas_id=9, now=NOW)
    row = subscriber(scope, account_id)
    assert row is not None
    assert (row.bind_nas_id, row.bind_options) == (9, {})
    edit_account(scope, EditAccount(account_id, {"bind_nas_id": "learn"}), actor=OWNER, now=NOW)
    edit_account(scope, EditAccount(account_id, {"bind_nas_id": None}), actor=OWNER, now=NOW)
    assert not learn_bindings(scope, account_id, nas_id=9, now=NOW)


def test_unbinding_reaches_the_cluster(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope), bind_mac="aa:bb:cc:00:00:01", bind_port="eth 1")
    unbind(scope, Unbind(account_id, "mac", learn_again=True), actor=OWNER, now=NOW)
    row = subscriber(scope, account_id)
    assert row is not None
    assert (row.bind_mac, row.bind_port) == ("learn", "eth 1")
    unbind(scope, Unbind(account_id), actor=OWNER, now=NOW)
    row = subscriber(scope, account_id)
    assert row is not None
    assert (row.bind_mac, row.bind_port) == ("", "")


def test_a_quota_plan(scope: TenantScope) -> None:
    plan = sell(
        scope, kind="traffic-per-day", quota_octets=10**9, quota_end="throttle", throttle_up_bps=1_000_000,
        throttle_down_bps=2_000_000,
    )  # fmt: skip
    account_id = open_one(scope, "u1", plan)
    row = subscriber(scope, account_id)
    assert row is not None
    assert (row.quota_kind, row.quota_octets, row.quota_seconds, row.quota_cut) == (2, 10**9, None, False)
    assert row.throttle_profile_id == -(plan.throttle_profile_id or 0)
    assert profile(scope, row.throttle_profile_id).down_bps == 2_000_000


def test_a_new_rate_reaches_those_online_and_nobody_else(scope: TenantScope) -> None:
    fast, slow = sell(scope, "fast"), sell(scope, "slow")  # their groups share one rate profile
    other = sell(scope, "other", group="other")
    ids = [open_one(scope, f"u{n}", plan) for n, plan in enumerate((fast, fast, slow))]
    go_online(scope, ids[0], "a")
    go_online(scope, ids[2], "c")
    group = find_group(scope, fast.group_id)
    assert find_group(scope, other.group_id).rate_profile_id == group.rate_profile_id
    version = profile(scope, group.id).version
    rates = AddRateProfile("200M", 50_000_000, 200_000_000)
    edit = EditRateProfile(group.rate_profile_id, rates)
    edit_rate_profile_and_apply(scope, edit, actor=OWNER, now=NOW)
    assert (profile(scope, group.id).down_bps, profile(scope, group.id).version) == (200_000_000, version + 1)
    assert coa(scope) == sorted([f"account:{ids[0]}", f"account:{ids[2]}"])
    edit_rate_profile_and_apply(scope, edit, actor=OWNER, now=NOW)  # the same again: nothing to tell
    assert len(coa(scope)) == 2
    assert profile(scope, group.id).version == version + 1


def test_an_edited_plan_holds_for_its_accounts(scope: TenantScope) -> None:
    plan = sell(scope)
    account_id = open_one(scope, "u1", plan)
    values = PlanValues(name=plan.name, kind="month", price="70", max_sessions=5)
    edit_plan_and_apply(scope, EditPlan(plan.id, values), actor=OWNER, now=NOW)
    row = subscriber(scope, account_id)
    assert row is not None
    assert row.max_sessions == 5


def test_windows_travel_in_minutes(scope: TenantScope) -> None:
    from datetime import time

    plan = sell(scope)
    open_one(scope, "u1", plan)
    night = find_group(scope, plan.group_id).rate_profile_id
    windows = [Window(31, time(8, 30), time(18)), Window(127, time(22), time(6), "rate", night)]
    set_windows_and_apply(scope, plan.group_id, windows, actor=OWNER, now=NOW)
    assert profile(scope, plan.group_id).windows == [
        {"days": 31, "starts": 510, "ends": 1080},
        {"days": 127, "starts": 1320, "ends": 360, "profile_id": -night},
    ]
    assert profile(scope, -night).pool == ""


def test_windows_keep_their_order(scope: TenantScope) -> None:
    """Where rate windows overlap the first one counts, wherever the database keeps its row."""
    plan = sell(scope)
    night = find_group(scope, plan.group_id).rate_profile_id
    windows = [Window(127, time(hour), time(23), "rate", night) for hour in (8, 6, 7)]
    set_windows_and_apply(scope, plan.group_id, windows, actor=OWNER, now=NOW)
    first = scope.session.scalars(select(PlanWindow).order_by(PlanWindow.id)).first()
    assert first is not None
    values = {column.name: getattr(first, column.name) for column in PlanWindow.__table__.columns}
    scope.session.execute(delete(PlanWindow).where(PlanWindow.id == first.id))
    scope.session.execute(PlanWindow.__table__.insert().values(values))  # the same row, behind the others
    project_profiles(scope, [plan.group_id])
    stored = profile(scope, plan.group_id).windows
    assert [(one["starts"], one["ends"]) for one in stored] == [(480, 1380), (360, 1380), (420, 1380)]


def test_one_request_per_session_while_it_waits(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope, max_sessions=0))
    for n in range(2):
        go_online(scope, account_id, f"s{n}", framed_ip=f"10.0.0.{n}")
    assert disconnect_account(scope, account_id, "disabled") == 2
    assert disconnect_account(scope, account_id, "disabled") == 0
    scope.session.execute(OutboxRow.__table__.update().values(state="done"))
    assert disconnect_account(scope, account_id, "disabled") == 2


def test_two_isps_with_the_same_names(database: Database, two_isps: tuple[TenantRef, TenantRef]) -> None:
    for tenant in two_isps:
        with tenant_scope(database, tenant) as scope:
            go_online(scope, open_one(scope, "alice", sell(scope)))
    with tenant_scope(database, two_isps[0]) as scope:
        account_id = scope.session.scalars(select(Account.id).where(Account.username == "alice")).one()
        assert disconnect_account(scope, account_id, "kick") == 1
    with tenant_scope(database, two_isps[1]) as scope:
        assert coa(scope, "radius.disconnect") == []
        assert len(scope.session.scalars(select(Subscriber.username)).all()) == 1  # RLS: only its own rows
