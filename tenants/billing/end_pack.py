"""A supplementary pack with a validity of its own ends: its unused part is gone (OPS-12)."""

from datetime import datetime

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.access.project import project_account
from tenants.billing.context import context_of, grant_of
from tenants.billing.models import Pack
from tenants.billing.rules_pack import unused_of_pack
from tenants.kernel.actor import SYSTEM
from tenants.subscribers.models import Account
from tenants.usage.quota_left import quota_left


def end_pack(scope: TenantScope, pack_id: int, *, now: datetime) -> bool:
    """Take the pack's unused part off the account; False when it ended before or belongs to an earlier period."""
    pack = scope.session.get(Pack, pack_id, populate_existing=True)
    if pack is None or pack.ended_at is not None or pack.expires_at is None or pack.expires_at > now:
        return False
    account = scope.session.execute(
        select(Account).where(Account.id == pack.account_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one()
    pack.ended_at = now
    if pack.quota_epoch != account.quota_epoch:
        return False
    context = context_of(scope, account, actor=SYSTEM, now=now)
    left = quota_left(scope, grant_of(account, context.terms), now)
    scope.session.flush()  # the pack no longer counts as open below
    octets, seconds = scope.session.execute(
        select(func.coalesce(func.sum(Pack.octets), 0), func.coalesce(func.sum(Pack.seconds), 0)).where(
            Pack.account_id == account.id, Pack.ended_at.is_(None), Pack.quota_epoch == account.quota_epoch
        )
    ).one()
    account.pack_octets -= unused_of_pack(pack.octets, int(octets), left.pack_octets)
    account.pack_seconds -= unused_of_pack(pack.seconds, int(seconds), left.pack_seconds)
    scope.session.flush()  # the projection reads the row
    project_account(scope, account.id)
    return True
