"""Quotas through the cluster: cut or slower within 5 s of the report that crosses the line (PLN-5, RAD-3, RAD-6)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from infra import clock
from infra.outbox import DueRow
from infra.tenant_scope import TenantScope
from radius_cluster.wire import codes
from tenants.audit.models import AuditEntry
from tenants.billing.add_pack import AddPack, add_pack
from tenants.billing.reverse import Reverse, reverse
from tenants.subscribers.warn_of_quota import QUOTA_RESET
from tenants.usage.models import QuotaUse
from tests.fixtures.accounts import OWNER, open_one, sell
from tests.fixtures.busy_machine import limit
from tests.fixtures.radius import World, wait_for
from tests.fixtures.whole_way import WholeWay

GB = 2**30
TOTAL_LIMIT, TOTAL_LIMIT_GIGAWORDS, RATE_LIMIT = 17, 18, 8  # Mikrotik-…
SECONDS = limit(5)


def octet_limit(answer: Any) -> int:
    low, high = (
        int.from_bytes(answer.vendor(codes.VENDOR_MIKROTIK, number) or b"", "big")
        for number in (TOTAL_LIMIT, TOTAL_LIMIT_GIGAWORDS)
    )
    return high * 2**32 + low


def sell_three(scope: TenantScope) -> dict[str, int]:
    """One account of each kind of quota; gives their ids."""
    ten = sell(scope, "10 GB", kind="traffic", quota_octets=10 * GB, validity_days=30)
    hours = sell(scope, "2 hours", kind="hours", quota_seconds=7200, validity_days=30)
    daily = sell(
        scope,
        "1 GB a day",
        kind="traffic-per-day",
        quota_octets=GB,
        quota_end="throttle",
        throttle_up_bps=1_000_000,
        throttle_down_bps=2_000_000,
    )
    return {name: open_one(scope, name, plan) for name, plan in (("ten", ten), ("hours", hours), ("daily", daily))}


@pytest.mark.slow
def test_quotas_end_to_the_second_and_the_octet(whole_way: WholeWay, world: World) -> None:
    router, coa_port = whole_way.router, whole_way.coa_port

    def in_scope(deed: Callable[[TenantScope], Any]) -> Any:
        with whole_way.scope() as scope:
            return deed(scope)

    ids = in_scope(sell_three)

    # 10 GB, cut: the router is told how much is left; the report that crosses the line ends the session.
    assert octet_limit(router.log_in("ten", "pass-0001")) == 10 * GB
    assert router.account(codes.ACCT_START, "s1", "ten")
    # Where the router is comes with its first packets, written down every two seconds.
    wait_for(lambda: world.query("SELECT last_source FROM registry.nas WHERE id = %s", whole_way.nas_id) != [("",)])
    assert router.account(codes.ACCT_INTERIM, "s1", "ten", seconds=60, octets_in=GB, octets_out=8 * GB)
    assert coa_port.cut == []
    crossed_at = clock.now()
    assert router.account(codes.ACCT_INTERIM, "s1", "ten", seconds=120, octets_in=GB, octets_out=9 * GB)
    wait_for(lambda: coa_port.cut)
    cut_at, packet = coa_port.cut[0]
    assert packet.text(codes.USER_NAME) == "ten"
    assert cut_at - crossed_at < timedelta(seconds=SECONDS)
    assert router.account(codes.ACCT_STOP, "s1", "ten", seconds=121, octets_in=GB, octets_out=9 * GB)
    refused = router.log_in("ten", "pass-0001")
    assert (refused.code, refused.text(codes.REPLY_MESSAGE)) == (codes.ACCESS_REJECT, "Quota used up")
    # A pack lets him in again, with what it holds.
    in_scope(lambda scope: add_pack(scope, AddPack(ids["ten"], octets=GB), actor=OWNER, now=clock.now()))
    assert octet_limit(router.log_in("ten", "pass-0001")) == GB
    # Taken back while he is online it leaves nothing: the session ends, though no report crosses the line.
    assert router.account(codes.ACCT_START, "s1b", "ten")
    assert len(coa_port.cut) == 1
    in_scope(lambda scope: reverse(scope, Reverse(ids["ten"]), actor=OWNER, now=clock.now()))
    wait_for(lambda: len(coa_port.cut) == 2)
    assert coa_port.changed == []
    assert coa_port.cut[1][1].text(codes.ACCT_SESSION_ID) == "s1b"
    assert router.account(codes.ACCT_STOP, "s1b", "ten", seconds=1)

    # Two hours: the session ends to the second even if the router never reports.
    assert router.log_in("hours", "pass-0001").number(codes.SESSION_TIMEOUT) == 7200
    assert router.account(codes.ACCT_START, "s2", "hours")
    assert router.account(codes.ACCT_STOP, "s2", "hours", seconds=7190)
    assert router.log_in("hours", "pass-0001").number(codes.SESSION_TIMEOUT) == 10

    # 1 GB a day, then slower: no limit at the router, another rate within 5 s, an entry for staff, the rate back later.
    accept = router.log_in("daily", "pass-0001")
    assert octet_limit(accept) == 0
    assert accept.vendor(codes.VENDOR_MIKROTIK, RATE_LIMIT) == b"20M/100M"
    assert router.account(codes.ACCT_START, "s3", "daily")
    crossed_at = clock.now()
    assert router.account(codes.ACCT_INTERIM, "s3", "daily", seconds=60, octets_in=GB // 2, octets_out=GB // 2)
    wait_for(lambda: coa_port.changed)
    changed_at, packet = coa_port.changed[0]
    assert changed_at - crossed_at < timedelta(seconds=SECONDS)
    assert packet.vendor(codes.VENDOR_MIKROTIK, RATE_LIMIT) == b"1M/2M"

    def due(scope: TenantScope) -> datetime | None:
        return scope.session.scalar(
            select(DueRow.run_at).where(DueRow.kind == QUOTA_RESET, DueRow.subject_id == ids["daily"])
        )

    wait_for(lambda: in_scope(due) is not None)
    midnight = in_scope(due).astimezone(in_scope(lambda scope: scope.zone))
    assert (midnight.hour, midnight.minute, midnight.second) == (0, 0, 0)
    entries = select(AuditEntry.object_label).where(AuditEntry.action == "account.quota_warning")
    assert in_scope(lambda scope: set(scope.session.scalars(entries))) >= {"ten", "daily"}

    # Midnight, as it would be: the counter is of another day, which is all that the reset is; and the row falls due.
    def pass_midnight(scope: TenantScope) -> None:
        use = update(QuotaUse).where(QuotaUse.tenant_id == scope.tenant_id, QuotaUse.account_id == ids["daily"])
        scope.session.execute(use.values(window_on=clock.now().astimezone(scope.zone).date() - timedelta(days=1)))
        scope.session.execute(update(DueRow).where(DueRow.kind == QUOTA_RESET).values(run_at=clock.now()))

    in_scope(pass_midnight)
    wait_for(lambda: len(coa_port.changed) > 1)
    assert [packet.vendor(codes.VENDOR_MIKROTIK, RATE_LIMIT) for _, packet in coa_port.changed] == [
        b"1M/2M",
        b"20M/100M",
    ]
