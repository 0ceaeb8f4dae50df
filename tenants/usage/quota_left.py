"""What is left of an account's quota now (RAD-3, SLF-2)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.usage.models import QuotaUse
from tenants.usage.rules_quota import Counter, left, packs_left, window_of


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
    pack_octets: int = 0  # of these: what is left of supplementary packs
    pack_seconds: int = 0


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
    epoch, (o, po), (s, ps) = (
        grant.epoch,
        (grant.octets, grant.pack_octets),
        (grant.seconds, grant.pack_seconds),
    )
    return QuotaLeft(
        None if o is None else left(octets, epoch, window, o, po),
        None if s is None else left(seconds, epoch, window, s, ps),
        0 if o is None else packs_left(octets, epoch, window, o, po),
        0 if s is None else packs_left(seconds, epoch, window, s, ps),
    )
