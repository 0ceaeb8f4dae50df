"""One account as the command line and the API print it (architecture.md, ``account show``)."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.catalog.models import Plan
from tenants.catalog.rules import KINDS, QUOTA_NONE
from tenants.kernel.period import local_iso
from tenants.network.models import Region
from tenants.registry.settings import read
from tenants.subscribers.find import find_account
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.rules import shown_state
from tenants.usage.models import Session as OnlineSession
from tenants.usage.models import SessionHistory
from tenants.usage.quota_left import QuotaGrant, quota_left

_PAST_SESSIONS = 20


def show_account(scope: TenantScope, account_id: int, now: datetime) -> dict[str, Any]:
    """Amounts are text with two decimals, instants ISO 8601 with the tenant's offset. Raises AccountNotFound."""
    scope.session.flush()  # a preview's or an operation's changes may still wait in the session
    account = find_account(scope, account_id)
    customer = scope.session.get_one(Customer, account.customer_id)
    region = scope.session.get_one(Region, account.region_id)
    plan = None if account.plan_id is None else scope.session.get_one(Plan, account.plan_id)
    left = quota_left(scope, quota_grant(account, plan), now)
    return {
        "id": account.id,
        "customer_id": account.customer_id,
        "username": account.username,
        "name": customer.name,
        "phone": customer.phone,
        "region": region.name,
        "status": shown_state(account, now, read(scope).expiring_days),
        "state": account.state,
        "plan": None if plan is None else plan.name,
        "plan_id": account.plan_id,
        "opened_at": _instant(scope, account.opened_at),
        "activated_at": _instant(scope, account.activated_at),
        "expires_at": _instant(scope, account.expires_at),
        "never_expires": account.never_expires,
        "cut_off_at": _instant(scope, account.cut_off_at),
        "held_at": _instant(scope, account.held_at),
        "balance": f"{account.balance:.2f}",
        "receivable": f"{account.receivable:.2f}",
        "auto_renew": account.auto_renew,
        "max_sessions": account.max_sessions if account.max_sessions is not None else plan and plan.max_sessions,
        "static_ip": None if account.static_ip is None else str(account.static_ip),
        "bind_mac": account.bind_mac,
        "remark": account.remark,
        "quota_left_octets": left.octets,
        "quota_left_seconds": left.seconds,
        "online": _is_online(scope, account.id),
        "sessions": sessions_of(scope, account),
    }


def quota_grant(account: Account, plan: Plan | None) -> QuotaGrant:
    """What the account was sold of octets and seconds, for ``usage.quota_left``."""
    return QuotaGrant(
        account.id,
        KINDS[plan.kind].quota_scope if plan is not None else QUOTA_NONE,
        account.quota_epoch,
        account.quota_octets,
        account.quota_seconds,
        account.pack_octets,
        account.pack_seconds,
    )


def sessions_of(scope: TenantScope, account: Account) -> list[dict[str, Any]]:
    """The open sessions and the last ended ones, newest first."""
    rows = scope.session.scalars(
        select(OnlineSession)
        .where(OnlineSession.tenant_id == scope.tenant_id, OnlineSession.account_id == account.id)
        .order_by(OnlineSession.started_at.desc())
    ).all()
    ended = scope.session.scalars(
        select(SessionHistory)
        .where(SessionHistory.tenant_id == scope.tenant_id, SessionHistory.account_id == account.id)
        .order_by(SessionHistory.ended_at.desc())
        .limit(_PAST_SESSIONS)
    ).all()
    return [_session(scope, row, None, None) for row in rows] + [
        _session(scope, row, row.ended_at, row.cause) for row in ended
    ]


def _session(
    scope: TenantScope, row: OnlineSession | SessionHistory, ended_at: datetime | None, cause: int | None
) -> dict[str, Any]:
    return {
        "session_id": row.session_id,
        "nas_id": row.nas_id,
        "online": ended_at is None,
        "started_at": _instant(scope, row.started_at),
        "updated_at": _instant(scope, row.updated_at),
        "ended_at": _instant(scope, ended_at),
        "session_seconds": row.seconds,
        "octets_in": row.octets_in,
        "octets_out": row.octets_out,
        "framed_ip": None if row.framed_ip is None else str(row.framed_ip),
        "mac": row.mac,
        "cause": cause,
    }


def _is_online(scope: TenantScope, account_id: int) -> bool:
    statement = select(OnlineSession.nas_id).where(
        OnlineSession.tenant_id == scope.tenant_id, OnlineSession.account_id == account_id
    )
    return scope.session.scalar(statement.limit(1)) is not None


def _instant(scope: TenantScope, at: datetime | None) -> str | None:
    return None if at is None else local_iso(at, scope.zone)
