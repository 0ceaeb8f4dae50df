"""Who is behind a logged-in session: operator row → :class:`Actor`."""

from dataclasses import dataclass

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.staff.errors import OperatorNotFound
from tenants.staff.models import Operator, OperatorRegion, Role


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The operator for the page's head, and the actor for every operation."""

    actor: Actor
    username: str
    name: str
    email: str
    role_name: str
    is_owner: bool
    locale: str
    must_change_password: bool
    views: dict[str, str]  # by list: the columns and page size this person chose


def signed_in(scope: TenantScope, operator_id: int, session_epoch: int, *, address: str) -> SignedIn | None:
    """The operator of a session, None when he was disabled or logged out elsewhere since."""
    row = scope.session.execute(
        select(Operator, Role).join(Role, Role.id == Operator.role_id).where(Operator.id == operator_id)
    ).first()
    if row is None:
        return None
    operator, role = row
    if operator.disabled_at is not None or operator.session_epoch != session_epoch:
        return None
    return SignedIn(
        actor=_actor(scope, operator, role, address),
        username=operator.username,
        name=operator.name,
        email=operator.email,
        role_name=role.name,
        is_owner=operator.is_owner,
        locale=operator.locale,
        must_change_password=operator.must_change_password,
        views=dict(operator.preferences.get("views", {})),
    )


def actor_named(scope: TenantScope, username: str, *, address: str = "") -> Actor:
    """The actor of an operator by user name (command line). Raises :class:`OperatorNotFound`."""
    row = scope.session.execute(
        select(Operator, Role).join(Role, Role.id == Operator.role_id).where(Operator.username == username)
    ).first()
    if row is None:
        raise OperatorNotFound(what="operator", ref=username)
    return _actor(scope, row[0], row[1], address)


def actor_of(scope: TenantScope, operator_id: int) -> Actor:
    """The actor of an operator for work done in his name later. Raises :class:`OperatorNotFound` when disabled."""
    row = scope.session.execute(
        select(Operator, Role)
        .join(Role, Role.id == Operator.role_id)
        .where(Operator.id == operator_id, Operator.disabled_at.is_(None))
    ).first()
    if row is None:
        raise OperatorNotFound(what="operator", ref=operator_id)
    return _actor(scope, row[0], row[1], "")


def _actor(scope: TenantScope, operator: Operator, role: Role, address: str) -> Actor:
    regions = None
    if not operator.all_regions and not operator.is_owner:
        bound = select(OperatorRegion.region_id).where(OperatorRegion.operator_id == operator.id)
        regions = frozenset(scope.session.scalars(bound))
    return Actor(
        kind="operator",
        id=operator.id,
        name=operator.name or operator.username,
        permissions=role.rights,
        everything=operator.is_owner,
        region_ids=regions,
        own_accounts_only=operator.own_accounts_only and not operator.is_owner,
        address=address,
    )
