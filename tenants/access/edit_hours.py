"""Add, change and drop one weekly window of a plan group; everybody online follows (PLN-7)."""

from dataclasses import dataclass
from datetime import datetime, time

from infra.tenant_scope import TenantScope
from tenants.access.apply_catalog import set_windows_and_apply
from tenants.catalog.add_rate_profile import AddRateProfile, ensure_rate_profile
from tenants.catalog.errors import PlanFieldNeeded, WindowNotFound
from tenants.catalog.find import find_group
from tenants.catalog.rules import Window
from tenants.catalog.set_windows import windows_of
from tenants.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class WindowValues:
    """What a window is; rates in bit/s for action *rate*. ``ends`` earlier than ``starts`` goes over midnight."""

    days: int  # bit 0 = Monday
    starts: time
    ends: time
    action: str = "allow"
    up_bps: int | None = None
    down_bps: int | None = None


def add_window(scope: TenantScope, group_id: int, values: WindowValues, *, actor: Actor, now: datetime) -> list[Window]:
    """One more window; gives all. Raises PlanGroupNotFound, PlanFieldNeeded and what ``set_windows`` raises."""
    windows = _locked(scope, group_id, actor)
    return set_windows_and_apply(scope, group_id, [*windows, _window(scope, values, actor, now)], actor=actor, now=now)


def change_window(
    scope: TenantScope, group_id: int, number: int, was: Window, values: WindowValues, *, actor: Actor, now: datetime
) -> list[Window]:
    """Another content for the window of this number (1 …), which must still be as it ``was``. Raises WindowNotFound."""
    windows = _without(_locked(scope, group_id, actor), number, was)
    windows.insert(number - 1, _window(scope, values, actor, now))
    return set_windows_and_apply(scope, group_id, windows, actor=actor, now=now)


def drop_window(
    scope: TenantScope, group_id: int, number: int, was: Window | None, *, actor: Actor, now: datetime
) -> list[Window]:
    """Without the window of this number (1 …); ``was`` None drops it whatever it is. Raises WindowNotFound."""
    return set_windows_and_apply(
        scope, group_id, _without(_locked(scope, group_id, actor), number, was), actor=actor, now=now
    )


def _locked(scope: TenantScope, group_id: int, actor: Actor) -> list[Window]:
    actor.require("plans.edit")
    return windows_of(scope, find_group(scope, group_id, lock=True).id)


def _without(windows: list[Window], number: int, was: Window | None) -> list[Window]:
    if not 1 <= number <= len(windows) or (was is not None and windows[number - 1] != was):
        raise WindowNotFound(what="window", ref=number)
    return [*windows[: number - 1], *windows[number:]]


def _window(scope: TenantScope, values: WindowValues, actor: Actor, now: datetime) -> Window:
    if values.action != "rate":
        return Window(values.days, values.starts, values.ends, values.action)
    if values.up_bps is None or values.down_bps is None:
        field = "up" if values.up_bps is None else "down"
        raise PlanFieldNeeded(field=field, kind="rate window", what="both rates, up and down")
    profile = ensure_rate_profile(scope, AddRateProfile("", values.up_bps, values.down_bps), actor=actor, now=now)
    return Window(values.days, values.starts, values.ends, "rate", profile.id)
