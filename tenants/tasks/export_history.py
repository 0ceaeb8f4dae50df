"""Closed sessions of a filter as a file (RAD-8)."""

from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.subscribers.queries_history import HistoryRow, list_history
from tenants.tasks.account_filters import history_filter
from tenants.tasks.models import Task
from tenants.tasks.write_part import write_rows
from tenants.usage.queries_routers import router_names

BATCH = 2_000
COLUMNS: tuple[str, ...] = ("username", "started", "ended", "seconds", "ip", "mac", "nas", "down", "up", "cause")
NUMBERS = frozenset({"seconds", "down", "up"})


def export_history(scope: TenantScope, task: Task, actor: Actor, _now: datetime) -> bool:
    """The next batch, newest end first. ``params``: filter, heads (by column), causes (words by code)."""
    actor.require("online.export")
    params = task.params
    page = list_history(scope, history_filter(params["filter"]), actor, cursor=task.position, size=BATCH)
    routers = router_names(scope)
    rows = [_cells(scope, row, routers, params["causes"]) for row in page.rows]
    write_rows(scope, task, rows, [params["heads"][name] for name in COLUMNS])
    task.done += len(rows)
    task.position = page.next
    return not page.next


def _cells(
    scope: TenantScope, row: HistoryRow, routers: dict[int, str], causes: dict[str, str]
) -> tuple[str | int, ...]:
    began, ended = (at.astimezone(scope.zone).strftime("%Y-%m-%d %H:%M:%S") for at in (row.started_at, row.ended_at))
    return (
        row.username, began, ended, row.seconds, row.framed_ip, row.mac.upper(), routers.get(row.nas_id, ""),
        row.octets_out, row.octets_in, causes.get(str(row.cause), str(row.cause)),
    )  # fmt: skip
