"""Why an account cannot log in, as the cluster decides it (RAD-3)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, update

from infra import clock
from infra.tenant_scope import TenantScope
from tenants.access.explain import explain
from tenants.access.models import Subscriber
from tenants.access.project import project_account
from tenants.access.rules import RENEWAL_GRACE_SECONDS
from tenants.network.add_nas import AddNas, add_nas
from tenants.registry.settings import write
from tenants.usage.models import RefusedPacket
from tenants.usage.models import Session as OnlineSession
from tests.fixtures.accounts import OWNER, force, go_online, open_one, sell

NOW = clock.now()


def refuse(scope: TenantScope, reason: str = "too_many_sessions", **facts: Any) -> None:
    usual = {"at": NOW, "source": "x:1", "code": 1, "username": "u1"}
    scope.session.add(RefusedPacket(tenant_id=scope.tenant_id, reason=reason, **(usual | facts)))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, ""),
        ({"state": "disabled"}, "disabled"),
        ({"state": "held", "held_at": NOW}, "held"),
        ({"expires_at": NOW - timedelta(seconds=1)}, "expired"),
        ({"cut_off_at": NOW - timedelta(seconds=1), "receivable": Decimal(1)}, "arrears"),
        ({"state": "closed", "closed_at": NOW}, "unknown_user"),
    ],
)
def test_why_he_cannot_log_in(scope: TenantScope, values: dict[str, Any], code: str) -> None:
    account_id = open_one(scope, "u1", sell(scope))
    if values:
        force(scope, account_id, **values)
    project_account(scope, account_id)
    found = explain(scope, account_id, NOW)
    assert (found.reason.code if found.reason else "") == code
    assert found.may_connect is (code == "")


def test_his_own_session_is_no_reason(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope))
    go_online(scope, account_id, at=NOW - timedelta(minutes=15))
    assert explain(scope, account_id, NOW).may_connect
    refuse(scope, repeats=3)
    found = explain(scope, account_id, NOW)
    assert not found.may_connect
    assert found.last_refusal is not None
    assert (found.last_refusal.code, found.last_refusal.repeats, found.last_refusal.ended) == (
        "too_many_sessions",
        3,
        False,
    )
    scope.session.execute(delete(OnlineSession).where(OnlineSession.account_id == account_id))
    go_online(scope, account_id, "s2", at=NOW + timedelta(minutes=1))
    found = explain(scope, account_id, NOW + timedelta(minutes=2))  # the refused device, or the other, came in since
    assert found.may_connect
    assert found.last_refusal is not None
    assert found.last_refusal.ended


@pytest.mark.parametrize(("seconds", "may"), [(1199, False), (1200, True), (86_400, True)])
def test_a_session_that_has_fallen_silent_stands_in_nobodys_way(scope: TenantScope, seconds: int, may: bool) -> None:
    """Four reports of five minutes each: the packet path counts it no longer (login_sql.py)."""
    account_id = open_one(scope, "u1", sell(scope))
    go_online(scope, account_id, at=NOW - timedelta(seconds=seconds), mac="02:00:00:00:00:01")
    refuse(scope, mac="02:00:00:00:00:02")
    found = explain(scope, account_id, NOW)
    assert (found.may_connect, found.online_sessions) == (may, 0 if may else 1)


def test_how_long_is_silent_is_the_providers_to_say(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope))
    go_online(scope, account_id, at=NOW - timedelta(seconds=1201), mac="02:00:00:00:00:01")
    refuse(scope)
    assert explain(scope, account_id, NOW).may_connect
    write(scope, "stale_intervals", "8", actor=OWNER, now=NOW)
    assert not explain(scope, account_id, NOW).may_connect


def test_how_long_is_silent_may_be_the_routers_to_say(scope: TenantScope) -> None:
    nas_id = add_nas(scope, AddNas("mikrotik", "Barge", stale_minutes=60), actor=OWNER, now=NOW).nas_id
    account_id = open_one(scope, "u1", sell(scope))
    go_online(scope, account_id, at=NOW - timedelta(minutes=59), mac="02:00:00:00:00:01", nas_id=nas_id)
    refuse(scope)
    assert not explain(scope, account_id, NOW).may_connect
    assert explain(scope, account_id, NOW + timedelta(minutes=1)).may_connect


def test_the_refused_devices_own_session_is_no_reason(scope: TenantScope) -> None:
    """Who dials cannot be online with that device (process/redial.py)."""
    account_id = open_one(scope, "u1", sell(scope, max_sessions=2))
    for number in (1, 2):
        go_online(scope, account_id, f"s{number}", at=NOW, mac=f"02:00:00:00:00:0{number}")
    refuse(scope, mac="02:00:00:00:00:03", at=NOW + timedelta(seconds=1))
    assert not explain(scope, account_id, NOW).may_connect
    refuse(scope, mac="02:00:00:00:00:02", at=NOW + timedelta(seconds=2))
    assert explain(scope, account_id, NOW).may_connect


def test_who_has_the_money_for_the_next_period_may_connect_while_it_is_booked(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope))
    force(scope, account_id, expires_at=NOW)
    project_account(scope, account_id)
    late = NOW + timedelta(seconds=RENEWAL_GRACE_SECONDS)
    for renews, instant, may in ((False, NOW, False), (True, NOW, True), (True, late, False)):
        scope.session.execute(update(Subscriber).where(Subscriber.account_id == account_id).values(renews=renews))
        assert explain(scope, account_id, instant).may_connect is may
