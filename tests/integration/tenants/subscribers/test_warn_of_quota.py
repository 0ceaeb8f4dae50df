"""80 and 100 per cent of a quota: an entry for staff, a mail, and the speed back at the reset (PLN-5)."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from infra import clock
from infra.outbox import DueRow, OutboxRow
from infra.tenant_scope import TenantScope
from tenants.audit.models import AuditEntry
from tenants.registry import settings
from tenants.subscribers.models import Account
from tenants.subscribers.warn_of_quota import QUOTA_RESET, warn_of_quota
from tenants.usage.models import QuotaUse
from tests.fixtures.accounts import OWNER, open_one, sell

GB = 2**30
DAILY: dict[str, Any] = {
    "kind": "traffic-per-day",
    "quota_octets": 10 * GB,
    "quota_end": "throttle",
    "throttle_up_bps": 1_000_000,
    "throttle_down_bps": 2_000_000,
}


def use(scope: TenantScope, account_id: int, octets: int, window_on: date) -> None:
    account = scope.session.get_one(Account, account_id)
    scope.session.add(
        QuotaUse(
            tenant_id=scope.tenant_id,
            account_id=account_id,
            epoch=account.quota_epoch,
            window_on=window_on,
            octets=octets,
            seconds=0,
            over_octets=0,
            over_seconds=0,
        )
    )
    scope.session.flush()


def news(scope: TenantScope, account_id: int, percent: int, window_on: date) -> dict[str, Any]:
    epoch = scope.session.get_one(Account, account_id).quota_epoch
    return {"account_id": account_id, "percent": percent, "epoch": epoch, "window_on": window_on.isoformat()}


def mails(scope: TenantScope) -> list[dict[str, Any]]:
    rows = select(OutboxRow.payload).where(OutboxRow.tenant_id == scope.tenant_id, OutboxRow.topic == "mail.send")
    return list(scope.session.scalars(rows))


def entries(scope: TenantScope) -> list[dict[str, Any] | None]:
    return list(scope.session.scalars(select(AuditEntry.after).where(AuditEntry.action == "account.quota_warning")))


def test_staff_and_subscriber_are_told(scope: TenantScope) -> None:
    now = clock.now()
    today = now.astimezone(scope.zone).date()
    account_id = open_one(scope, "u1", sell(scope, **DAILY), email="a@b.example")
    use(scope, account_id, 8 * GB, today)
    assert warn_of_quota(scope, news(scope, account_id, 80, today), now=now)
    [entry] = entries(scope)
    assert entry == {"percent": 80, "octets_left": 2 * GB, "seconds_left": None, "mailed_to": "a@b.example"}
    [mail] = mails(scope)
    assert mail["to"] == "a@b.example"
    assert "80 % of the quota of your account u1 is used; 2.00 GB are left." in mail["text"]
    assert scope.session.scalar(select(DueRow.run_at).where(DueRow.kind == QUOTA_RESET)) is None


def test_used_up_and_slower_until_midnight(scope: TenantScope) -> None:
    now = clock.now()
    today = now.astimezone(scope.zone).date()
    account_id = open_one(scope, "u1", sell(scope, **DAILY))
    use(scope, account_id, 10 * GB, today)
    assert warn_of_quota(scope, news(scope, account_id, 100, today), now=now)
    assert mails(scope) == []  # no address
    run_at = scope.session.scalar(
        select(DueRow.run_at).where(DueRow.kind == QUOTA_RESET, DueRow.subject_id == account_id)
    )
    assert run_at is not None
    local = run_at.astimezone(scope.zone)
    assert (local.hour, local.minute, local.date().toordinal()) == (0, 0, today.toordinal() + 1)


def test_a_tenant_that_sends_no_mail(scope: TenantScope) -> None:
    now = clock.now()
    today = now.astimezone(scope.zone).date()
    settings.write(scope, "quota_mail", "off", actor=OWNER, now=now)
    account_id = open_one(scope, "u1", sell(scope, **DAILY), email="a@b.example")
    assert warn_of_quota(scope, news(scope, account_id, 80, today), now=now)
    assert (mails(scope), len(entries(scope))) == ([], 1)


@pytest.mark.parametrize("change", [{"epoch": -1}, {"window_on": "2026-01-01"}, {"account_id": 0}])
def test_old_news_is_not_told(scope: TenantScope, change: dict[str, Any]) -> None:
    now = clock.now()
    account_id = open_one(scope, "u1", sell(scope, **DAILY), email="a@b.example")
    payload = news(scope, account_id, 80, now.astimezone(scope.zone).date()) | change
    assert not warn_of_quota(scope, payload, now=now)
    assert (mails(scope), entries(scope)) == ([], [])
