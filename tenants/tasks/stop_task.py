"""End long work before its end; what is done stays done."""

from datetime import datetime

from infra.outbox import clear_due
from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.kernel.errors import NotFound
from tenants.tasks.models import RUNNING, Task
from tenants.tasks.start_task import TASK_STEP


def stop_task(scope: TenantScope, task_id: int, *, actor: Actor, now: datetime) -> None:
    """Waits for a batch that is just running. Raises :class:`NotFound` for another person's task."""
    task = scope.session.get(Task, task_id, with_for_update=True)
    if task is None or task.operator_id != actor.id:
        raise NotFound(what="task", ref=task_id)
    if task.state in RUNNING:
        task.state, task.ended_at, task.seen_at = "stopped", now, now
        clear_due(scope.session, scope.tenant_id, TASK_STEP, task_id)
