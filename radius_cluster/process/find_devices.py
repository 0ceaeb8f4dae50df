"""MAC authentication (RAD-2): routers write a MAC in many ways, accounts have it as aa:bb:cc:dd:ee:ff."""

from collections.abc import Callable, Sequence
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
    remember: Callable[[list[int], list[str], list[Any]], None],
) -> dict[int, Any]:
    """The rows of those strangers whose names are MACs in another notation, by their places among the requests.

    ``remember`` is told them under the names that the routers write, as they will again while the database is away.
    """
    written = {at: normalise_mac(names[at]) for at in strangers if len(names[at]) <= _LONGEST_MAC}
    asked = [at for at, mac in written.items() if mac and mac != names[at]]
    if not asked:
        return {}
    tenants = [requests[at].nas.tenant for at in asked]
    tenant_ids = [tenant.id for tenant in tenants]
    alive_after = [now - tenant.stale_seconds for tenant in tenants]
    fetched = await statement.fetch(tenant_ids, [written[at] for at in asked], alive_after, snapshot)
    rows = [*map(tuple, fetched)]
    if rows:
        remember(tenant_ids, [names[at] for at in asked], rows)
    return {asked[row[ORDINAL] - 1]: row for row in rows}
