"""The platform drops a sign-up that became no tenant: its address is free again, its link stops working."""

from datetime import datetime

from sqlalchemy import delete

from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.kernel.actor import Actor
from tenants.kernel.errors import Forbidden, NotFound
from tenants.registry.models import PlatformAuditEntry, SignUp


def delete_sign_up(database: Database, sign_up_id: int, *, actor: Actor, now: datetime) -> str:
    """Gives its slug. Raises NotFound (also for one that became a tenant), Forbidden."""
    if actor.kind != "platform":
        raise Forbidden(permission="platform")
    with unscoped(database, reason="the platform drops sign-ups") as session:
        slug = session.execute(
            delete(SignUp).where(SignUp.id == sign_up_id, SignUp.tenant_id.is_(None)).returning(SignUp.slug)
        ).scalar()
        if slug is None:
            raise NotFound(what="sign-up", ref=sign_up_id)
        session.add(
            PlatformAuditEntry(
                at=now, actor=actor.name, action="sign_up.delete", detail={"slug": slug}, address=actor.address
            )
        )
    return str(slug)
