"""A supplementary pack with a validity of its own ends: its unused part is gone (OPS-12)."""

from datetime import datetime

from sqlalchemy import func, select

from infra.outbox import set_due
from infra.tenant_scope import TenantScope
from tenants.access.change_rate import change_rate_accounts
from tenants.access.project import project_account
from tenants.billing.add_pack import PACK_END
from tenants.billing.context import quota_grant
from tenants.billing.models import Pack
from tenants.billing.rules_pack import unused_of_pack
from tenants.catalog.facts import plan_facts
from tenants.subscribers.models import Account
from tenants.usage.quota_left import quota_left


def end_pack(scope: TenantScope, pack_id: int, *, now: datetime) -> bool:
    """Take the pack's unused part off the account; False when somebody is working on that account just now.

    A pack that ended before, was reversed, or belongs to an earlier period has nothing to take off.
    """
    pack = scope.session.get(Pack, pack_id, populate_existing=True)
    if pack is None or pack.ended_at is not None:
        return True
    account = scope.session.get(Account, pack.account_id, with_for_update={"skip_locked": True}, populate_existing=True)
    if account is None:
        return False
    scope.session.refresh(pack)  # a hold that ended meanwhile may have moved its end
    if pack.ended_at is not None or pack.expires_at is None:
        return True
    if pack.expires_at > now:
        set_due(scope.session, scope.tenant_id, PACK_END, pack.id, pack.expires_at)
        return True
    pack.ended_at = now
    if pack.quota_epoch != account.quota_epoch:
        return True
    kind = "" if account.plan_id is None else plan_facts(scope, [account.plan_id])[account.plan_id].kind
    left = quota_left(scope, quota_grant(account, kind), now)
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
    rest = quota_left(scope, quota_grant(account, kind), now)
    if 0 in (rest.octets, rest.seconds):  # no report will cross the line any more
        change_rate_accounts(scope, [account.id], "pack_ended")
    return True
