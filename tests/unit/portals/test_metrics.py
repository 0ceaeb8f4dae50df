"""The text of /metrics."""

from types import SimpleNamespace

import pytest

from portals.shared.metrics import render_counts, render_metrics
from radius_cluster.counters import (
    LATENCY_BOUNDS_MS,
    LATENCY_OUTCOMES,
    LATENCY_SUM,
    Counters,
    answers_of,
    microseconds_of,
)
from radius_cluster.routing.directory import LATENCY_SLOTS
from tenants.reports.queries_packets import PacketRow
from tenants.usage.queries_latency import BOUNDS_MS, SUM_MICROSECONDS, latency_of


def test_counters_and_histograms() -> None:
    node = SimpleNamespace(
        node='h"1:7',
        kind="radius",
        memory_octets=1000,
        counters={
            "auth.accepted": 5,
            "auth.rejected:expired": 2,
            "latency": {"bounds_ms": [1, 20], "auth": [3, 2, 1]},
            "answer_seconds": {"auth": 0.06},
        },
    )
    lines = list(render_metrics([(node, True)]))
    who = 'node="h\\"1:7",kind="radius"'
    assert f"broadloom_process_up{{{who}}} 1" in lines
    assert f'broadloom_radius_packets_total{{{who},port="auth",outcome="rejected",reason="expired"}} 2' in lines
    assert f'broadloom_radius_answer_seconds_bucket{{{who},port="auth",le="0.02"}} 5' in lines
    assert f'broadloom_radius_answer_seconds_bucket{{{who},port="auth",le="+Inf"}} 6' in lines
    assert f'broadloom_radius_answer_seconds_sum{{{who},port="auth"}} 0.060000' in lines
    assert f'broadloom_radius_answer_seconds_count{{{who},port="auth"}} 6' in lines


def test_counts_by_tenant_reason_and_time() -> None:
    rows = [
        PacketRow("acme", "", "auth", "rejected:expired", 2),
        PacketRow("", "", "auth", "dropped:unknown_nas", 3),
        PacketRow("acme", "", "auth_ms", "5", 90),
        PacketRow("acme", "", "auth_ms", "100", 9),
        PacketRow("acme", "", "auth_ms", "beyond", 1),
        PacketRow("acme", "", "auth_ms", "sum_us", 7_250_000),
    ]
    lines = list(render_counts(rows))
    packets = "broadloom_radius_tenant_packets_total"
    assert f'{packets}{{tenant="acme",port="auth",outcome="rejected",reason="expired"}} 2' in lines
    assert f'{packets}{{tenant="",port="auth",outcome="dropped",reason="unknown_nas"}} 3' in lines
    bucket = 'broadloom_radius_tenant_answer_seconds_bucket{tenant="acme",port="auth",le='
    assert f'{bucket}"0.002"}} 0' in lines
    assert f'{bucket}"0.005"}} 90' in lines
    assert f'{bucket}"5"}} 99' in lines
    assert f'{bucket}"+Inf"}} 100' in lines
    labels = '{tenant="acme",port="auth"}'
    assert f"broadloom_radius_tenant_answer_seconds_sum{labels} 7.250000" in lines
    assert f"broadloom_radius_tenant_answer_seconds_count{labels} 100" in lines
    routers = list(render_counts([PacketRow("acme", "acme-nas1", "acct", "stored", 7)]))
    assert f'{packets}{{tenant="acme",router="acme-nas1",port="acct",outcome="stored",reason=""}} 7' in routers


def test_answer_times() -> None:
    times = latency_of([("5", 98), ("100", 1), ("beyond", 1)])
    assert (times.answers, times.within_ms(0.5), times.within_ms(0.99), times.within_ms(1.0)) == (100, 5, 100, None)
    assert latency_of([]).within_ms(0.5) is None
    assert times.plus(times).answers == 200
    assert (BOUNDS_MS, SUM_MICROSECONDS) == (LATENCY_BOUNDS_MS, LATENCY_SUM)
    assert {kind for kind, _ in LATENCY_OUTCOMES} == {"auth_ms", "acct_ms"}
    assert len(LATENCY_OUTCOMES) == LATENCY_SLOTS


def test_each_answer_is_counted_by_its_own_time() -> None:
    tenant = SimpleNamespace(latency=[0] * LATENCY_SLOTS)
    nas = SimpleNamespace(tenant=tenant)
    counters = Counters()
    waits = (0.0005, 0.0005, 0.004, 0.9, 60.0)
    counters.took("acct", 100.0, [SimpleNamespace(arrived=100.0 - wait, nas=nas) for wait in waits])
    counters.took("acct", 90.0, [SimpleNamespace(arrived=100.0, nas=nas)])  # the clock was set back
    assert [answers_of(slot) for slot in counters.latency["acct"]] == [3, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1]
    seconds = sum(map(microseconds_of, counters.latency["acct"])) / 1e6
    assert seconds == pytest.approx(sum(waits), abs=len(waits) * 1e-6)
    assert tenant.latency[13:] == counters.latency["acct"]
    assert sum(tenant.latency[:13]) == 0
