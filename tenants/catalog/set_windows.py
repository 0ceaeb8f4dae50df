"""Set the weekly windows of a plan group (PLN-7): when it may connect, and when it runs at another rate."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.errors import PlanFieldNeeded
from tenants.catalog.find import find_group, find_rate_profile
from tenants.catalog.models import PlanWindow
from tenants.catalog.rules import Window, check_choice, check_number
from tenants.kernel.actor import Actor

MOST_WINDOWS = 50


def windows_of(scope: TenantScope, group_id: int) -> list[Window]:
    """The group's windows, in the order in which they were given."""
    rows = scope.session.scalars(select(PlanWindow).where(PlanWindow.group_id == group_id).order_by(PlanWindow.id))
    return [Window(row.days, row.starts, row.ends, row.action, row.rate_profile_id) for row in rows]


def set_windows(
    scope: TenantScope, group_id: int, windows: Sequence[Window], *, actor: Actor, now: datetime
) -> list[Window]:
    """Replace all windows of the group. None with action *allow* means: may connect at any time.

    Raises PlanGroupNotFound, OutOfRange, BadChoice, PlanFieldNeeded, RateProfileNotFound.
    """
    actor.require("plans.edit")
    group = find_group(scope, group_id, lock=True)
    check_number(len(windows), 0, MOST_WINDOWS, what="The number of windows", field="windows")
    for window in windows:
        check_number(window.days, 1, 127, what="The days of the week", field="days")
        check_choice(window.action, ("allow", "rate"), what="The action", field="action")
        if window.action == "rate":
            if window.rate_profile_id is None:
                raise PlanFieldNeeded(field="rate_profile_id", kind="rate window", what="a rate profile")
            find_rate_profile(scope, window.rate_profile_id)
    before = windows_of(scope, group.id)
    scope.session.execute(delete(PlanWindow).where(PlanWindow.group_id == group.id))
    for window in windows:
        scope.session.add(
            PlanWindow(
                group_id=group.id,
                days=window.days,
                starts=window.starts,
                ends=window.ends,
                action=window.action,
                rate_profile_id=window.rate_profile_id if window.action == "rate" else None,
            )
        )
    scope.session.flush()  # read back below, in the order of their ids
    after = windows_of(scope, group.id)
    record(
        scope,
        actor=actor,
        action="plan_group.windows",
        object_kind="plan_group",
        object_id=group.id,
        object_label=group.name,
        before=[_facts(window) for window in before],
        after=[_facts(window) for window in after],
        now=now,
    )
    return after


def _facts(window: Window) -> dict[str, int | str | None]:
    return {
        "days": window.days,
        "starts": window.starts.isoformat("minutes"),
        "ends": window.ends.isoformat("minutes"),
        "action": window.action,
        "rate_profile_id": window.rate_profile_id,
    }
