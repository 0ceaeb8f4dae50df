"""Tell that 80 or 100 per cent of a quota are used: staff in log and timeline, the subscriber by mail (PLN-5).

The cluster's accounting writes one outbox row per threshold and period; this is what the worker does with it. Self-
service shows the same from the counters, without a row.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from infra.outbox import emit, set_due
from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.models import Plan
from tenants.catalog.rules import KINDS
from tenants.kernel.actor import SYSTEM
from tenants.registry.settings import read
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.quota_mail import QuotaNews, quota_mail
from tenants.usage.quota_left import QuotaGrant, QuotaLeft, quota_left
from tenants.usage.rules_quota import window_ends, window_of

QUOTA_RESET = "account.quota_reset"


def warn_of_quota(scope: TenantScope, payload: dict[str, Any], *, now: datetime) -> bool:
    """Write the entry, the mail, and for a throttled account when its rate comes back; False when it is old news.

    Old news: the account is gone, or has bought a new period since. The caller closes the row in the same transaction.
    """
    account_id, percent = int(payload["account_id"]), int(payload["percent"])
    row = scope.session.execute(
        select(Account, Plan, Customer.email)
        .join(Plan, Plan.id == Account.plan_id)
        .join(Customer, Customer.id == Account.customer_id)
        .where(Account.id == account_id, Account.deleted_at.is_(None), Account.state != "closed")
    ).one_or_none()
    if row is None or row.Account.quota_epoch != int(payload["epoch"]):
        return False
    account, plan, kind = row.Account, row.Plan, KINDS[row.Plan.kind].quota_scope
    window_on = date.fromisoformat(str(payload["window_on"]))
    ends_at = window_ends(kind, now, scope.zone)
    throttles = plan.quota_end == "throttle"
    if window_of(kind, now, scope.zone) != window_on:
        return False  # it has begun anew since
    if percent >= 100 and throttles and ends_at is not None:
        set_due(scope.session, scope.tenant_id, QUOTA_RESET, account_id, ends_at)
    left = _left(scope, account, kind, now)
    record(
        scope,
        actor=SYSTEM,
        action="account.quota_warning",
        object_kind="account",
        object_id=account_id,
        object_label=account.username,
        after={"percent": percent, "octets_left": left.octets, "seconds_left": left.seconds, "mailed_to": row.email},
        now=now,
    )
    settings = read(scope)
    if row.email and settings.quota_mail:
        subject, text = quota_mail(
            locale=settings.locale,
            system_name=settings.system_name or scope.tenant.name,
            username=account.username,
            news=QuotaNews(
                percent,
                left.octets,
                left.seconds,
                throttles,
                None if ends_at is None else ends_at.astimezone(scope.zone),
            ),
        )
        emit(
            scope.session,
            scope.tenant_id,
            "mail.send",
            {"to": row.email, "subject": subject, "text": text},
            subject=f"account:{account_id}",
        )
    return True


def _left(scope: TenantScope, account: Account, kind: int, now: datetime) -> QuotaLeft:
    return quota_left(
        scope,
        QuotaGrant(
            account.id,
            kind,
            account.quota_epoch,
            account.quota_octets,
            account.quota_seconds,
            account.pack_octets,
            account.pack_seconds,
        ),
        now,
    )
