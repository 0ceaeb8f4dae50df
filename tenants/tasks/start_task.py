"""Ask for long work: a task row, and a due row that wakes a worker at the commit (UX-3)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infra.outbox import set_due
from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.kernel.errors import Forbidden
from tenants.tasks.models import Task, TaskPart

TASK_STEP = "task.step"  # kind of the due row; its subject is the task
CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class StartTask:
    """What is to be done. ``chosen`` are the ids it is done to, where the work goes along a fixed list."""

    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    total: int | None = None
    file_name: str = ""
    chosen: Sequence[int] | None = None


def start_task(scope: TenantScope, command: StartTask, *, actor: Actor, now: datetime) -> int:
    """Write the task down; gives its id. Only operators have a bell, so only they may ask. Raises Forbidden."""
    if actor.kind != "operator" or actor.id is None:
        raise Forbidden(permission=command.kind)
    total = len(command.chosen) if command.chosen is not None else command.total
    task = Task(
        kind=command.kind,
        params=command.params,
        operator_id=actor.id,
        total=total,
        file_name=command.file_name,
        created_at=now,
    )
    scope.session.add(task)
    scope.session.flush()  # its id
    if command.chosen is not None:
        body = json.dumps(list(command.chosen)).encode()
        scope.session.add(TaskPart(task_id=task.id, file=CHOSEN, part=0, body=body))
    set_due(scope.session, scope.tenant_id, TASK_STEP, task.id, now)
    return task.id
