"""Change a rate profile. Its subscribers and those online follow through ``access.apply_rate`` (NET-5)."""

from dataclasses import dataclass
from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.add_rate_profile import RATE_FIELDS, AddRateProfile, check_rates, rates_of
from tenants.catalog.find import find_rate_profile, store_named
from tenants.catalog.models import RateProfile
from tenants.catalog.rules import check_name
from tenants.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class EditRateProfile:
    """All values of the profile as they shall be."""

    rate_profile_id: int
    rates: AddRateProfile


def edit_rate_profile(scope: TenantScope, command: EditRateProfile, *, actor: Actor, now: datetime) -> RateProfile:
    """Store the new values and count the version up. Raises InvalidInputs, NameTaken, RateProfileNotFound."""
    actor.require("plans.edit")
    check_rates(command.rates)
    profile = find_rate_profile(scope, command.rate_profile_id, lock=True)
    before = rates_of(profile)
    profile.name = check_name(command.rates.name)
    for name in RATE_FIELDS:
        setattr(profile, name, getattr(command.rates, name))
    after = rates_of(profile)
    if after == before:
        return profile
    profile.version += 1
    profile.updated_at = now
    store_named(scope, profile, profile.name)
    record(
        scope,
        actor=actor,
        action="rate_profile.edit",
        object_kind="rate_profile",
        object_id=profile.id,
        object_label=profile.name,
        before=before,
        after=after,
        now=now,
    )
    return profile
