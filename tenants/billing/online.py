"""What a booking means for sessions that are open: a way out of the expired pool, a new rate (CAP-3, NET-5, PLN-5)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from infra.tenant_scope import TenantScope
from tenants.access.ask_routers import CHANGE, DISCONNECT, SessionRequest, ask_routers
from tenants.access.session_request import RENEWED
from tenants.billing.context import Context

# Who had used up his quota runs throttled; with more of it he has another rate.
_QUOTAS = frozenset({"quota_epoch", "quota_octets", "quota_seconds", "pack_octets", "pack_seconds"})


def follow_online(scope: TenantScope, booked: Sequence[tuple[Context, Mapping[str, Any]]]) -> None:
    """Outbox rows for the open sessions of accounts, each with its changed fields; sent after the commit."""
    requests: list[SessionRequest] = []
    for context, changed in booked:
        account_id = context.account.id
        if context.disconnect:
            requests.append(SessionRequest(account_id, DISCONNECT, context.disconnect))
        elif (since := _let_in_since(context)) is not None:
            requests.append(SessionRequest(account_id, DISCONNECT, RENEWED, since))
        if context.change_rate or "plan_id" in changed or (_QUOTAS & changed.keys() and _has_quota(context)):
            requests.append(SessionRequest(account_id, CHANGE, "plan_changed"))
    ask_routers(scope, requests)


def _let_in_since(context: Context) -> datetime | None:
    """Since when he was let in as expired, if he has time again: only a new login gives him an address of his own."""
    account, ended_at = context.account, _end(context.before)
    if ended_at is None or ended_at > context.now or account.state != "active":
        return None
    ends_at = _end({name: getattr(account, name) for name in ("activated_at", "expires_at", "cut_off_at")})
    return ended_at if ends_at is None or ends_at > context.now else None


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
