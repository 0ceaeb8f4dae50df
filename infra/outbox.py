"""Effects after commit (outbox) and work at an instant (due): rows written in the business transaction.

A dispatcher hands them on at least once; every consumer is idempotent by the row's id.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, SmallInteger, delete, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from infra.db import WorkBase


class OutboxRow(WorkBase):
    """One effect: ``radius.disconnect``, ``radius.coa``, ``mail.send``, …"""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_waiting", "topic", "available_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_outbox_subject", "tenant_id", "topic", "subject"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[int]
    topic: Mapped[str]
    subject: Mapped[str] = mapped_column(server_default="")  # what it is about: "account:17", "nas:3"
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(
        server_default="waiting"
    )  # waiting | taken | done | refused | unanswered | failed
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    available_at: Mapped[datetime] = mapped_column(server_default=func.now())
    taken_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(server_default="")


class DueRow(WorkBase):
    """Work that is due at an instant; at most one per tenant, kind and subject."""

    __tablename__ = "due"
    __table_args__ = (Index("ix_due_run_at", "kind", "run_at"),)
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)  # account.expire, nas.stale …
    subject_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    last_error: Mapped[str] = mapped_column(server_default="")


def emit(session: Session, tenant_id: int, topic: str, payload: dict[str, Any], *, subject: str = "") -> None:
    """Write an outbox row in the caller's transaction; listeners are woken at commit (NOTIFY)."""
    session.add(OutboxRow(tenant_id=tenant_id, topic=topic, payload=payload, subject=subject))
    session.execute(text("SELECT pg_notify('broadloom_outbox', :family)"), {"family": topic.split(".", 1)[0]})


def set_due(session: Session, tenant_id: int, kind: str, subject_id: int, run_at: datetime) -> None:
    """Make (or move) the due row of this kind for this subject."""
    values = {
        "tenant_id": tenant_id,
        "kind": kind,
        "subject_id": subject_id,
        "run_at": run_at,
        "attempts": 0,
        "last_error": "",
    }
    statement = insert(DueRow).values(**values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "kind", "subject_id"],
            set_={"run_at": statement.excluded.run_at, "attempts": 0, "last_error": ""},
        )
    )


def clear_due(session: Session, tenant_id: int, kind: str, subject_id: int) -> None:
    """Drop the due row of this kind for this subject, if any."""
    session.execute(
        delete(DueRow).where(DueRow.tenant_id == tenant_id, DueRow.kind == kind, DueRow.subject_id == subject_id)
    )
