"""Forget long work and its files after a while: an export holds people's data and is not for keeping."""

from datetime import datetime

from sqlalchemy import delete

from infra.tenant_scope import TenantScope
from tenants.tasks.models import Task


def drop_old_tasks(scope: TenantScope, *, before: datetime) -> int:
    """Drop what ended earlier; gives how many tasks."""
    dropped = scope.session.execute(delete(Task).where(Task.ended_at < before))
    return int(getattr(dropped, "rowcount", 0))
