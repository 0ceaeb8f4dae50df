"""Can this account connect, and if not, why? The same decision as the packet path's, in plain words (SUB-10, RAD-3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.access.models import Profile, Subscriber
from tenants.access.reasons import CODES, REASONS, Reason
from tenants.access.rules import OK, TOO_MANY_SESSIONS, UNKNOWN_USER, decide, in_windows, may_connect_until
from tenants.registry.settings import read
from tenants.usage.models import Session as OnlineSession
from tenants.usage.queries_refused import latest_refusals
from tenants.usage.queries_routers import stale_times
from tenants.usage.quota_left import QuotaGrant, quota_left

LOOK_BACK_DAYS = 7


@dataclass(frozen=True, slots=True)
class LastRefusal:
    """The newest refused login of the account in the last days, counted with its repeats."""

    at: datetime
    code: str
    reason: Reason | None
    repeats: int
    nas_id: int | None
    mac: str
    ended: bool  # the account has been online since


@dataclass(frozen=True, slots=True)
class Explanation:
    """``reason`` is None when a login with the right password from the right place would be accepted now."""

    may_connect: bool
    reason: Reason | None
    params: dict[str, Any]
    online_sessions: int
    last_refusal: LastRefusal | None


def explain(scope: TenantScope, account_id: int, now: datetime) -> Explanation:
    """What the cluster would decide for this account now, leaving out what only the packet knows (place, device)."""
    subscriber = scope.session.execute(
        select(Subscriber).where(Subscriber.tenant_id == scope.tenant_id, Subscriber.account_id == account_id)
    ).scalar_one_or_none()
    devices = _devices_online(scope, account_id, now)
    online = len(devices)
    refusal = _last_refusal(scope, account_id, now)
    if subscriber is None:
        return Explanation(False, REASONS[CODES[UNKNOWN_USER]], {}, online, refusal)
    number = _decision(scope, subscriber, online, now)
    if number == TOO_MANY_SESSIONS:
        if refusal is None or refusal.code != CODES[number] or refusal.ended:
            number = OK  # he is online himself, and nothing says that another device was refused for it since
        elif refusal.mac and online - devices.count(refusal.mac) < subscriber.max_sessions:
            number = OK  # who dials is not online with that device
    reason = REASONS[CODES[number]] if number else None
    params = {
        "valid_until": subscriber.valid_until,
        "max_sessions": subscriber.max_sessions,
        "bind_mac": subscriber.bind_mac,
    }
    return Explanation(reason is None, reason, params, online, refusal)


def _devices_online(scope: TenantScope, account_id: int, now: datetime) -> list[str | None]:
    """The MAC of each session that counts: those that were silent for too long do not (process/login_sql.py)."""
    settings, own = read(scope), stale_times(scope)
    usual = settings.stale_intervals * settings.interim_seconds
    rows = scope.session.execute(
        select(OnlineSession.mac, OnlineSession.nas_id, OnlineSession.updated_at).where(
            OnlineSession.tenant_id == scope.tenant_id, OnlineSession.account_id == account_id
        )
    )
    return [mac for mac, nas_id, at in rows if at > now - timedelta(seconds=own.get(nas_id, usual))]


def _decision(scope: TenantScope, subscriber: Subscriber, online: int, now: datetime) -> int:
    local = now.astimezone(scope.zone)
    profile = scope.session.get(Profile, (scope.tenant_id, subscriber.profile_id))
    windows = list(profile.windows or []) if profile is not None else []
    left = quota_left(
        scope,
        QuotaGrant(
            subscriber.account_id,
            subscriber.quota_kind,
            subscriber.quota_epoch,
            subscriber.quota_octets,
            subscriber.quota_seconds,
            subscriber.pack_octets,
            subscriber.pack_seconds,
        ),
        now,
    )
    used_up = subscriber.quota_cut and any(part is not None and part <= 0 for part in (left.octets, left.seconds))
    return decide(
        subscriber.state,
        subscriber.activated,
        may_connect_until(subscriber.valid_until.timestamp(), subscriber.renews),
        subscriber.in_arrears,
        now.timestamp(),
        True,
        "",
        "",
        "",
        "",
        used_up,
        in_windows(windows, local.weekday(), local.hour * 60 + local.minute),
        online,
        subscriber.max_sessions,
        subscriber.drop_oldest,
    )


def _last_refusal(scope: TenantScope, account_id: int, now: datetime) -> LastRefusal | None:
    username = scope.session.scalar(
        select(Subscriber.username).where(Subscriber.tenant_id == scope.tenant_id, Subscriber.account_id == account_id)
    )
    if username is None:
        return None
    rows = latest_refusals(scope, account_id, username, since=now - timedelta(days=LOOK_BACK_DAYS), limit=1)
    if not rows:
        return None
    [row] = rows
    newest = scope.session.scalar(
        select(func.max(OnlineSession.started_at)).where(
            OnlineSession.tenant_id == scope.tenant_id, OnlineSession.account_id == account_id
        )
    )
    return LastRefusal(
        row.at,
        row.reason,
        REASONS.get(row.reason),
        row.repeats,
        row.nas_id,
        row.mac,
        newest is not None and newest > row.at,
    )
