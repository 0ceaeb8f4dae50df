"""Delete a rate profile that nothing uses; it stays in the database for those on plans that are no longer sold."""

from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.add_rate_profile import rates_of
from tenants.catalog.errors import StillUsed
from tenants.catalog.find import find_rate_profile
from tenants.catalog.rate_uses import rate_uses
from tenants.kernel.actor import Actor


def delete_rate_profile(scope: TenantScope, rate_profile_id: int, *, actor: Actor, now: datetime) -> None:
    """Raises RateProfileNotFound, and StillUsed by a group, by the end of a plan's quota, or at certain hours."""
    actor.require("plans.delete")
    profile = find_rate_profile(scope, rate_profile_id, lock=True)
    uses = rate_uses(scope).get(profile.id)
    if uses is not None:
        raise StillUsed(what=profile.name, users=", ".join(uses.names))
    profile.deleted_at = now
    record(
        scope,
        actor=actor,
        action="rate_profile.delete",
        object_kind="rate_profile",
        object_id=profile.id,
        object_label=profile.name,
        before=rates_of(profile),
        now=now,
    )
