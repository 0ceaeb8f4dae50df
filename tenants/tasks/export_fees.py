"""The fee records of a filter as a file (FIN-1)."""

from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.billing.queries_fees import FeeRow, list_fees
from tenants.kernel.actor import Actor
from tenants.tasks.account_filters import fee_filter
from tenants.tasks.models import Task
from tenants.tasks.write_part import write_rows

BATCH = 2_000
COLUMNS: tuple[str, ...] = (
    "at", "number", "username", "what", "plan", "method", "income", "expense", "operator", "settlement", "reviewed",
    "reason",
)  # fmt: skip
NUMBERS = frozenset({"income", "expense"})


def export_fees(scope: TenantScope, task: Task, actor: Actor, _now: datetime) -> bool:
    """The next batch, newest first. ``params``: filter, heads (by column), kinds and methods (words by code)."""
    actor.require("money.export")
    params = task.params
    page = list_fees(scope, fee_filter(params["filter"]), actor, cursor=task.position, size=BATCH)
    rows = [_cells(scope, row, params["kinds"], params["methods"]) for row in page.rows]
    write_rows(scope, task, rows, [params["heads"][name] for name in COLUMNS])
    task.done += len(rows)
    task.position = page.next
    return not page.next


def _cells(scope: TenantScope, row: FeeRow, kinds: dict[str, str], methods: dict[str, str]) -> tuple[str, ...]:
    return (
        row.at.astimezone(scope.zone).strftime("%Y-%m-%d %H:%M:%S"),
        row.number,
        row.username,
        kinds.get(row.kind, row.kind),
        row.plan_name,
        methods.get(row.method, row.method),
        f"{row.amount:.2f}" if row.direction == "income" else "",
        f"{row.amount:.2f}" if row.direction == "expense" else "",
        row.actor_name,
        row.settlement,
        row.reviewed_by,
        row.reason,
    )
