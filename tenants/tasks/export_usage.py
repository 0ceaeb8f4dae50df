"""What everybody used, by day, month or in one sum, as a file (RAD-8)."""

from datetime import date, datetime

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.subscribers.queries_usage import UsageSpan, usage_of_accounts
from tenants.tasks.models import Task
from tenants.tasks.write_part import write_rows

BATCH = 1_000  # accounts
COLUMNS: tuple[str, ...] = ("username", "name", "day", "down", "up", "total", "seconds")
NUMBERS = frozenset({"down", "up", "total", "seconds"})


def export_usage(scope: TenantScope, task: Task, actor: Actor, _now: datetime) -> bool:
    """The next accounts. ``params``: first, last (ISO 8601, both included), per (day, month, whole), heads (by column).

    Octets and seconds are whole numbers, so that sums in a spreadsheet agree to the last.
    """
    actor.require("online.export")
    params = task.params
    span = UsageSpan(date.fromisoformat(params["first"]), date.fromisoformat(params["last"]), params["per"])
    batch = usage_of_accounts(scope, span, actor, after=int(task.position or 0), size=BATCH)
    rows = [
        (
            row.username,
            row.name,
            _when(row.day, span),
            row.octets_out,
            row.octets_in,
            row.octets_in + row.octets_out,
            row.seconds,
        )
        for row in batch.rows
    ]
    write_rows(scope, task, rows, [params["heads"][name] for name in COLUMNS])
    task.done += batch.accounts
    task.position = str(batch.after)
    return not batch.after


def _when(day: date, span: UsageSpan) -> str:
    if span.per == "month":
        return f"{day:%Y-%m}"
    return f"{span.first} – {span.last}" if span.per == "whole" else str(day)
