"""Drop what a tenant keeps no longer: ended sessions, refused packets, notes of logins whose sessions are over.

Usage per day is kept for ever (RAD-8).
"""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, exists, select, tuple_
from sqlalchemy.orm import Session as DatabaseSession

from infra.tenant_scope import TenantScope
from tenants.usage.models import (
    OnlineSample,
    PacketCount,
    PlaceLogin,
    RefusedPacket,
    Session,
    SessionHistory,
    SessionNote,
)

_MOST_ROWS = 50_000  # of each kind in one unit of work; the rest goes tomorrow


def drop_old_records(
    scope: TenantScope, *, sessions_before: datetime, refused_before: datetime, logins_before: datetime
) -> int:
    """Delete history that ended, refusals that happened, and notes of logins to a place that were made before these
    instants (but of open sessions); gives how many rows."""
    key = (SessionHistory.nas_id, SessionHistory.session_id, SessionHistory.username, SessionHistory.ended_at)
    mine = (SessionHistory.tenant_id == scope.tenant_id, SessionHistory.ended_at < sessions_before)
    sessions = delete(SessionHistory).where(
        *mine, tuple_(*key).in_(select(*key).where(*mine).order_by(SessionHistory.ended_at).limit(_MOST_ROWS))
    )
    old = (
        select(RefusedPacket.id)
        .where(RefusedPacket.tenant_id == scope.tenant_id, RefusedPacket.at < refused_before)
        .limit(_MOST_ROWS)
    )
    refused = delete(RefusedPacket).where(RefusedPacket.tenant_id == scope.tenant_id, RefusedPacket.id.in_(old))
    notes = delete(SessionNote).where(SessionNote.tenant_id == scope.tenant_id, SessionNote.last_at < sessions_before)
    theirs = (Session.tenant_id == PlaceLogin.tenant_id, Session.account_id == PlaceLogin.account_id)
    led = delete(PlaceLogin).where(
        PlaceLogin.tenant_id == scope.tenant_id,
        PlaceLogin.at < logins_before,
        ~exists().where(*theirs, Session.nas_id == PlaceLogin.nas_id),
    )
    return sum(
        max(0, cast("CursorResult[Any]", scope.session.execute(statement)).rowcount)
        for statement in (sessions, refused, notes, led)
    )


def drop_old_counts(session: DatabaseSession, *, counts_before: datetime, samples_before: datetime) -> int:
    """Delete packet counts and online samples of all tenants from before these instants; gives how many rows."""
    return sum(
        max(0, cast("CursorResult[Any]", session.execute(statement)).rowcount)
        for statement in (
            delete(PacketCount).where(PacketCount.hour < counts_before),
            delete(OnlineSample).where(OnlineSample.at < samples_before),
        )
    )
