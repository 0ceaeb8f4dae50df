"""Mails an owner the addresses of his cloud; unknown addresses are met with silence."""

from datetime import datetime

from sqlalchemy import select

from infra.db import Database
from infra.outbox import emit
from infra.tenant_scope import unscoped
from tenants.onboarding.mails import entrances
from tenants.onboarding.sign_up import NO_TENANT
from tenants.registry.directory import LIVE_STATES
from tenants.registry.models import Owner, Tenant


def find_login(database: Database, email: str, *, now: datetime, site_url: str) -> None:
    """At most one e-mail, in the tenant's language. ``now`` is part of the form of every operation."""
    if "\x00" in email:
        return
    with unscoped(database, reason="mail an owner the addresses of his cloud") as session:
        tenant = session.scalars(
            select(Tenant)
            .join(Owner, Owner.tenant_id == Tenant.id)
            .where(Owner.email == email.strip().lower(), Tenant.state.in_(LIVE_STATES))
        ).first()
        if tenant is None:
            return
        base = f"{site_url.rstrip('/')}/t/{tenant.slug}"
        labels = ("管理", "用户自助") if tenant.locale == "zh" else ("Administration", "Self-service")
        mail = entrances(
            locale=tenant.locale, name=tenant.name, links=[(labels[0], f"{base}/admin/"), (labels[1], f"{base}/")]
        )
        emit(session, NO_TENANT, "mail.send", mail.payload(tenant.email), subject=f"owner:{tenant.id}")
