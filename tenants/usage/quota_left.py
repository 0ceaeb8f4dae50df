"""What is left of an account's quota now (RAD-3, SLF-2)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.usage.models import QuotaUse
from tenants.usage.rules_quota import Counter, left, window_of


@dataclass(frozen=True, slots=True)
class QuotaGrant:
    """What was sold: copied from the account (``kind`` as in rules_quota)."""

    account_id: int
    kind: int
    epoch: int
    octets: int | None
    seconds: int | None
    pack_octets: int = 0
    pack_seconds: int = 0


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """What is left; None = there is no such quota."""

    octets: int | None
    seconds: int | None


def quota_left(scope: TenantScope, grant: QuotaGrant, now: datetime) -> QuotaLeft:
    """Quota and packs less what accounting reported in the present window."""
    if grant.octets is None and grant.seconds is None:
        return QuotaLeft(None, None)
    row = scope.session.execute(
        select(
            QuotaUse.epoch,
            QuotaUse.window_on,
            QuotaUse.octets,
            QuotaUse.seconds,
            QuotaUse.over_octets,
            QuotaUse.over_seconds,
        ).where(QuotaUse.tenant_id == scope.tenant_id, QuotaUse.account_id == grant.account_id)
    ).one_or_none()
    octets = seconds = None
    if row is not None:
        octets = Counter(row.epoch, row.window_on, row.octets, row.over_octets)
        seconds = Counter(row.epoch, row.window_on, row.seconds, row.over_seconds)
    window = window_of(grant.kind, now, scope.zone)
    return QuotaLeft(
        None if grant.octets is None else left(octets, grant.epoch, window, grant.octets, grant.pack_octets),
        None if grant.seconds is None else left(seconds, grant.epoch, window, grant.seconds, grant.pack_seconds),
    )
