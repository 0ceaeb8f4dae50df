"""Adds, changes and removes roles (STF-1, STF-3)."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError
from tenants.registry.rules import check_name
from tenants.staff.add_operator import require_rights
from tenants.staff.built_in_roles import usual_rights
from tenants.staff.errors import OwnerIsFixed, RoleNameTaken, RoleNotFound, UnknownPermission
from tenants.staff.models import Operator, Role
from tenants.staff.permissions import ALL


class RoleInUse(BusinessError):
    """Operators have this role."""

    code = "role_in_use"
    message = "The role {name} is given to {count} operators; give them another first."


@dataclass(frozen=True, slots=True)
class RoleForm:
    """Name, rights and limits; limits: ``{"search_only": true, "matches": 5}`` (STF-3)."""

    name: str
    permissions: frozenset[str]
    limits: dict[str, Any] = field(default_factory=dict)


def add_role(scope: TenantScope, form: RoleForm, *, actor: Actor, now: datetime) -> int:
    """Returns the role's id. Raises Forbidden, UnknownPermission, CannotGiveMore, RoleNameTaken."""
    actor.require("staff.edit")
    name = _checked(scope, form, actor, None)
    role = Role(
        code=f"role-{secrets.token_hex(4)}",
        name=name,
        permissions=sorted(form.permissions),
        limits=form.limits,
        created_at=now,
    )
    scope.session.add(role)
    scope.session.flush()  # the id is wanted
    _record(scope, "role.add", role, None, actor, now)
    return role.id


def edit_role(scope: TenantScope, role_id: int, form: RoleForm, *, actor: Actor, now: datetime) -> None:
    """Replace name, rights and limits; takes effect with the next click. Raises as :func:`add_role`, OwnerIsFixed."""
    actor.require("staff.edit")
    role = _find(scope, role_id)
    if role.code == "owner":
        raise OwnerIsFixed()
    require_rights(actor, sorted(role.rights))  # nobody weakens those above himself
    before = {"name": role.name, "permissions": sorted(role.rights), "limits": role.limits}
    role.name = _checked(scope, form, actor, role.id)
    role.permissions = sorted(form.permissions)
    if role.built_in:  # one that has what it came with follows the product (again)
        role.known_rights = None if form.permissions == usual_rights(role.code) else sorted(ALL)
    role.limits = form.limits
    _record(scope, "role.edit", role, before, actor, now)


def give_new_rights(scope: TenantScope, role_id: int, *, actor: Actor, now: datetime) -> frozenset[str]:
    """Give a built-in role that was changed here what came with the product since; gives what that was.

    Raises as :func:`edit_role`.
    """
    role = _find(scope, role_id)
    given = role.new_rights
    edit_role(scope, role_id, RoleForm(role.name, role.rights | given, dict(role.limits)), actor=actor, now=now)
    return given


def delete_role(scope: TenantScope, role_id: int, *, actor: Actor, now: datetime) -> None:
    """Raises :class:`RoleInUse`, :class:`OwnerIsFixed`."""
    actor.require("staff.edit")
    role = _find(scope, role_id)
    if role.code == "owner":
        raise OwnerIsFixed()
    count = scope.session.scalar(select(func.count()).where(Operator.role_id == role.id)) or 0
    if count:
        raise RoleInUse(name=role.name, count=count)
    _record(scope, "role.delete", role, {"permissions": sorted(role.rights)}, actor, now)
    scope.session.delete(role)


def _find(scope: TenantScope, role_id: int) -> Role:
    role = scope.session.get(Role, role_id, with_for_update=True)
    if role is None:
        raise RoleNotFound(what="role", ref=role_id)
    return role


def _checked(scope: TenantScope, form: RoleForm, actor: Actor, role_id: int | None) -> str:
    name = check_name(form.name)
    taken = scope.session.scalar(select(Role.id).where(func.lower(Role.name) == name.lower()))
    if taken is not None and taken != role_id:
        raise RoleNameTaken(field="name", name=name)
    for permission in sorted(form.permissions - ALL):
        raise UnknownPermission(field="permissions", permission=permission)
    require_rights(actor, sorted(form.permissions))
    return name


def _record(
    scope: TenantScope, action: str, role: Role, before: dict[str, Any] | None, actor: Actor, now: datetime
) -> None:
    after = (
        None
        if action == "role.delete"
        else {"name": role.name, "permissions": sorted(role.rights), "limits": role.limits}
    )
    record(
        scope,
        actor=actor,
        action=action,
        object_kind="role",
        object_id=role.id,
        object_label=role.name,
        before=before,
        after=after,
        now=now,
    )
