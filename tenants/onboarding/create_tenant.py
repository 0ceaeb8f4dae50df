"""Creates a tenant at once: for the command line, demo and tests, and as the last step of a sign-up (TEN-1)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from infra.crypto import hash_password
from infra.db import MAIN_CELL, Database
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.kernel.errors import BusinessError, InvalidInputs
from tenants.onboarding.furnish import furnish
from tenants.registry import rules
from tenants.registry.directory import find_tenant
from tenants.registry.errors import SlugTaken
from tenants.registry.models import Owner, Tenant
from tenants.registry.provision import (
    TenantOrder,
    build_tenant,
    build_tenant_in_cell,
    find_any_tenant,
    place_tenant,
    reserve_tenant,
)
from tenants.registry.settings import CATALOGUE, parse
from tenants.registry.tiers import check_tier
from tenants.staff.models import Operator


@dataclass(frozen=True, slots=True)
class NewTenant:
    """What the command line gives; ``cell`` None = the least full one."""

    slug: str
    name: str
    email: str
    password: str
    contact_name: str = ""
    phone: str = ""
    tier: str = "unlimited"
    locale: str = "zh"
    timezone: str = "Asia/Shanghai"
    currency: str = "CNY"
    cell: str | None = None


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A tenant that works, and its first login."""

    tenant: TenantRef
    operator_id: int
    operator_username: str


def create_tenant(database: Database, new: NewTenant, *, now: datetime) -> Provisioned:
    """Raises InvalidInputs (or the one error), SlugTaken, EmailTaken, UnknownTier, NoCellAccepts.

    In another cell than the main one a killed run leaves the tenant half made; the same call again finishes it.
    """
    order = check_order(new)
    with database.owner_connection() as connection:
        with Session(bind=connection) as session:
            check_tier(session, order.tier)
            half_made = _half_made(session, order)
        if half_made is not None:
            tenant = find_any_tenant(connection, half_made)
        else:
            tenant = reserve_tenant(connection, order, place_tenant(connection, database, new.cell), now)
        if tenant.cell == MAIN_CELL:
            build_tenant(connection, database, tenant, order, furnish, now)
    if tenant.cell != MAIN_CELL:
        build_tenant_in_cell(database, tenant, order, furnish, now)
    return provisioned(database, tenant.id)


def provisioned(database: Database, tenant_id: int) -> Provisioned:
    """The finished tenant with its owner."""
    tenant = find_tenant(database, tenant_id)
    with tenant_scope(database, tenant) as scope:
        owner = scope.session.execute(select(Operator.id, Operator.username).where(Operator.is_owner)).first()
    assert owner is not None
    return Provisioned(tenant, owner.id, owner.username)


def check_order(new: NewTenant) -> TenantOrder:
    """Check every field. Raises :class:`InvalidInputs` with all that is wrong, or the one error."""
    errors: list[BusinessError] = []

    def checked(check: Callable[[], str]) -> str:
        try:
            return check()
        except BusinessError as error:
            errors.append(error)
            return ""

    slug = checked(lambda: rules.check_slug(new.slug))
    name = checked(lambda: rules.check_name(new.name))
    contact = checked(lambda: rules.check_name(new.contact_name, field="contact_name")) if new.contact_name else ""
    email = checked(lambda: rules.check_email(new.email))
    phone = checked(lambda: rules.check_phone(new.phone))
    password = checked(lambda: rules.check_password(new.password, new.slug, new.email, new.name))
    locale = checked(lambda: str(parse(CATALOGUE["locale"], new.locale)))
    timezone = checked(lambda: str(parse(CATALOGUE["timezone"], new.timezone)))
    currency = checked(lambda: str(parse(CATALOGUE["currency"], new.currency)))
    if errors:
        raise errors[0] if len(errors) == 1 else InvalidInputs(errors)
    return TenantOrder(
        slug=slug,
        name=name,
        email=email,
        phone=phone,
        contact_name=contact,
        password_hash=hash_password(password),
        tier=new.tier,
        locale=locale,
        timezone=timezone,
        currency=currency,
    )


def _half_made(session: Session, order: TenantOrder) -> int | None:
    """A tenant of the same owner that an earlier run left in state ``provisioning``. Raises :class:`SlugTaken`."""
    row = session.execute(
        select(Tenant.id, Tenant.state, Owner.email).join(Owner).where(Tenant.slug == order.slug).with_for_update()
    ).first()
    if row is None:
        return None
    if row.state != "provisioning" or row.email != order.email:
        raise SlugTaken(field="slug", slug=order.slug)
    return int(row.id)
