"""Give online sessions the rate they should have now: outbox rows ``radius.coa`` (NET-5, RAD-5)."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from infra.tenant_scope import TenantScope
from tenants.access.disconnect import CHANGE, OF_ACCOUNTS, emit_for_sessions
from tenants.access.models import Subscriber
from tenants.usage.models import Session as OnlineSession


def change_rate_accounts(scope: TenantScope, account_ids: Sequence[int], reason: str = "plan_changed") -> int:
    """Ask the routers to give all sessions of these accounts the rate of their profiles; gives how many were asked."""
    return emit_for_sessions(scope, CHANGE, OF_ACCOUNTS, reason, ids=list(account_ids))


def change_rate_profiles(scope: TenantScope, profile_ids: Sequence[int], reason: str = "rate_changed") -> int:
    """The same for everybody online with one of these profiles (as plan group, or as throttle rate)."""
    if not profile_ids:
        return 0
    ids = bindparam("ids", list(profile_ids), type_=ARRAY(BigInteger))
    concerned = select(Subscriber.account_id).where(
        Subscriber.tenant_id == scope.tenant_id,
        (Subscriber.profile_id == func.any(ids)) | (Subscriber.throttle_profile_id == func.any(ids)),
    )
    return emit_for_sessions(scope, CHANGE, [OnlineSession.account_id.in_(concerned)], reason)
