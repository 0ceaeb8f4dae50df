"""Operators, roles, and that nobody hands out more than he has (STF-1, STF-2)."""

import pytest

from infra import clock
from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError, Forbidden
from tenants.network.add_region import RegionForm, add_region
from tenants.registry.errors import WeakPassword
from tenants.staff.actor import actor_named
from tenants.staff.add_operator import AddOperator, add_operator
from tenants.staff.edit_operator import EditOperator, edit_operator
from tenants.staff.edit_role import RoleForm, RoleInUse, add_role, delete_role, edit_role
from tenants.staff.errors import (
    BadUsername,
    CannotGiveMore,
    OwnerIsFixed,
    RoleNameTaken,
    RoleNotFound,
    UnknownPermission,
    UsernameTaken,
)
from tenants.staff.find import find_role
from tenants.staff.models import Operator

NOW = clock.now()
PASSWORD = "counter-works-1"


@pytest.fixture
def owner(scope: TenantScope) -> Actor:
    return actor_named(scope, "admin")


def test_regions_and_limits_reach_the_actor(scope: TenantScope, owner: Actor) -> None:
    west = add_region(scope, RegionForm("West"), actor=owner, now=NOW)
    command = AddOperator("zhao", PASSWORD, find_role(scope, "cashier").id, region_ids=(west,), own_accounts_only=True)
    operator_id = add_operator(scope, command, actor=owner, now=NOW)
    actor = actor_named(scope, "zhao")
    assert actor.region_ids == frozenset({west})
    assert actor.own_accounts_only
    assert not actor.everything
    assert actor.may("op.buy")
    assert not actor.may("op.refund")
    edit_operator(scope, EditOperator(operator_id, find_role(scope, "viewer").id, "Zhao"), actor=owner, now=NOW)
    actor = actor_named(scope, "zhao")
    assert actor.region_ids is None
    assert not actor.may("op.buy")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"username": "ADMIN"}, UsernameTaken),
        ({"username": "a b"}, BadUsername),
        ({"username": ""}, BadUsername),
        ({"password": "short"}, WeakPassword),
        ({"password": "zhaozhao"}, WeakPassword),
        ({"role_id": 999}, RoleNotFound),
        ({"email": "nobody"}, BusinessError),
    ],
)
def test_bad_operators(scope: TenantScope, owner: Actor, change: dict[str, object], error: type[BusinessError]) -> None:
    values = {"username": "zhao", "password": PASSWORD, "role_id": find_role(scope, "cashier").id, **change}
    with pytest.raises(error) as caught:
        add_operator(scope, AddOperator(**values), actor=owner, now=NOW)
    assert caught.value.field


def test_nobody_gives_rights_that_he_lacks(scope: TenantScope, owner: Actor) -> None:
    boss_role = add_role(
        scope, RoleForm("Boss", frozenset({"staff.add", "staff.edit", "plans.view"})), actor=owner, now=NOW
    )
    add_operator(scope, AddOperator("boss", PASSWORD, boss_role), actor=owner, now=NOW)
    boss = actor_named(scope, "boss")
    with pytest.raises(CannotGiveMore):
        add_operator(scope, AddOperator("x1", PASSWORD, find_role(scope, "cashier").id), actor=boss, now=NOW)
    with pytest.raises(OwnerIsFixed):
        add_operator(scope, AddOperator("x1", PASSWORD, find_role(scope, "owner").id), actor=boss, now=NOW)
    with pytest.raises(CannotGiveMore, match=r"op\.refund"):
        add_role(scope, RoleForm("More", frozenset({"op.refund"})), actor=boss, now=NOW)
    with pytest.raises(CannotGiveMore):  # weakening a role above himself
        edit_role(scope, find_role(scope, "cashier").id, RoleForm("C", frozenset()), actor=boss, now=NOW)
    add_operator(scope, AddOperator("x1", PASSWORD, boss_role), actor=boss, now=NOW)
    with pytest.raises(Forbidden):
        edit_role(scope, boss_role, RoleForm("C", frozenset()), actor=Actor("operator", 9, "x"), now=NOW)


def test_the_owner_cannot_be_locked_out(scope: TenantScope, owner: Actor) -> None:
    own = scope.session.get(Operator, owner.id)
    assert own is not None
    viewer = find_role(scope, "viewer").id
    for command in (EditOperator(own.id, viewer, "x"), EditOperator(own.id, own.role_id, "x", disabled=True)):
        with pytest.raises(OwnerIsFixed):
            edit_operator(scope, command, actor=owner, now=NOW)
    with pytest.raises(OwnerIsFixed):
        edit_role(scope, own.role_id, RoleForm("x", frozenset()), actor=owner, now=NOW)
    with pytest.raises(OwnerIsFixed):
        delete_role(scope, own.role_id, actor=owner, now=NOW)


def test_roles(scope: TenantScope, owner: Actor) -> None:
    role = add_role(scope, RoleForm("Night shift", frozenset({"accounts.view"}), {"matches": 5}), actor=owner, now=NOW)
    with pytest.raises(RoleNameTaken):
        add_role(scope, RoleForm("night SHIFT", frozenset()), actor=owner, now=NOW)
    with pytest.raises(UnknownPermission):
        edit_role(scope, role, RoleForm("Night", frozenset({"accounts.fly"})), actor=owner, now=NOW)
    add_operator(scope, AddOperator("night", PASSWORD, role), actor=owner, now=NOW)
    with pytest.raises(RoleInUse):
        delete_role(scope, role, actor=owner, now=NOW)
    edit_role(scope, role, RoleForm("Night", frozenset({"plans.view"})), actor=owner, now=NOW)
    assert actor_named(scope, "night").permissions == frozenset({"plans.view"})
    other = add_role(scope, RoleForm("Other", frozenset()), actor=owner, now=NOW)
    delete_role(scope, other, actor=owner, now=NOW)
