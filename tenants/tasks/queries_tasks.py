"""What stands behind the bell: a person's tasks, their progress and their files (UX-3)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from infra.tenant_scope import TenantScope
from tenants.kernel.errors import NotFound
from tenants.tasks.models import RUNNING, Task, TaskPart
from tenants.tasks.write_part import FAILED, RESULT

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task; ``total`` None where it was not counted."""

    id: int
    kind: str
    params: dict[str, Any]
    state: str
    total: int | None
    done: int
    failed: int
    file_name: str
    error: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def running(self) -> bool:
        """Whether a worker has still to do something."""
        return self.state in RUNNING

    @property
    def handled(self) -> int:
        """Rows that were looked at."""
        return self.done + self.failed

    @property
    def percent(self) -> int | None:
        """How much is behind, None where the total is unknown."""
        if self.state == "done":
            return 100
        if not self.total:
            return None
        return min(99, self.handled * 100 // self.total)

    def rate(self, now: datetime) -> float:
        """Rows a second so far."""
        if self.started_at is None:
            return 0.0
        seconds = ((self.ended_at or now) - self.started_at).total_seconds()
        return self.handled / max(seconds, 0.1)

    def left(self, now: datetime) -> timedelta | None:
        """How long the rest takes at this rate, None where nobody can tell."""
        rate = self.rate(now)
        if not self.running or not self.total or not rate:
            return None
        return timedelta(seconds=(self.total - self.handled) / rate)

    @property
    def took(self) -> timedelta | None:
        """From the first batch to the end."""
        return self.ended_at - self.started_at if self.ended_at and self.started_at else None


_COLUMNS = tuple(getattr(Task, name) for name in TaskRow.__dataclass_fields__)


def tasks_of(scope: TenantScope, operator_id: int) -> list[TaskRow]:
    """The newest tasks of a person."""
    statement = select(*_COLUMNS).where(Task.operator_id == operator_id).order_by(Task.id.desc()).limit(_SHOWN)
    return [TaskRow(**row._mapping) for row in scope.session.execute(statement)]


def task_of(scope: TenantScope, task_id: int, operator_id: int) -> TaskRow:
    """One task. Raises :class:`NotFound`, also for another person's."""
    statement = select(*_COLUMNS).where(Task.id == task_id, Task.operator_id == operator_id)
    row = scope.session.execute(statement).one_or_none()
    if row is None:
        raise NotFound(what="task", ref=task_id)
    return TaskRow(**row._mapping)


def unseen_tasks(scope: TenantScope, operator_id: int) -> int:
    """How many ended since the person last looked: the dot on the bell."""
    ended = select(func.count()).where(
        Task.operator_id == operator_id, Task.ended_at.is_not(None), Task.seen_at.is_(None)
    )
    return int(scope.session.execute(ended).scalar_one())


def mark_seen(scope: TenantScope, operator_id: int, now: datetime) -> None:
    """The person has looked behind the bell."""
    scope.session.execute(
        update(Task)
        .where(Task.operator_id == operator_id, Task.ended_at.is_not(None), Task.seen_at.is_(None))
        .values(seen_at=now)
    )


def failures_of(scope: TenantScope, task_id: int, limit: int | None = None) -> list[dict[str, Any]]:
    """Rows that were not done: id, username, name, and the reason as code, message and params."""
    found: list[dict[str, Any]] = []
    for body in _parts(scope, task_id, FAILED):
        found += [json.loads(line) for line in body.decode().splitlines()]
        if limit is not None and len(found) >= limit:
            return found[:limit]
    return found


def result_of(scope: TenantScope, task_id: int) -> Iterator[bytes]:
    """The file that a task leaves behind, part by part."""
    return _parts(scope, task_id, RESULT)


def _parts(scope: TenantScope, task_id: int, file: str) -> Iterator[bytes]:
    numbers = scope.session.scalars(
        select(TaskPart.part).where(TaskPart.task_id == task_id, TaskPart.file == file).order_by(TaskPart.part)
    ).all()
    for number in numbers:
        where = (TaskPart.task_id == task_id, TaskPart.file == file, TaskPart.part == number)
        yield scope.session.execute(select(TaskPart.body).where(*where)).scalar_one()
