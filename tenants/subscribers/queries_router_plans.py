"""Which plans a router serves (NET-2): those of the subscribers who are online through it; and who is bound to it."""

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.catalog.models import Plan
from tenants.subscribers.models import Account
from tenants.usage.models import Session as OnlineSession


def bound_accounts(scope: TenantScope, nas_id: int) -> int:
    """How many open accounts may log in through this router alone."""
    bound = (Account.bind_nas_id == nas_id, Account.state != "closed", Account.deleted_at.is_(None))
    return int(scope.session.scalar(select(func.count()).select_from(Account).where(*bound)) or 0)


def plans_on_router(scope: TenantScope, nas_id: int, limit: int = 10) -> tuple[tuple[str, int], ...]:
    """(plan, open sessions), the most used first."""
    rows = scope.session.execute(
        select(Plan.name, func.count())
        .join(Account, Account.plan_id == Plan.id)
        .join(OnlineSession, OnlineSession.account_id == Account.id)
        .where(OnlineSession.tenant_id == scope.tenant_id, OnlineSession.nas_id == nas_id)
        .group_by(Plan.name)
        .order_by(func.count().desc(), Plan.name)
        .limit(limit)
    ).all()
    return tuple((str(name), int(number)) for name, number in rows)
