"""The text of /metrics."""

from types import SimpleNamespace

from portals.shared.metrics import render_metrics


def test_counters_and_histograms() -> None:
    node = SimpleNamespace(
        node='h"1:7',
        kind="radius",
        memory_octets=1000,
        counters={
            "auth.accepted": 5,
            "auth.rejected:expired": 2,
            "latency": {"bounds_ms": [1, 20], "auth": [3, 2, 1]},
        },
    )
    lines = list(render_metrics([(node, True)]))
    who = 'node="h\\"1:7",kind="radius"'
    assert f"broadloom_process_up{{{who}}} 1" in lines
    assert f'broadloom_radius_packets_total{{{who},port="auth",outcome="rejected",reason="expired"}} 2' in lines
    assert f'broadloom_radius_answer_seconds_bucket{{{who},port="auth",le="0.02"}} 5' in lines
    assert f'broadloom_radius_answer_seconds_bucket{{{who},port="auth",le="+Inf"}} 6' in lines
