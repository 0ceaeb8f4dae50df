"""Note how many sessions each tenant has open: the 24-hour line of the dashboard (UX-4)."""

from datetime import datetime, timedelta

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session as DatabaseSession

from tenants.usage.models import OnlineSample
from tenants.usage.models import Session as OnlineSession

SAMPLE_MINUTES = 5
_RECENT = timedelta(minutes=3 * SAMPLE_MINUTES)


def sample_online(session: DatabaseSession, *, now: datetime) -> int:
    """One row per tenant with open sessions, and one last 0 for those that had some before; gives how many rows.

    The instant is rounded down to five minutes, so that a second run of the same slot changes nothing.
    """
    slot = now.replace(minute=now.minute - now.minute % SAMPLE_MINUTES, second=0, microsecond=0)
    open_now = (
        select(OnlineSession.tenant_id, func.count().label("sessions")).group_by(OnlineSession.tenant_id).subquery()
    )
    before = (
        select(OnlineSample.tenant_id)
        .where(OnlineSample.at >= slot - _RECENT, OnlineSample.at < slot)
        .group_by(OnlineSample.tenant_id)
        .having(func.max(OnlineSample.sessions) > 0)
        .subquery()
    )
    rows = select(
        func.coalesce(open_now.c.tenant_id, before.c.tenant_id),
        literal(slot),
        func.coalesce(open_now.c.sessions, 0),
    ).select_from(open_now.join(before, open_now.c.tenant_id == before.c.tenant_id, full=True))
    written = (
        insert(OnlineSample)
        .from_select(["tenant_id", "at", "sessions"], rows)
        .on_conflict_do_nothing()
        .returning(OnlineSample.tenant_id)
    )
    return len(session.execute(written).all())
