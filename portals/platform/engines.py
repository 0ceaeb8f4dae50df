"""The processes of the installation: RADIUS engines, CoA, workers, scheduler (TEN-5)."""

from collections.abc import Iterable
from typing import Any

from flask import render_template

from portals.platform.blueprint import blueprint, database, present
from portals.platform.words import NODE_KINDS, counts
from portals.shared.access import signed_in
from portals.shared.chart_table import chart_table
from portals.shared.i18n import _
from portals.shared.latency import latency_chart, latency_sentences
from portals.shared.words import refusal, word
from tenants.reports.queries_packets import PacketRow, count_cloud_packets
from tenants.reports.queries_platform import list_nodes
from tenants.usage.queries_latency import KINDS, NONE, SUFFIX, Latency, latency_of
from tenants.usage.queries_routers import Engine

MOST_TENANTS, MOST_REASONS = 20, 12


@blueprint.get("/engines/")
@signed_in
def list_engines() -> str:
    """Who reported within the last ten minutes, and who is silent."""
    return render_template("platform/engines.html", **_facts(), **_figures())


@blueprint.get("/engines/table")
@signed_in
def refresh_engines() -> str:
    """The table alone, as it refreshes itself."""
    return render_template("platform/engines_part.html", **_facts())


@blueprint.get("/engines/figures")
@signed_in
def refresh_engine_figures() -> str:
    """Answer times, reasons and tenants alone; they ask more of the database, so less often."""
    return render_template("platform/engines_figures.html", **_figures())


def _facts() -> dict[str, object]:
    nodes = list_nodes(database(), present())
    return {
        "nodes": nodes,
        "memory": sum(node.memory_octets or 0 for node in nodes),
        "counts": counts,
        "kind": lambda code: word(NODE_KINDS, code),
    }


def _figures() -> dict[str, object]:
    now = present()
    nodes = list_nodes(database(), now)
    rows = count_cloud_packets(database(), now.replace(hour=0, minute=0, second=0, microsecond=0))
    latencies = {kind: _latency_of_nodes(nodes, kind) for kind in KINDS}
    slow = latency_chart(latencies)
    return {
        "latency_chart": slow,
        "latency_table": chart_table(slow, _("Time"), unit=" %"),
        "latency_sentences": latency_sentences(latencies),
        "reasons": _reasons(rows),
        "busiest": _busiest(rows),
    }


def _latency_of_nodes(nodes: Iterable[Engine], kind: str) -> Latency:
    """What the processes counted since they started, together."""
    found = NONE
    for node in nodes:
        measured = (node.counters or {}).get("latency")
        if isinstance(measured, dict) and measured.get(kind):
            found = found.plus(Latency(tuple(measured["bounds_ms"]), tuple(measured[kind])))
    return found


def _reasons(rows: Iterable[PacketRow]) -> list[tuple[str, int, str]]:
    sums: dict[str, int] = {}
    for row in rows:
        head, _colon, reason = row.outcome.partition(":")
        if head in ("rejected", "dropped") and reason:
            sums[reason] = sums.get(reason, 0) + row.packets
    most = sorted(sums.items(), key=lambda item: -item[1])[:MOST_REASONS]
    return [(str(refusal(code).word), number, "") for code, number in most]


def _busiest(rows: Iterable[PacketRow]) -> list[dict[str, Any]]:
    """The tenants with the most packets today; "" is what belonged to nobody."""
    found: dict[str, dict[str, Any]] = {}
    times: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        mine = found.setdefault(
            row.tenant, {"slug": row.tenant, "accepted": 0, "rejected": 0, "stored": 0, "dropped": 0, "duplicate": 0}
        )
        if row.kind == "auth" + SUFFIX:
            times.setdefault(row.tenant, []).append((row.outcome, row.packets))
        head = row.outcome.partition(":")[0]
        if head in mine and row.kind in KINDS:
            mine[head] += row.packets
    for slug, mine in found.items():
        mine["p99_ms"] = latency_of(times.get(slug, [])).within_ms(0.99)
    answered = ("accepted", "rejected", "stored", "dropped")
    return sorted(found.values(), key=lambda mine: -sum(mine[name] for name in answered))[:MOST_TENANTS]
