"""One batch of a task, in one unit of work with its progress: killed anywhere, it goes on where it was (JOB-3)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from infra.outbox import set_due
from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError
from tenants.staff.actor import actor_of
from tenants.tasks.change_accounts import change_accounts
from tenants.tasks.export_accounts import export_accounts
from tenants.tasks.export_fees import export_fees
from tenants.tasks.export_history import export_history
from tenants.tasks.export_online import export_online
from tenants.tasks.export_usage import export_usage
from tenants.tasks.models import RUNNING, Task
from tenants.tasks.start_task import TASK_STEP
from tenants.tasks.write_part import WORKBOOK
from tenants.tasks.write_workbook import write_workbook

LOG = structlog.get_logger(__name__)
MOST_TRIES = 3
# A step does one batch, counts it on the task and says whether that was the last.
Step = Callable[[TenantScope, Task, Actor, datetime], bool]
STEPS: dict[str, Step] = {
    "export_accounts": export_accounts,
    "export_fees": export_fees,
    "export_history": export_history,
    "export_online": export_online,
    "export_usage": export_usage,
    "change_accounts": change_accounts,
}


def run_task(scope: TenantScope, task_id: int, *, now: datetime) -> bool:
    """Do the next batch; gives whether more is to be done. Sets the due row of the following one."""
    task = scope.session.get(Task, task_id, with_for_update=True)
    if task is None or task.state not in RUNNING:
        return False
    if task.started_at is None:
        task.state, task.started_at = "running", now
        scope.session.flush()  # kept when the batch is undone
    try:
        with scope.session.begin_nested():
            finished = _step(scope, task, now)
            scope.session.flush()
            if finished and task.file_name.endswith(WORKBOOK):
                write_workbook(scope, task)
    except BusinessError as error:
        _end(task, "failed", now, error.code)
        return False
    except Exception as error:  # a fault of ours: tried again, then told to the person, never for ever
        scope.session.refresh(task)
        task.tries += 1
        LOG.error("task_batch_failed", task=task_id, kind=task.kind, tries=task.tries, error=str(error))
        if task.tries >= MOST_TRIES:
            _end(task, "failed", now, "internal")
            return False
        set_due(scope.session, scope.tenant_id, TASK_STEP, task_id, now + timedelta(seconds=5 * task.tries))
        return False
    if finished:
        _end(task, "done", now, "")
        return False
    set_due(scope.session, scope.tenant_id, TASK_STEP, task_id, now + timedelta(milliseconds=1))
    return True


def _step(scope: TenantScope, task: Task, now: datetime) -> bool:
    # The rights are those that the person has now: who was disabled meanwhile ends his work.
    return STEPS[task.kind](scope, task, actor_of(scope, task.operator_id), now)


def _end(task: Task, state: str, now: datetime, error: str) -> None:
    task.state, task.ended_at, task.error = state, now, error
    if state == "done":
        task.total = task.done + task.failed
