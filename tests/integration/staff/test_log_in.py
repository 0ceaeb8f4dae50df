"""Staff log in, are locked out after guesses, and change their passwords (STF-4, STF-5, STF-7)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.audit.models import AuditEntry, LoginEntry
from tenants.registry.errors import WeakPassword
from tenants.staff.actor import actor_named, signed_in
from tenants.staff.add_operator import AddOperator, add_operator
from tenants.staff.change_password import ChangePassword, change_password
from tenants.staff.edit_operator import EditOperator, edit_operator
from tenants.staff.errors import (
    LoginLocked,
    OperatorDisabled,
    OperatorNotFound,
    PasswordIsSame,
    WrongCredentials,
    WrongOldPassword,
)
from tenants.staff.find import find_role
from tenants.staff.log_in import LoggedIn, LogIn, try_log_in
from tenants.staff.rules import lock_seconds
from tests.fixtures.tenants import OWNER_PASSWORD

NOW = clock.now()


def enter(database: Database, tenant: TenantRef, name: str, password: str, now: datetime = NOW) -> LoggedIn:
    return try_log_in(database, tenant, LogIn(name, password, "192.0.2.9"), now=now)


def results(database: Database, tenant: TenantRef) -> list[str]:
    with tenant_scope(database, tenant) as scope:
        return list(scope.session.scalars(select(LoginEntry.result).order_by(LoginEntry.id)))


def test_right_wrong_and_unknown(database: Database, tenant: TenantRef) -> None:
    entered = enter(database, tenant, " Admin ", OWNER_PASSWORD)
    for name, password in (("admin", "wrong"), ("nobody", OWNER_PASSWORD), ("", ""), ("a\x00b", "x")):
        with pytest.raises(WrongCredentials):
            enter(database, tenant, name, password)
    assert results(database, tenant) == ["ok", "wrong_password", "unknown", "unknown", "unknown"]
    with tenant_scope(database, tenant) as scope:
        found = signed_in(scope, entered.operator_id, entered.session_epoch, address="192.0.2.9")
        assert found is not None
        assert found.is_owner
        assert found.actor.everything
        assert found.actor.address == "192.0.2.9"


def test_locked_out_for_longer_each_time(database: Database, tenant: TenantRef) -> None:
    now = NOW
    for _ in range(4):
        with pytest.raises(WrongCredentials):
            enter(database, tenant, "admin", "guess", now)
    with pytest.raises(LoginLocked) as caught:
        enter(database, tenant, "admin", "guess", now)
    assert caught.value.params == {"seconds": 30}
    with pytest.raises(LoginLocked):  # the right password does not help either
        enter(database, tenant, "admin", OWNER_PASSWORD, now + timedelta(seconds=29))
    with pytest.raises(LoginLocked) as caught:
        enter(database, tenant, "admin", "guess", now + timedelta(seconds=31))
    assert caught.value.params == {"seconds": 60}
    later = now + timedelta(seconds=31 + 61)
    enter(database, tenant, "admin", OWNER_PASSWORD, later)
    with pytest.raises(WrongCredentials):  # and all begins anew
        enter(database, tenant, "admin", "guess", later)


def test_lock_times_have_an_end() -> None:
    assert [lock_seconds(n) for n in (0, 4, 5, 6, 7)] == [0, 0, 30, 60, 120]
    assert lock_seconds(1000) == 3600


def test_the_same_name_in_another_tenant_is_another_person(
    database: Database, two_isps: tuple[TenantRef, TenantRef]
) -> None:
    charlie, alice = two_isps
    for _ in range(6):
        with pytest.raises((WrongCredentials, LoginLocked)):
            enter(database, charlie, "admin", "guess")
    enter(database, alice, "admin", OWNER_PASSWORD)
    with tenant_scope(database, charlie) as scope:
        assert signed_in(scope, 999, 1, address="") is None


def test_changing_the_password_ends_other_sessions(database: Database, tenant: TenantRef) -> None:
    entered = enter(database, tenant, "admin", OWNER_PASSWORD)
    with tenant_scope(database, tenant) as scope:
        actor = actor_named(scope, "admin")
        for old, new, error in (
            ("wrong", "gull-river-42", WrongOldPassword),
            (OWNER_PASSWORD, OWNER_PASSWORD, PasswordIsSame),
            (OWNER_PASSWORD, "12345678", WeakPassword),
        ):
            with pytest.raises(error) as caught:
                change_password(scope, ChangePassword(old, new), actor=actor, now=NOW)
            assert caught.value.field in ("old_password", "new_password")
        epoch = change_password(scope, ChangePassword(OWNER_PASSWORD, "gull-river-42"), actor=actor, now=NOW)
    with tenant_scope(database, tenant) as scope:
        assert signed_in(scope, entered.operator_id, entered.session_epoch, address="") is None
        assert signed_in(scope, entered.operator_id, epoch, address="") is not None
        entry = scope.session.scalars(select(AuditEntry).where(AuditEntry.action == "staff.change_password")).one()
        assert "gull-river" not in str((entry.before, entry.after))
    enter(database, tenant, "admin", "gull-river-42")


def test_a_disabled_operator_is_out_at_once(database: Database, tenant: TenantRef) -> None:
    with tenant_scope(database, tenant) as scope:
        owner = actor_named(scope, "admin")
        role_id = find_role(scope, "cashier").id
        operator_id = add_operator(scope, AddOperator("li.ying", "counter-works-1", role_id), actor=owner, now=NOW)
    entered = enter(database, tenant, "LI.YING", "counter-works-1")
    assert entered.must_change_password
    with tenant_scope(database, tenant) as scope:
        edit_operator(scope, EditOperator(operator_id, role_id, "Li Ying", disabled=True), actor=owner, now=NOW)
    with tenant_scope(database, tenant) as scope:
        assert signed_in(scope, entered.operator_id, entered.session_epoch, address="") is None
        with pytest.raises(OperatorNotFound):
            actor_named(scope, "nobody")
    with pytest.raises(OperatorDisabled):
        enter(database, tenant, "li.ying", "counter-works-1")
    assert results(database, tenant)[-1] == "disabled"
