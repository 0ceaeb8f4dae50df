"""Answer times as a chart and in words; the same on the provider's and on the platform's page."""

from collections.abc import Mapping
from typing import Any

from portals.shared.i18n import _
from tenants.usage.queries_latency import Latency


def latency_chart(latencies: Mapping[str, Latency]) -> dict[str, Any] | None:
    """Share of the answers by how long they took, logins beside accounting; None without any."""
    known = {kind: one for kind, one in latencies.items() if one.answers}
    if not known:
        return None
    bounds = next(iter(known.values())).bounds_ms
    names = {"auth": _("logins"), "acct": _("accounting")}
    return {
        "legend": {},
        "xAxis": {"type": "category", "data": [*(f"≤ {_span(bound)}" for bound in bounds), f"> {_span(bounds[-1])}"]},
        "yAxis": {"type": "value", "interval": 25, "max": 100, "axisLabel": {"formatter": "{value} %"}},
        "series": [
            {
                "name": names[kind],
                "type": "bar",
                "data": [round(100 * count / one.answers, 2) for count in one.counts],
            }
            for kind, one in known.items()
        ],
    }


def latency_sentences(latencies: Mapping[str, Latency]) -> list[str]:
    """Within what time half of them and 99 of 100 were answered."""
    found = []
    for kind, one in latencies.items():
        if not one.answers:
            continue
        half, most = one.within_ms(0.5), one.within_ms(0.99)
        values = {
            "half": _span(half) if half else f"> {_span(one.bounds_ms[-1])}",
            "most": _span(most) if most else f"> {_span(one.bounds_ms[-1])}",
        }
        if kind == "auth":
            found.append(_("Logins: half within %(half)s, 99 of 100 within %(most)s.", **values))
        else:
            found.append(_("Accounting: half within %(half)s, 99 of 100 within %(most)s.", **values))
    return found


def _span(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds // 1000} s"
