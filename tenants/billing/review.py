"""Review a fee record by another person than the one who booked it (审核, FIN-3)."""

from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.billing.errors import AlreadyReviewed, OwnReview
from tenants.billing.models import FeeRecord
from tenants.kernel.actor import Actor
from tenants.kernel.errors import NotFound


def review(scope: TenantScope, fee_record_id: int, *, actor: Actor, now: datetime, note: str = "") -> None:
    """Mark the record as reviewed, once. Raises NotFound, OwnReview, AlreadyReviewed."""
    actor.require("money.review")
    fee = scope.session.execute(
        select(FeeRecord)
        .where(FeeRecord.id == fee_record_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if fee is None:
        raise NotFound(what="fee record", ref=fee_record_id)
    if fee.reviewed_at is not None:
        raise AlreadyReviewed()
    if actor.kind == "operator" and fee.operator_id == actor.id:
        raise OwnReview()
    fee.reviewed_at, fee.reviewed_by, fee.review_note = now, actor.name, note
    scope.session.flush()  # the trigger's verdict belongs to this operation
    record(
        scope,
        actor=actor,
        action="money.review",
        object_kind="fee_record",
        object_id=fee.id,
        after={"note": note},
        now=now,
    )
