"""What happens when a weekly window of a plan group begins or ends: new rates, and the end of its hours (PLN-7).

One due row per group with windows, at its next edge; whoever is online follows by CoA or Disconnect. Logins need none
of this: they compare with the clock.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from infra.outbox import clear_due, set_due
from infra.tenant_scope import TenantScope
from tenants.access.change_rate import change_rate_profiles
from tenants.access.disconnect import disconnect_profile
from tenants.access.models import Profile
from tenants.access.rules import in_windows
from tenants.access.rules_windows import local_minute, next_edge

HOURS = "group.hours"


def plan_hours(scope: TenantScope, group_id: int, now: datetime) -> datetime | None:
    """Make the group due at its next edge, or not at all when it has no windows (any more); gives the edge."""
    edge = next_edge(_windows(scope, group_id), now, scope.zone)
    if edge is None:
        clear_due(scope.session, scope.tenant_id, HOURS, group_id)
    else:
        set_due(scope.session, scope.tenant_id, HOURS, group_id, edge)
    return edge


def keep_hours(scope: TenantScope, group_id: int, now: datetime) -> int:
    """Bring everybody online to what holds now, and plan the next edge; gives how many routers were asked.

    Safe to repeat, and right however late it runs: it compares with the clock, not with the edge that it was due at.
    """
    windows = _windows(scope, group_id)
    plan_hours(scope, group_id, now)
    if not windows:
        return 0
    if not in_windows(windows, *local_minute(now, scope.zone)):
        return disconnect_profile(scope, group_id, "outside_window")
    if any("profile_id" in window for window in windows):
        return change_rate_profiles(scope, [group_id], reason="window")
    return 0


def keep_all_hours(scope: TenantScope, now: datetime) -> int:
    """The same for all groups with windows: the tenant's wall clock shows another time; gives how many groups."""
    groups = select(Profile.profile_id).where(
        Profile.tenant_id == scope.tenant_id, Profile.windows.is_not(None), Profile.profile_id > 0
    )
    found = scope.session.scalars(groups.order_by(Profile.profile_id)).all()
    for group_id in found:
        keep_hours(scope, group_id, now)
    return len(found)


def _windows(scope: TenantScope, group_id: int) -> list[dict[str, Any]]:
    statement = select(Profile.windows).where(Profile.tenant_id == scope.tenant_id, Profile.profile_id == group_id)
    return list(scope.session.scalar(statement) or [])
