"""Packet counters, live: what came, what was answered, what was dropped and why (RAD-7)."""

from datetime import datetime, timedelta
from typing import Any

from flask import render_template, request

from portals.admin.blueprint import as_number, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.chart_table import chart_table
from portals.shared.fragments import is_fragment
from portals.shared.i18n import _, lazy
from portals.shared.latency import latency_chart, latency_sentences
from portals.shared.words import refusal
from tenants.usage.queries_latency import answer_times
from tenants.usage.queries_refused import CounterRow, count_packets, packets_per_hour
from tenants.usage.queries_routers import live_engines, router_names

SPANS = {1: lazy("this hour"), 24: lazy("24 hours"), 168: lazy("7 days")}


@blueprint.get("/counters/")
@requires("counters.view")
def show_counters() -> str:
    """Totals, by router and by reason; refreshed every few seconds."""
    hours = as_number(request.args.get("hours", "")) or 24
    hours = hours if hours in SPANS else 24
    since = (present() - timedelta(hours=hours - 1)).replace(minute=0, second=0, microsecond=0)
    rows = count_packets(scope(), since)
    latencies = answer_times(scope(), since)
    slow = latency_chart(latencies)
    course = _chart(packets_per_hour(scope(), since), since, hours) if hours > 1 else None
    values: dict[str, Any] = {
        "hours": hours,
        "spans": list(SPANS.items()),
        "totals": _totals(rows),
        "routers": _by_router(rows, router_names(scope())),
        "reasons": _reasons(rows),
        "engines": live_engines(scope(), present()),
        "latency_chart": slow,
        "latency_table": chart_table(slow, _("Time"), unit=" %"),
        "latency_sentences": latency_sentences(latencies),
        "chart": course,
        "chart_table": chart_table(course, _("Hour")),
    }
    return render_template("admin/counters_part.html" if is_fragment() else "admin/counters.html", **values)


def _sum(rows: tuple[CounterRow, ...] | list[CounterRow], kind: str, outcome: str) -> int:
    return sum(row.packets for row in rows if row.kind == kind and row.outcome.startswith(outcome))


def _totals(rows: tuple[CounterRow, ...]) -> dict[str, int]:
    return {
        "accepted": _sum(rows, "auth", "accepted"),
        "rejected": _sum(rows, "auth", "rejected"),
        "stored": _sum(rows, "acct", "stored"),
        "dropped": _sum(rows, "auth", "dropped") + _sum(rows, "acct", "dropped"),
        "duplicates": _sum(rows, "auth", "duplicate") + _sum(rows, "acct", "duplicate"),
        "coa_done": _sum(rows, "coa", "done"),
        "coa_refused": _sum(rows, "coa", "refused"),
        "coa_unanswered": _sum(rows, "coa", "unanswered"),
    }


def _by_router(rows: tuple[CounterRow, ...], names: dict[int, str]) -> list[dict[str, Any]]:
    found = []
    for nas_id in sorted({row.nas_id for row in rows}, key=lambda one: names.get(one, "")):
        mine = [row for row in rows if row.nas_id == nas_id]
        name = names.get(nas_id) or _("no router of yours")
        dropped = _sum(mine, "auth", "dropped") + _sum(mine, "acct", "dropped")
        found.append(
            {
                "id": nas_id if nas_id in names else None,
                "name": name,
                "accepted": _sum(mine, "auth", "accepted"),
                "rejected": _sum(mine, "auth", "rejected"),
                "stored": _sum(mine, "acct", "stored"),
                "dropped": dropped,
                "duplicates": _sum(mine, "auth", "duplicate") + _sum(mine, "acct", "duplicate"),
            }
        )
    return found


def _reasons(rows: tuple[CounterRow, ...]) -> list[tuple[str, int, str]]:
    counts: dict[str, int] = {}
    for row in rows:
        head, _colon, reason = row.outcome.partition(":")
        if head in ("rejected", "dropped") and reason:
            counts[reason] = counts.get(reason, 0) + row.packets
    most = sorted(counts.items(), key=lambda item: -item[1])
    return [(str(refusal(code).word), number, "") for code, number in most]


def _chart(counted: tuple[tuple[datetime, int, int, int], ...], since: datetime, hours: int) -> dict[str, Any] | None:
    """The course of the packets, hours without any included; None when there was none at all."""
    if not counted:
        return None
    zone, found = scope().zone, {row[0]: row for row in counted}
    slots = [since + timedelta(hours=number) for number in range(hours)]
    series = ((_("accepted"), 1), (_("refused"), 2), (_("accounting"), 3))
    return {
        "legend": {},
        "xAxis": {"type": "category", "data": [slot.astimezone(zone).strftime("%m-%d %H:00") for slot in slots]},
        "yAxis": {"type": "value", "splitNumber": 3, "minInterval": 1},
        "series": [
            {
                "name": name,
                "type": "bar",
                "stack": "a",
                "barWidth": "60%",
                "data": [found[slot][column] if slot in found else 0 for slot in slots],
            }
            for name, column in series
        ],
    }
