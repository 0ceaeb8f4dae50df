"""What a booking means for sessions that are open: a way out of the expired pool, a new rate (CAP-3, NET-5, PLN-5)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tenants.access.change_rate import change_rate_account
from tenants.access.disconnect import disconnect_begun_since
from tenants.billing.context import Context

# Who had used up his quota runs throttled; with more of it he has another rate.
_QUOTAS = frozenset({"quota_epoch", "quota_octets", "quota_seconds", "pack_octets", "pack_seconds"})


def follow_online(context: Context, changed: Mapping[str, Any]) -> None:
    """Outbox rows for the account's open sessions. Call it after the booking."""
    scope, account = context.scope, context.account
    ended_at = _end(context.before)
    if ended_at is not None and ended_at <= context.now and account.state == "active":
        ends_at = _end({name: getattr(account, name) for name in ("activated_at", "expires_at", "cut_off_at")})
        if ends_at is None or ends_at > context.now:
            # What began after the end was let in as expired: only a new login gives it an address of its own.
            disconnect_begun_since(scope, [account.id], ended_at, "renewed")
    if "plan_id" in changed or (_QUOTAS & changed.keys() and _has_quota(context)):
        change_rate_account(scope, account.id)


def _has_quota(context: Context) -> bool:
    account, before = context.account, context.before
    grants = (before["quota_octets"], before["quota_seconds"], account.quota_octets, account.quota_seconds)
    return any(grant is not None for grant in grants)


def _end(values: Mapping[str, Any]) -> datetime | None:
    """Until when the account might connect; None before the first login."""
    if values["activated_at"] is None:
        return None
    expires_at: datetime = values["expires_at"]
    return expires_at if values["cut_off_at"] is None else min(expires_at, values["cut_off_at"])
