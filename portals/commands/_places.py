"""Places for expiring and expired accounts as options of commands (NET-4)."""

from typing import Any

from tenants.kernel.units import rate_bps
from tenants.network.errors import BadReplyOption
from tenants.network.rules_replies import PLACE_NAMES, PLACE_RATES


def place_pairs(values: tuple[str, ...]) -> dict[str, Any]:
    """``NAME=VALUE`` texts; rates are numbers. A single "=" takes the place away."""
    pairs = {name: text for name, _, text in (value.partition("=") for value in values)}
    pairs.pop("", None)
    unknown = sorted(set(pairs) - {*PLACE_NAMES, *PLACE_RATES, "redirect_url", "dns1", "dns2"})
    if unknown:
        raise BadReplyOption(field=None, value=unknown[0], hint=", ".join((*PLACE_NAMES, *PLACE_RATES)))
    return {name: rate_bps(text) if name in PLACE_RATES else text for name, text in pairs.items()}
