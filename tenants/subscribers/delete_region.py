"""Deletes a region after counting the accounts that refer to it; regions lie in a lower layer (NET-1)."""

from datetime import datetime

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.network.add_region import delete_region
from tenants.subscribers.models import Account


def delete_empty_region(scope: TenantScope, region_id: int, *, actor: Actor, now: datetime) -> None:
    """Raises Forbidden, RegionNotFound, RegionInUse, LastRegion."""
    live = select(func.count()).where(Account.region_id == region_id, Account.closed_at.is_(None))
    accounts = scope.session.scalar(live.where(Account.deleted_at.is_(None))) or 0
    delete_region(scope, region_id, actor=actor, now=now, accounts=accounts)
