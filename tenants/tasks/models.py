"""Tables of long work: a task, and the parts of the files it leaves behind (UX-3, SUB-7)."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantBase
from tenants.staff import models as staff_models

# Foreign keys point into this package: its tables must be known wherever ours are.
_REFERRED = (staff_models,)
STATES = ("queued", "running", "done", "failed", "stopped")
RUNNING = ("queued", "running")


class Task(TenantBase):
    """One piece of long work. ``params`` is what was asked, ``position`` where the next batch begins."""

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("ix_tasks_unseen", "operator_id", postgresql_where=text("ended_at IS NOT NULL AND seen_at IS NULL")),
        Index("ix_tasks_operator_id_id", "operator_id", "id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]  # a key of run_task.STEPS
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    operator_id: Mapped[int] = mapped_column(ForeignKey("tenant.operators.id"))
    state: Mapped[str] = mapped_column(server_default="queued")
    total: Mapped[int | None]  # None: not counted to the end
    done: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    position: Mapped[str] = mapped_column(server_default="")
    parts: Mapped[int] = mapped_column(server_default="0")
    file_name: Mapped[str] = mapped_column(server_default="")  # "" = it leaves no file
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    error: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]  # the person has opened the page behind the bell since


class TaskPart(TenantBase):
    """A part of a task's file ("result", "failed" rows) or of what it works on ("chosen"), in order."""

    __tablename__ = "task_parts"
    task_id: Mapped[int] = mapped_column(ForeignKey("tenant.tasks.id", ondelete="CASCADE"), primary_key=True)
    file: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
