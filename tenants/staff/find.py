"""Roles by their stable code."""

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.staff.errors import RoleNotFound
from tenants.staff.models import Role


def find_role(scope: TenantScope, code: str) -> Role:
    """A role by its code. Raises :class:`RoleNotFound`."""
    role = scope.session.scalars(select(Role).where(Role.code == code)).first()
    if role is None:
        raise RoleNotFound(what="role", ref=code)
    return role
