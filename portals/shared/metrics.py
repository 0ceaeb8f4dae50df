"""``/metrics`` in Prometheus's text form, for a scraper on this machine: what each process says of itself (RAD-7)."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from flask import Response, abort, current_app, request

from infra import clock
from portals.shared.unit_of_work import Installation
from tenants.reports.queries_platform import list_nodes
from tenants.usage.queries_routers import Engine


def show_metrics() -> Response:
    """404 to everybody but this machine: the figures tell how many subscribers the ISPs have."""
    try:
        here = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        here = False
    if not here:
        abort(404)
    installation: Installation = current_app.extensions["broadloom"]
    now = clock.now()
    nodes = list_nodes(installation.database, now)
    lines = "\n".join(render_metrics([(node, node.alive(now)) for node in nodes]))
    return Response(lines + "\n", mimetype="text/plain; version=0.0.4")


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
    bounds = [f"{bound / 1000:g}" for bound in latency.get("bounds_ms", [])] + ["+Inf"]
    for port, counts in sorted(latency.items()):
        if port == "bounds_ms":
            continue
        total = 0
        for bound, count in zip(bounds, counts, strict=False):
            total += count
            yield f'broadloom_radius_answer_seconds_bucket{{{_who(node)},port="{_quoted(port)}",le="{bound}"}} {total}'
        yield f'broadloom_radius_answer_seconds_count{{{_who(node)},port="{_quoted(port)}"}} {total}'


def _who(node: Engine) -> str:
    return f'node="{_quoted(node.node)}",kind="{_quoted(node.kind)}"'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
