"""The row behind a support login (TEN-5): only the platform makes one, a tenant sees and ends only its own."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from infra import clock
from infra.tenant_scope import tenant_scope, unscoped
from tenants.kernel.actor import Actor
from tenants.kernel.errors import Forbidden
from tenants.registry.models import PlatformOperator, SupportLogin
from tenants.registry.support_login import StartSupport, all_running_support, end_support_here, start_support


@pytest.fixture
def ops(database):
    with unscoped(database, reason="test makes a platform operator") as session:
        operator = PlatformOperator(email=f"{id(database)}@cloud.example", name="", password_hash="x")
        session.add(operator)
        session.flush()
        return Actor("platform", operator.id, operator.email, everything=True)


def begin(database, tenant, ops):
    command = StartSupport(tenant.id, "ticket 2041", 30)
    return start_support(database, command, actor=ops, now=clock.now())[1]


def test_each_tenant_sees_and_ends_its_own_only(database, two_isps, ops):
    ours, theirs = two_isps
    login = begin(database, ours, ops)
    with tenant_scope(database, theirs) as scope:
        assert all_running_support(scope, clock.now()) == []
        assert not end_support_here(scope, login.id, actor=ops, now=clock.now())
    with tenant_scope(database, ours) as scope:
        assert [one.id for one in all_running_support(scope, clock.now())] == [login.id]
        assert all_running_support(scope, clock.now() + timedelta(minutes=30)) == []
        assert end_support_here(scope, login.id, actor=ops, now=clock.now())
        assert all_running_support(scope, clock.now()) == []


def test_no_tenant_can_let_anybody_in_or_make_it_longer(database, tenant, ops):
    login = begin(database, tenant, ops)
    now = clock.now()
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(database, tenant) as scope:
        scope.registry.add(
            SupportLogin(
                tenant_id=tenant.id,
                platform_operator_id=ops.id,
                operator="me",
                reason="let me in",
                started_at=now,
                ends_at=now + timedelta(minutes=5),
            )
        )
    with pytest.raises(DBAPIError, match="permission denied"), tenant_scope(database, tenant) as scope:
        scope.registry.get_one(SupportLogin, login.id).ends_at = now + timedelta(hours=9)


def test_the_database_itself_holds_the_hour(database, tenant, ops):
    now = clock.now()
    with pytest.raises(IntegrityError), unscoped(database, reason="test") as session:
        session.add(
            SupportLogin(
                tenant_id=tenant.id,
                platform_operator_id=ops.id,
                operator="me",
                reason="too long",
                started_at=now,
                ends_at=now + timedelta(minutes=61),
            )
        )


def test_staff_and_subscribers_cannot_begin_one(database, tenant):
    for kind in ("operator", "subscriber", "cli"):
        with pytest.raises(Forbidden):
            start_support(
                database,
                StartSupport(tenant.id, "ticket 2041"),
                actor=Actor(kind, 1, "x", everything=True),
                now=clock.now(),
            )
