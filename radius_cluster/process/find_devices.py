"""MAC authentication (RAD-2): routers write a MAC in many ways, accounts have it as aa:bb:cc:dd:ee:ff."""

from collections.abc import Sequence
from typing import Any, Final

from radius_cluster.listen.receive import Request
from radius_cluster.process.login_sql import ORDINAL
from radius_cluster.wire.mac_address import normalise_mac

_LONGEST_MAC: Final = 24


async def find_devices(
    statement: Any,
    requests: Sequence[Request],
    names: Sequence[str],
    strangers: Sequence[int],
    now: float,
    snapshot: str,
) -> dict[int, Any]:
    """The rows of those strangers whose names are MACs in another notation, by their places among the requests."""
    written = {at: normalise_mac(names[at]) for at in strangers if len(names[at]) <= _LONGEST_MAC}
    asked = [at for at, mac in written.items() if mac and mac != names[at]]
    if not asked:
        return {}
    rows = await statement.fetch(
        [requests[at].nas.tenant.id for at in asked],
        [written[at] for at in asked],
        [now - requests[at].nas.tenant.stale_seconds for at in asked],
        snapshot,
    )
    return {asked[row[ORDINAL] - 1]: row for row in rows}
