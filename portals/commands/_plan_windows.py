"""How the command line shows the weekly hours of a plan group."""

from collections.abc import Sequence
from typing import Any

from infra.tenant_scope import TenantScope
from tenants.catalog.find import find_rate_profile
from tenants.catalog.rules import Window
from tenants.catalog.weekly import show_days
from tenants.kernel.units import show_rate


def window_documents(scope: TenantScope, windows: Sequence[Window]) -> list[dict[str, Any]]:
    """Each window with its number, in the order in which they hold."""
    documents = []
    for number, window in enumerate(windows, 1):
        rate = None if window.rate_profile_id is None else find_rate_profile(scope, window.rate_profile_id)
        documents.append(
            {
                "number": number,
                "days": show_days(window.days),
                "from": f"{window.starts:%H:%M}",
                "to": f"{window.ends:%H:%M}",
                "action": window.action,
                "up_bps": None if rate is None else rate.up_bps,
                "down_bps": None if rate is None else rate.down_bps,
            }
        )
    return documents


def window_lines(documents: Sequence[dict[str, Any]]) -> str:
    """One line each."""
    return "\n".join(
        f"{d['number']:>3}  {d['days']}  {d['from']}-{d['to']}  "
        + ("may connect" if d["up_bps"] is None else f"{show_rate(d['up_bps'])} up, {show_rate(d['down_bps'])} down")
        for d in documents
    )
