"""The link of the e-mail was opened: the sign-up becomes a tenant (TEN-1)."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from infra.crypto import token_digest
from infra.db import MAIN_CELL, Database
from infra.tenant_scope import TenantRef
from tenants.onboarding.create_tenant import Provisioned, provisioned
from tenants.onboarding.furnish import furnish
from tenants.registry.errors import TokenExpired, TokenUnknown, TokenUsed
from tenants.registry.models import SignUp
from tenants.registry.provision import (
    TenantOrder,
    build_tenant,
    build_tenant_in_cell,
    find_any_tenant,
    place_tenant,
    reserve_tenant,
)


def verify(database: Database, token: str, *, now: datetime) -> Provisioned:
    """Raises :class:`TokenUnknown`, :class:`TokenExpired`, :class:`TokenUsed`, SlugTaken, EmailTaken, NoCellAccepts.

    Two clicks at once: the second waits and is told that the link was used. A run that died half way (other cells only)
    is finished by the next click, also after the link's time.
    """
    with database.owner_connection() as connection:
        waiting = _waiting(connection, token, now)
        order = _order(waiting)
        tenant = _tenant(connection, database, waiting, order, now)
        if tenant.cell == MAIN_CELL:
            build_tenant(connection, database, tenant, order, furnish, now)
            _mark_used(connection, waiting.id, now)
    if tenant.cell != MAIN_CELL:
        build_tenant_in_cell(database, tenant, order, furnish, now)
        with database.owner_connection() as connection:
            _mark_used(connection, waiting.id, now)
    return provisioned(database, tenant.id)


def check_link(database: Database, token: str, *, now: datetime) -> None:
    """Whether the link would work now; nothing changes. Raises :class:`TokenUnknown`, TokenExpired, TokenUsed."""
    with database.owner_connection() as connection:
        _waiting(connection, token, now)


def _waiting(connection: Connection, token: str, now: datetime) -> SignUp:
    with Session(bind=connection, expire_on_commit=False) as session:
        found = session.scalars(
            select(SignUp).where(SignUp.token_digest == token_digest(token)).with_for_update()
        ).first()
        session.expunge_all()
    if found is None:
        raise TokenUnknown()
    if found.verified_at is not None:
        raise TokenUsed()
    if found.expires_at <= now and found.tenant_id is None:
        raise TokenExpired()
    return found


def _order(waiting: SignUp) -> TenantOrder:
    return TenantOrder(
        slug=waiting.slug,
        name=waiting.name,
        email=waiting.email,
        phone=waiting.phone,
        contact_name=waiting.contact_name,
        password_hash=waiting.password_hash,
        tier=waiting.tier_code,
        locale=waiting.locale,
        timezone=waiting.timezone,
        currency="CNY" if waiting.locale == "zh" else "USD",
    )


def _tenant(
    connection: Connection, database: Database, waiting: SignUp, order: TenantOrder, now: datetime
) -> TenantRef:
    if waiting.tenant_id is not None:
        return find_any_tenant(connection, waiting.tenant_id)
    tenant = reserve_tenant(connection, order, place_tenant(connection, database, None), now)
    connection.execute(update(SignUp).where(SignUp.id == waiting.id).values(tenant_id=tenant.id))
    return tenant


def _mark_used(connection: Connection, sign_up_id: int, now: datetime) -> None:
    """The password hash is not kept twice."""
    connection.execute(update(SignUp).where(SignUp.id == sign_up_id).values(verified_at=now, password_hash=""))
