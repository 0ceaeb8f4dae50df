"""The open sessions of a filter as a file, as they are while it is written (RAD-5)."""

from datetime import datetime
from typing import Final

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.registry.settings import read
from tenants.subscribers.queries_online import OnlineRow, list_online
from tenants.tasks.account_filters import online_filter
from tenants.tasks.models import Task
from tenants.tasks.write_part import write_rows
from tenants.usage.queries_routers import router_names

BATCH = 2_000
COLUMNS: tuple[str, ...] = (
    "username", "name", "ip", "mac", "nas", "started", "seconds", "now_down", "now_up", "down", "up", "plan_down",
    "plan_up", "updated", "port",
)  # fmt: skip
NUMBERS = frozenset({"seconds", "now_down", "now_up", "down", "up", "plan_down", "plan_up"})
# Orders that do not change while the file is written; by another one a session would stand there twice, or not at all.
STEADY: Final = ("username", "started")


def export_online(scope: TenantScope, task: Task, actor: Actor, now: datetime) -> bool:
    """The next batch. ``params``: filter, sort, heads (by column)."""
    actor.require("online.export")
    params = task.params
    page = list_online(
        scope,
        online_filter(params["filter"]),
        actor,
        now,
        interim_seconds=read(scope).interim_seconds,
        sort=params["sort"],
        cursor=task.position,
        size=BATCH,
    )
    routers = router_names(scope)
    rows = [_cells(scope, row, routers) for row in page.rows]
    write_rows(scope, task, rows, [params["heads"][name] for name in COLUMNS])
    task.done += len(rows)
    task.position = page.next
    return not page.next


def _cells(scope: TenantScope, row: OnlineRow, routers: dict[int, str]) -> tuple[str | int, ...]:
    began, heard = (at.astimezone(scope.zone).strftime("%Y-%m-%d %H:%M:%S") for at in (row.started_at, row.updated_at))
    now_down, now_up = (None, None) if row.late else (row.now_down_bps, row.now_up_bps)
    speeds = ["" if speed is None else speed for speed in (now_down, now_up, row.down_bps, row.up_bps)]
    return (
        row.username, row.name, row.framed_ip, row.mac.upper(), routers.get(row.nas_id, ""), began, row.seconds,
        *speeds[:2], row.octets_out, row.octets_in, *speeds[2:], heard, row.line,
    )  # fmt: skip
