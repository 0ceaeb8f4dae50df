"""One operation on many accounts, booked together: each is done or fails alone, and why is kept (SUB-7)."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.billing.operation import Operation
from tenants.billing.perform_each import perform_each
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError
from tenants.subscribers.queries_list import AccountFilter, AccountRow, account_ids, accounts_by_id
from tenants.tasks.account_deeds import DEEDS, Deed, Doing
from tenants.tasks.models import Task, TaskPart
from tenants.tasks.start_task import CHOSEN
from tenants.tasks.write_part import write_failures

BATCH = 50  # about a second of operations: so often the progress moves, and so little is done again after a kill
MOST = 100_000

Failure = tuple[int, str, str, BusinessError]


def chosen_accounts(scope: TenantScope, wanted: AccountFilter, actor: Actor, now: datetime) -> list[int]:
    """The ids that a filter shows now; what is done to them may change what it shows, so they are kept."""
    return account_ids(scope, wanted, actor, now, limit=MOST)


def change_accounts(scope: TenantScope, task: Task, actor: Actor, now: datetime) -> bool:
    """The next batch of the chosen ones. ``params``: deed, values."""
    actor.require("accounts.bulk")
    body = scope.session.scalar(select(TaskPart.body).where(TaskPart.task_id == task.id, TaskPart.file == CHOSEN))
    chosen: list[int] = json.loads(body or b"[]")
    begin = int(task.position or 0)
    batch = chosen[begin : begin + BATCH]
    doing = Doing(scope, actor, now, task.params["values"])
    done, failed = do_to(doing, task.params["deed"], rows_of(doing, batch), f"task-{task.id}")
    write_failures(scope, task, failed)
    task.done += len(done)
    task.failed += len(failed)
    task.position = str(begin + len(batch))
    return begin + len(batch) >= len(chosen)


def rows_of(doing: Doing, ids: Sequence[int]) -> list[AccountRow]:
    """The accounts as the list shows them; those that the person may not see are left out."""
    return accounts_by_id(doing.scope, ids, doing.actor, doing.now)


def do_to(doing: Doing, deed_name: str, rows: Sequence[AccountRow], key: str) -> tuple[list[AccountRow], list[Failure]]:
    """Do it to each; gives those done, and those not done with the reason."""
    deed = DEEDS[deed_name]
    doing.actor.require(deed.right)
    if deed.asks is None:
        outcomes = [_run(deed, doing, row) for row in rows]
    else:
        outcomes = _operate(doing, [(row.id, *deed.asks(doing, row)) for row in rows], key)
    done = [row for row, refused in zip(rows, outcomes, strict=True) if refused is None]
    failed = [
        (row.id, row.username, row.name, refused)
        for row, refused in zip(rows, outcomes, strict=True)
        if refused is not None
    ]
    return done, failed


def _operate(doing: Doing, wanted: Sequence[tuple[int, Operation[Any], Any]], key: str) -> list[BusinessError | None]:
    """The refusal of each operation, None for those that are booked."""
    asked = [
        operation.ask(command, actor=doing.actor, now=doing.now, key=f"{key}-{account_id}")
        for account_id, operation, command in wanted
    ]
    outcomes = perform_each(doing.scope, asked)
    return [outcome if isinstance(outcome, BusinessError) else None for outcome in outcomes]


def _run(deed: Deed, doing: Doing, row: AccountRow) -> BusinessError | None:
    assert deed.runs is not None  # a deed is the one or the other
    savepoint = doing.scope.session.begin_nested()
    try:
        deed.runs(doing, row)
    except BusinessError as error:
        savepoint.rollback()
        return error
    savepoint.commit()
    return None
