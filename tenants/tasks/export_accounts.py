"""Everything that a list of subscribers shows, as a file (SUB-7). Never passwords or identity numbers."""

from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.subscribers.queries_list import AccountRow, list_accounts
from tenants.tasks.account_filters import account_filter
from tenants.tasks.models import Task
from tenants.tasks.write_part import write_rows

BATCH = 2_000
# Keys of the columns, in order; their heads in the reader's language stand in the task's params.
COLUMNS: tuple[str, ...] = (
    "username", "name", "state", "plan", "opened", "expires", "balance", "arrears", "region", "phone", "address", "mac",
    "box", "vlan", "remark",
)  # fmt: skip
NUMBERS = frozenset({"balance", "arrears"})


def export_accounts(scope: TenantScope, task: Task, actor: Actor, now: datetime) -> bool:
    """The next batch in the list's own order. ``params``: filter, sort, heads (by column), words (by state)."""
    actor.require("accounts.export")
    params = task.params
    wanted = account_filter(params["filter"])
    page = list_accounts(scope, wanted, actor, now, sort=params["sort"], cursor=task.position, size=BATCH)
    rows = [_cells(scope, row, params["words"]) for row in page.rows]
    write_rows(scope, task, rows, [params["heads"][name] for name in COLUMNS])
    task.done += len(rows)
    task.position = page.next
    return not page.next


def _cells(scope: TenantScope, row: AccountRow, words: dict[str, str]) -> tuple[str, ...]:
    expires = row.expires_at.astimezone(scope.zone).strftime("%Y-%m-%d %H:%M:%S")
    if not row.activated:
        expires = words["first-login"]
    elif row.never_expires:
        expires = words["never"]
    return (
        row.username,
        row.name,
        words.get(row.state, row.state),
        row.plan_name,
        row.opened_at.astimezone(scope.zone).strftime("%Y-%m-%d %H:%M:%S"),
        expires,
        f"{row.balance:.2f}",
        f"{row.receivable:.2f}",
        row.region_name,
        row.phone,
        row.address,
        row.bind_mac,
        row.box,
        row.vlan,
        row.remark,
    )
