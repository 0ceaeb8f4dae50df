"""Add a rate profile (NET-5)."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.errors import PlanFieldNeeded
from tenants.catalog.find import store_named
from tenants.catalog.models import RateProfile
from tenants.catalog.rules import check_name, check_number
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError, InvalidInputs
from tenants.kernel.units import show_rate

BURST_FIELDS = ("burst_up_bps", "burst_down_bps", "threshold_up_bps", "threshold_down_bps", "burst_seconds")
RATE_FIELDS = ("up_bps", "down_bps", *BURST_FIELDS, "priority")


@dataclass(frozen=True, slots=True)
class AddRateProfile:
    """Rates in bit/s; the five burst values are given together or not at all; priority 1 is the highest."""

    name: str
    up_bps: int
    down_bps: int
    burst_up_bps: int | None = None
    burst_down_bps: int | None = None
    threshold_up_bps: int | None = None
    threshold_down_bps: int | None = None
    burst_seconds: int | None = None
    priority: int = 8


def check_rates(command: AddRateProfile) -> None:
    """Raises InvalidInputs with everything that is wrong about the numbers."""
    errors: list[BusinessError] = []
    burst = [getattr(command, name) for name in BURST_FIELDS]
    if any(value is not None for value in burst) and any(value is None for value in burst):
        missing = BURST_FIELDS[burst.index(None)]
        errors.append(PlanFieldNeeded(field=missing, kind="burst", what="all five burst values"))
    for name in ("up_bps", "down_bps", *BURST_FIELDS):
        value = getattr(command, name)
        highest = 3600 if name == "burst_seconds" else 1_000_000_000_000
        if value is not None:
            try:
                check_number(value, 1, highest, what=name, field=name)
            except BusinessError as error:
                errors.append(error)
    try:
        check_number(command.priority, 1, 8, what="The priority", field="priority")
    except BusinessError as error:
        errors.append(error)
    if errors:
        raise InvalidInputs(errors)


def add_rate_profile(scope: TenantScope, command: AddRateProfile, *, actor: Actor, now: datetime) -> RateProfile:
    """Store the profile. Raises InvalidInputs, NameTaken."""
    actor.require("plans.add")
    check_rates(command)
    profile = RateProfile(name=check_name(command.name), updated_at=now)
    for name in RATE_FIELDS:
        setattr(profile, name, getattr(command, name))
    store_named(scope, profile, profile.name)
    record(
        scope,
        actor=actor,
        action="rate_profile.add",
        object_kind="rate_profile",
        object_id=profile.id,
        object_label=profile.name,
        after=rates_of(profile),
        now=now,
    )
    return profile


def rates_of(profile: RateProfile) -> dict[str, int | str | None]:
    """The profile as the operation log shows it."""
    return {name: getattr(profile, name) for name in ("name", *RATE_FIELDS)}


def ensure_rate_profile(scope: TenantScope, wanted: AddRateProfile, *, actor: Actor, now: datetime) -> RateProfile:
    """A profile with exactly these values, whatever its name: the oldest there is, else a new one.

    A new one is named ``wanted.name``, without a name after its rates. Raises InvalidInputs, NameTaken.
    """
    same = [getattr(RateProfile, name).is_not_distinct_from(getattr(wanted, name)) for name in RATE_FIELDS]
    found = scope.session.scalar(
        select(RateProfile).where(RateProfile.deleted_at.is_(None), *same).order_by(RateProfile.id).limit(1)
    )
    if found is not None:
        return found
    named = wanted if wanted.name else replace(wanted, name=_free_name(scope, wanted))
    return add_rate_profile(scope, named, actor=actor, now=now)


def _free_name(scope: TenantScope, rates: AddRateProfile) -> str:
    burst = " +" if rates.burst_seconds else ""
    name = base = f"{show_rate(rates.up_bps)}/{show_rate(rates.down_bps)}{burst}"
    alike = select(RateProfile.name).where(RateProfile.name.startswith(base), RateProfile.deleted_at.is_(None))
    taken = set(scope.session.scalars(alike))
    count = 2
    while name in taken:
        name, count = f"{base} ({count})", count + 1
    return name
