"""A plain list of accounts for the command line and exports, by user name."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.catalog.models import Plan
from tenants.kernel.period import local_iso
from tenants.registry.settings import read
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.state_sql import shown_state_expression
from tenants.usage.models import Session as OnlineSession


def list_plain(scope: TenantScope, now: datetime, *, online: bool = False, limit: int = 1000) -> list[dict[str, Any]]:
    """At most ``limit`` accounts that are not deleted; ``online`` only those with an open session."""
    counts = (
        select(OnlineSession.account_id, func.count().label("open"))
        .where(OnlineSession.tenant_id == scope.tenant_id)
        .group_by(OnlineSession.account_id)
        .subquery()
    )
    statement = (
        select(
            Account.id,
            Account.username,
            Customer.name,
            shown_state_expression(now, read(scope).expiring_days).label("status"),
            Plan.name.label("plan"),
            Account.expires_at,
            Account.balance,
            func.coalesce(counts.c.open, 0).label("sessions"),
        )
        .join(Customer, Customer.id == Account.customer_id)
        .outerjoin(Plan, Plan.id == Account.plan_id)
        .join(counts, counts.c.account_id == Account.id, isouter=not online)
        .where(Account.deleted_at.is_(None), Account.name_released_at.is_(None))
        .order_by(Account.username)
        .limit(limit)
    )
    return [
        {
            "id": row.id,
            "username": row.username,
            "name": row.name,
            "status": row.status,
            "plan": row.plan,
            "expires_at": local_iso(row.expires_at, scope.zone),
            "balance": f"{row.balance:.2f}",
            "online": row.sessions > 0,
            "sessions": row.sessions,
        }
        for row in scope.session.execute(statement)
    ]
