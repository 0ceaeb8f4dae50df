"""``/metrics`` in Prometheus's text form, for a scraper on this machine: what each process says of itself (RAD-7)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address

from flask import Response, abort, current_app, request

from infra import clock
from portals.shared.unit_of_work import Installation
from tenants.reports.queries_packets import PacketRow, count_cloud_packets
from tenants.reports.queries_platform import list_nodes
from tenants.usage.queries_latency import SUFFIX, latency_of, seconds_of
from tenants.usage.queries_routers import Engine


def show_metrics() -> Response:
    """Of every process and, since midnight UTC, of every tenant."""
    installation, now = _only_here(), clock.now()
    nodes = list_nodes(installation.database, now)
    rows = count_cloud_packets(installation.database, _midnight(now))
    return _text([*render_metrics([(node, node.alive(now)) for node in nodes]), *render_counts(rows)])


def show_router_metrics() -> Response:
    """Of every router since midnight UTC; apart from the others, because there may be tens of thousands of lines."""
    installation, now = _only_here(), clock.now()
    return _text(render_counts(count_cloud_packets(installation.database, _midnight(now), by_router=True)))


def render_counts(rows: Iterable[PacketRow]) -> Iterator[str]:
    """Counters that begin anew each day, which Prometheus takes for a restart; answer times as histograms."""
    known = list(rows)
    yield "# TYPE broadloom_radius_tenant_packets_total counter"
    for row in known:
        if not row.kind.endswith(SUFFIX):
            outcome, _colon, reason = row.outcome.partition(":")
            yield (
                f"broadloom_radius_tenant_packets_total{{{_whose(row)}"
                f'port="{_quoted(row.kind)}",outcome="{_quoted(outcome)}",reason="{_quoted(reason)}"}} {row.packets}'
            )
    times: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for row in known:
        if row.kind.endswith(SUFFIX):
            times.setdefault((row.tenant, row.kind.removesuffix(SUFFIX)), []).append((row.outcome, row.packets))
    if times:
        yield "# TYPE broadloom_radius_tenant_answer_seconds histogram"
    for (tenant, port), counted in times.items():
        latency = latency_of(counted)
        whose = f'tenant="{_quoted(tenant)}",port="{_quoted(port)}"'
        yield from _histogram(
            "broadloom_radius_tenant_answer_seconds", whose, latency.bounds_ms, latency.counts, seconds_of(counted)
        )


def _whose(row: PacketRow) -> str:
    router = f'router="{_quoted(row.router)}",' if row.router else ""
    return f'tenant="{_quoted(row.tenant)}",{router}'


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _text(lines: Iterable[str]) -> Response:
    return Response("\n".join(lines) + "\n", mimetype="text/plain; version=0.0.4")


def _only_here() -> Installation:
    """404 to everybody but this machine: the figures tell how many subscribers the ISPs have."""
    try:
        here = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        here = False
    if not here:
        abort(404)
    installation: Installation = current_app.extensions["broadloom"]
    return installation


def render_metrics(nodes: Iterable[tuple[Engine, bool]]) -> Iterator[str]:
    """One line a figure; processes are told apart by ``node`` and ``kind``."""
    known = list(nodes)
    yield "# TYPE broadloom_process_up gauge"
    for node, alive in known:
        yield f"broadloom_process_up{{{_who(node)}}} {int(alive)}"
    yield "# TYPE broadloom_process_memory_bytes gauge"
    for node, _ in known:
        if node.memory_octets is not None:
            yield f"broadloom_process_memory_bytes{{{_who(node)}}} {node.memory_octets}"
    yield "# TYPE broadloom_radius_packets_total counter"
    for node, _ in known:
        for name, value in sorted((node.counters or {}).items()):
            if isinstance(value, int):
                port, _dot, outcome = name.partition(".")
                outcome, _colon, reason = outcome.partition(":")
                yield (
                    f'broadloom_radius_packets_total{{{_who(node)},port="{_quoted(port)}",outcome="{_quoted(outcome)}",'
                    f'reason="{_quoted(reason)}"}} {value}'
                )
    yield "# TYPE broadloom_radius_answer_seconds histogram"
    for node, _ in known:
        yield from _histograms(node)


def _histograms(node: Engine) -> Iterator[str]:
    latency = (node.counters or {}).get("latency")
    if not isinstance(latency, dict):
        return
    bounds, seconds = latency.get("bounds_ms", []), (node.counters or {}).get("answer_seconds") or {}
    for port, counts in sorted(latency.items()):
        if port != "bounds_ms":
            whose = f'{_who(node)},port="{_quoted(port)}"'
            yield from _histogram("broadloom_radius_answer_seconds", whose, bounds, counts, seconds.get(port, 0))


def _histogram(
    name: str, labels: str, bounds_ms: Sequence[int], counts: Sequence[int], seconds: float
) -> Iterator[str]:
    """As Prometheus wants it: counts up to each bound, all of them, and the sum of what was measured."""
    total = 0
    for bound, count in zip([*(f"{bound / 1000:g}" for bound in bounds_ms), "+Inf"], counts, strict=False):
        total += count
        yield f'{name}_bucket{{{labels},le="{bound}"}} {total}'
    yield f"{name}_sum{{{labels}}} {seconds:.6f}"
    yield f"{name}_count{{{labels}}} {total}"


def _who(node: Engine) -> str:
    return f'node="{_quoted(node.node)}",kind="{_quoted(node.kind)}"'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
