"""What is left of the own quota, as a subscriber's home page shows it (SLF-2)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.catalog.models import Plan
from tenants.catalog.rules import KINDS
from tenants.subscribers.models import Account
from tenants.usage.quota_left import QuotaGrant, quota_left
from tenants.usage.rules_quota import window_ends


@dataclass(frozen=True, slots=True)
class OwnQuota:
    """Granted (with packs) and left, of octets or of seconds; never negative."""

    unit: str  # octets | seconds
    granted: int
    left: int
    throttles: bool = False  # what happens at its end: slower, or cut
    starts_anew_at: datetime | None = None

    @property
    def used_share(self) -> float:
        """0 … 1."""
        return 1 - self.left / self.granted if self.granted else 1.0


def own_quota(scope: TenantScope, account_id: int, now: datetime) -> OwnQuota | None:
    """None for a plan without a quota."""
    row = scope.session.execute(
        select(
            Plan.kind,
            Plan.quota_end,
            Account.quota_epoch,
            Account.quota_octets,
            Account.quota_seconds,
            Account.pack_octets,
            Account.pack_seconds,
        )
        .join(Plan, Plan.id == Account.plan_id)
        .where(Account.id == account_id)
    ).first()
    if row is None or (row.quota_octets is None and row.quota_seconds is None):
        return None
    grant = QuotaGrant(
        account_id,
        KINDS[row.kind].quota_scope,
        row.quota_epoch,
        row.quota_octets,
        row.quota_seconds,
        row.pack_octets,
        row.pack_seconds,
    )
    left = quota_left(scope, grant, now)
    end = row.quota_end == "throttle", window_ends(grant.kind, now, scope.zone)
    if left.octets is not None:
        return OwnQuota("octets", row.quota_octets + row.pack_octets, max(0, left.octets), *end)
    return OwnQuota("seconds", row.quota_seconds + row.pack_seconds, max(0, left.seconds or 0), *end)
