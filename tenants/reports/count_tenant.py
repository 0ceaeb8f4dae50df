"""How much a tenant has, in a few numbers."""

from datetime import datetime

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.catalog.models import Plan
from tenants.staff.models import Operator
from tenants.subscribers.models import Account
from tenants.usage.models import Session


def count_tenant(scope: TenantScope, *, now: datetime) -> dict[str, int]:
    """Accounts (all and not expired), sessions open now, plans and operators."""
    live = select(func.count()).where(Account.deleted_at.is_(None), Account.state != "closed")
    return {
        "accounts": scope.session.scalar(live) or 0,
        "accounts_active": scope.session.scalar(live.where(Account.expires_at > now)) or 0,
        "online": scope.session.scalar(select(func.count()).where(Session.tenant_id == scope.tenant_id)) or 0,
        "plans": scope.session.scalar(select(func.count()).where(Plan.deleted_at.is_(None))) or 0,
        "operators": scope.session.scalar(select(func.count()).where(Operator.disabled_at.is_(None))) or 0,
    }
