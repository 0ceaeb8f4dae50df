"""Operators and roles as the settings pages show them (STF-1, STF-2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.kernel.errors import NotFound
from tenants.network.models import Region
from tenants.staff.models import Operator, OperatorRegion, Role


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One member of the staff with the names of his role and regions (none = all)."""

    id: int
    username: str
    name: str
    email: str
    phone: str
    role_id: int
    role_name: str
    is_owner: bool
    all_regions: bool
    own_accounts_only: bool
    disabled_at: datetime | None
    must_change_password: bool
    last_login_at: datetime | None
    region_ids: tuple[int, ...] = ()
    region_names: tuple[str, ...] = ()


def list_operators(scope: TenantScope) -> tuple[OperatorRow, ...]:
    """All operators, the owner first."""
    return _operators(scope, None)


def operator_detail(scope: TenantScope, operator_id: int) -> OperatorRow:
    """One operator. Raises :class:`NotFound`."""
    found = _operators(scope, operator_id)
    if not found:
        raise NotFound(what="operator", ref=operator_id)
    return found[0]


def _operators(scope: TenantScope, operator_id: int | None) -> tuple[OperatorRow, ...]:
    statement = select(Operator, Role.name).join(Role, Role.id == Operator.role_id)
    if operator_id is not None:
        statement = statement.where(Operator.id == operator_id)
    regions: dict[int, list[tuple[int, str]]] = {}
    bound = select(OperatorRegion.operator_id, Region.id, Region.name).join(
        Region, Region.id == OperatorRegion.region_id
    )
    for owner_id, region_id, name in scope.session.execute(bound.order_by(Region.name)):
        regions.setdefault(owner_id, []).append((region_id, name))
    rows = scope.session.execute(statement.order_by(Operator.is_owner.desc(), Operator.username)).all()
    return tuple(
        OperatorRow(
            id=o.id,
            username=o.username,
            name=o.name,
            email=o.email,
            phone=o.phone,
            role_id=o.role_id,
            role_name=role_name,
            is_owner=o.is_owner,
            all_regions=o.all_regions,
            own_accounts_only=o.own_accounts_only,
            disabled_at=o.disabled_at,
            must_change_password=o.must_change_password,
            last_login_at=o.last_login_at,
            region_ids=tuple(region_id for region_id, _ in regions.get(o.id, ())),
            region_names=tuple(name for _, name in regions.get(o.id, ())),
        )
        for o, role_name in rows
    )


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role and how many operators have it."""

    id: int
    code: str
    name: str
    permissions: frozenset[str]
    limits: dict[str, Any]
    built_in: bool
    operators: int
    new_rights: frozenset[str]  # of a later version than somebody's changes here, not given yet


def list_roles(scope: TenantScope) -> tuple[RoleRow, ...]:
    """All roles, the built-in ones first."""
    used: dict[int, int] = dict(
        scope.session.execute(select(Operator.role_id, func.count()).group_by(Operator.role_id)).all()
    )
    rows = scope.session.execute(select(Role).order_by(Role.built_in.desc(), Role.id)).scalars()
    return tuple(
        RoleRow(r.id, r.code, r.name, r.rights, dict(r.limits), r.built_in, int(used.get(r.id, 0)), r.new_rights)
        for r in rows
    )


def role_detail(scope: TenantScope, role_id: int) -> RoleRow:
    """One role. Raises :class:`NotFound`."""
    for role in list_roles(scope):
        if role.id == role_id:
            return role
    raise NotFound(what="role", ref=role_id)


def who_can_give(scope: TenantScope, limit: int = 3) -> tuple[tuple[str, str, str], ...]:
    """(name, role, phone) of those who manage staff, for the page that says which right is missing."""
    rows = scope.session.execute(
        select(Operator.name, Role.name, Operator.phone)
        .join(Role, Role.id == Operator.role_id)
        .where(
            Operator.disabled_at.is_(None),
            Operator.is_owner | Role.permissions.contains(["staff.edit"]),
        )
        .order_by(Operator.is_owner.desc(), Operator.name)
        .limit(limit)
    ).all()
    return tuple((str(name), str(role), str(phone)) for name, role, phone in rows)
