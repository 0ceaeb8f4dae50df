"""Adds a member of staff (STF-2)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from infra.crypto import hash_password
from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.registry.rules import check_email, check_name, check_password, check_phone
from tenants.staff.errors import CannotGiveMore, OwnerIsFixed, RoleNotFound, UsernameTaken
from tenants.staff.models import Operator, OperatorRegion, Role
from tenants.staff.rules import check_username


@dataclass(frozen=True, slots=True)
class AddOperator:
    """``region_ids`` None = all regions."""

    username: str
    password: str
    role_id: int
    name: str = ""
    email: str = ""
    phone: str = ""
    region_ids: tuple[int, ...] | None = None
    own_accounts_only: bool = False
    must_change_password: bool = True
    locale: str = ""


def add_operator(scope: TenantScope, command: AddOperator, *, actor: Actor, now: datetime) -> int:
    """Returns the operator's id. Raises Forbidden, UsernameTaken, BadUsername, WeakPassword, RoleNotFound …"""
    actor.require("staff.add")
    username = check_username(command.username)
    require_free_username(scope, username)
    role = giveable_role(scope, command.role_id, actor)
    check_password(command.password, username, command.email, command.name)
    operator = Operator(
        username=username,
        name=check_name(command.name or username),
        email=check_email(command.email) if command.email else "",
        phone=check_phone(command.phone),
        password_hash=hash_password(command.password),
        role_id=role.id,
        locale=command.locale,
        must_change_password=command.must_change_password,
        all_regions=command.region_ids is None,
        own_accounts_only=command.own_accounts_only,
        created_at=now,
    )
    scope.session.add(operator)
    scope.session.flush()  # the id is wanted
    bind_regions(scope, operator.id, command.region_ids)
    record(
        scope,
        actor=actor,
        action="staff.add",
        object_kind="operator",
        object_id=operator.id,
        object_label=username,
        after={"role": role.name, "regions": command.region_ids, "own_accounts_only": command.own_accounts_only},
        now=now,
    )
    return operator.id


def require_free_username(scope: TenantScope, username: str, *, except_id: int | None = None) -> None:
    """Raises :class:`UsernameTaken`; capital letters make no difference."""
    found = scope.session.scalar(select(Operator.id).where(func.lower(Operator.username) == username.lower()))
    if found is not None and found != except_id:
        raise UsernameTaken(field="username", username=username)


def giveable_role(scope: TenantScope, role_id: int, actor: Actor) -> Role:
    """The role, if the actor has every right in it himself. Raises RoleNotFound, OwnerIsFixed, CannotGiveMore."""
    role = scope.session.get(Role, role_id)
    if role is None:
        raise RoleNotFound(what="role", ref=role_id, field="role_id")
    if role.code == "owner" and not actor.everything:
        raise OwnerIsFixed(field="role_id")
    require_rights(actor, sorted(role.rights))
    return role


def require_rights(actor: Actor, permissions: list[str]) -> None:
    """Raises :class:`CannotGiveMore` naming the first right that the actor lacks."""
    for permission in sorted(permissions):
        if not actor.may(permission):
            raise CannotGiveMore(permission=permission)


def bind_regions(scope: TenantScope, operator_id: int, region_ids: tuple[int, ...] | None) -> None:
    """Replace the regions an operator is bound to."""
    session = scope.session
    for row in session.scalars(select(OperatorRegion).where(OperatorRegion.operator_id == operator_id)):
        session.delete(row)
    session.flush()  # deletes before inserts of the same keys
    session.add_all(OperatorRegion(operator_id=operator_id, region_id=region_id) for region_id in set(region_ids or ()))
