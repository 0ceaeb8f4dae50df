"""Give online sessions the rate they should have now: outbox rows ``radius.coa`` (NET-5, RAD-5)."""

from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, Select, Text, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from infra.tenant_scope import TenantScope
from tenants.access.ask_routers import CHANGE, SessionRequest, ask_routers
from tenants.access.disconnect import emit_for_sessions
from tenants.access.models import Subscriber
from tenants.usage.models import Session as OnlineSession

# Which of its services the router gave the sessions, so that it can be told to end it (Juniper; NET-5).
_SERVICE_GIVEN = func.jsonb_build_object("previous_service", cast(bindparam("service"), Text))


def change_rate_accounts(scope: TenantScope, account_ids: Sequence[int], reason: str = "plan_changed") -> int:
    """Ask the routers to give all sessions of these accounts the rate of their profiles; gives how many were asked.

    Where another plan is the reason, before it is carried into the read model.
    """
    return ask_routers(scope, [SessionRequest(account_id, CHANGE, reason) for account_id in account_ids])


def change_rate_profiles(
    scope: TenantScope,
    profile_ids: Sequence[int],
    reason: str = "rate_changed",
    *,
    services: Mapping[int, str] | None = None,
) -> int:
    """The same for everybody online with one of these profiles (as plan group, or as throttle rate).

    ``services``: the router's service that those of a profile had till now ("": none), where it is another now.
    """
    if not profile_ids:
        return 0
    for profile_id, service in (services or {}).items():
        had_it = [OnlineSession.account_id.in_(_concerned(scope, [profile_id]))]
        emit_for_sessions(scope, CHANGE, had_it, reason, more=_SERVICE_GIVEN, service=service)
    return emit_for_sessions(scope, CHANGE, [OnlineSession.account_id.in_(_concerned(scope, profile_ids))], reason)


def _concerned(scope: TenantScope, profile_ids: Sequence[int]) -> Select[int]:
    ids = bindparam("ids", list(profile_ids), type_=ARRAY(BigInteger))
    return select(Subscriber.account_id).where(
        Subscriber.tenant_id == scope.tenant_id,
        (Subscriber.profile_id == func.any(ids)) | (Subscriber.throttle_profile_id == func.any(ids)),
    )
