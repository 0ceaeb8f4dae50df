"""End a promotion before its time; orders that used it keep what they gave."""

from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.errors import PromotionNotFound
from tenants.catalog.models import Promotion
from tenants.kernel.actor import Actor


def end_promotion(scope: TenantScope, promotion_id: int, *, actor: Actor, now: datetime) -> None:
    """Raises PromotionNotFound, also the second time."""
    actor.require("plans.edit")
    promotion = scope.session.scalar(
        select(Promotion).where(Promotion.id == promotion_id, Promotion.deleted_at.is_(None)).with_for_update()
    )
    if promotion is None:
        raise PromotionNotFound(what="promotion", ref=promotion_id)
    promotion.deleted_at = now
    record(
        scope,
        actor=actor,
        action="promotion.end",
        object_kind="promotion",
        object_id=promotion.id,
        object_label=promotion.name,
        now=now,
    )
