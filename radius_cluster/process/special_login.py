"""What only some accounts have: bindings, quotas, time windows (RAD-3). Pure, apart from what the row brings along."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from radius_cluster.routing.directory import NasEntry, TenantEntry
from radius_cluster.wire.access_line import parse_nas_port_id
from radius_cluster.wire.access_loop import circuit_of
from radius_cluster.wire.codes import NAS_PORT, NAS_PORT_ID
from radius_cluster.wire.devices import device_of
from radius_cluster.wire.packet import Packet
from tenants.access.rules import LEARN, STATE_ACTIVE
from tenants.access.rules_windows import closes_at
from tenants.usage.rules_quota import Counter, left, window_of

_VLANS: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})?")
_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Special:
    """The rare part of a login, ready for the decision; the defaults are what nearly all have.

    ``None`` left = no such quota.
    """

    state: int = STATE_ACTIVE
    activated: bool = True
    in_arrears: bool = False
    open_sessions: int = 0
    max_sessions: int = 0  # 0 = any number
    drop_oldest: bool = False
    place_allowed: bool = True
    bind_mac: str = ""
    mac: str = ""
    bind_port: str = ""
    port: str = ""
    octets_left: int | None = None
    seconds_left: int | None = None
    quota_cut: bool = True
    throttle_profile_id: int | None = None
    static_ip: str = ""
    learns: bool = False  # a binding is to be filled in by this login

    @property
    def full(self) -> bool:
        """Whether no session is left, unless some of the open ones do not count (redial.py)."""
        return self.open_sessions >= self.max_sessions > 0 and not self.drop_oldest

    @property
    def quota_used_up(self) -> bool:
        """Whether any quota has nothing left."""
        return self.octets_left == 0 or self.seconds_left == 0


_ORDINARY: Final = Special()


def comparable_ports(bound: str, port: str) -> tuple[str, str]:
    """Both sides of a port binding as they are compared (SUB-8).

    A number or two bind to VLANs alone, wherever they come from; anything else to port and VLANs, read from the
    vendor's format, whose other parts (Juniper's unit, for one) change from session to session.
    """
    if bound in ("", LEARN) or bound == port:
        return bound, port
    line = parse_nas_port_id(port)
    if _VLANS.fullmatch(bound):
        inner = "" if line.inner_vlan is None else f".{line.inner_vlan}"
        return bound, "" if line.outer_vlan is None else f"{line.outer_vlan}{inner}"
    return parse_nas_port_id(bound).key, line.key


def comparable_line(bound: str, packet: Packet) -> tuple[str, str]:
    """As :func:`comparable_ports`, of a login. A router that names no port by NAS-Port-Id may tell the access node's
    circuit (wire/access_loop.py), which nothing but the whole of it names: two nodes have a port 1/2/3. Bound to VLANs
    it is those in it; what was bound to the number of NAS-Port stays so."""
    if not bound or packet.text(NAS_PORT_ID).strip() or not (circuit := circuit_of(packet)):
        return comparable_ports(bound, port_of(packet))
    if bound == port_of(packet):
        return bound, bound
    return comparable_ports(bound, circuit) if _VLANS.fullmatch(bound) else (bound, circuit)


def read_special(rare: str | None, packet: Packet, nas: NasEntry, now: float) -> Special:
    """Take apart the JSON of the login query (login_sql.RARE)."""
    if rare is None:
        return _ORDINARY
    row: Mapping[str, Any] = json.loads(rare)
    octets, seconds = quota_left(row, nas.tenant, now)
    bind_port, port = comparable_line(row["bind_port"], packet)
    return Special(
        state=row["state"],
        activated=row["activated"],
        in_arrears=row["in_arrears"],
        open_sessions=row["open_sessions"],
        max_sessions=row["max_sessions"],
        drop_oldest=row["drop_oldest"],
        place_allowed=_place_allowed(row, nas),
        bind_mac=row["bind_mac"],
        mac=device_of(packet),
        bind_port=bind_port,
        port=port,
        octets_left=octets,
        seconds_left=seconds,
        quota_cut=row["quota_cut"],
        throttle_profile_id=row["throttle_profile_id"],
        static_ip=row["static_ip"] or "",
        learns=LEARN in (row["bind_mac"], row["bind_port"]) or bool((row["bind_options"] or {}).get("learn")),
    )


def port_of(packet: Packet) -> str:
    """Where the subscriber is plugged in, as the router names it: NAS-Port-Id, else the number of NAS-Port."""
    port = packet.text(NAS_PORT_ID).strip()
    if port:
        return port
    return str(packet.number(NAS_PORT)) if NAS_PORT in packet.attributes else ""


def local_minute(tenant: TenantEntry, now: float) -> tuple[int, int]:
    """(weekday with Monday 0, minute of the day) of the tenant's zone."""
    local = datetime.fromtimestamp(now, tenant.zone)
    return local.weekday(), local.hour * 60 + local.minute


def until_closed(windows: list[dict[str, int]], tenant: TenantEntry, now: float, seconds: float) -> float:
    """The seconds that a session may last, no longer than the plan's hours (PLN-7)."""
    closes = closes_at(windows, datetime.fromtimestamp(now, UTC), tenant.zone) if windows else None
    return seconds if closes is None else min(seconds, closes.timestamp() - now)


def _place_allowed(row: Mapping[str, Any], nas: NasEntry) -> bool:
    bound = row["bind_nas_id"]
    if bound is not None and bound != nas.id:
        return False
    if nas.options.get("region_only") and nas.region_id is not None:
        return bool(row["region_id"] == nas.region_id)
    return True


def quota_left(row: Mapping[str, Any], tenant: TenantEntry, now: float) -> tuple[int | None, int | None]:
    """(octets, seconds) that are left of the quota and its packs; None where there is no such quota."""
    kind = row["quota_kind"]
    if not kind:
        return None, None
    window = window_of(kind, datetime.fromtimestamp(now, UTC), tenant.zone)
    use = row["use"]
    return (
        _one_left(row, use, "octets", window),
        _one_left(row, use, "seconds", window),
    )


def _one_left(row: Mapping[str, Any], use: Mapping[str, Any] | None, unit: str, window: date) -> int | None:
    quota = row[f"quota_{unit}"]
    if quota is None:
        return None
    counter = None
    if use is not None:
        counter = Counter(use["epoch"], date.fromisoformat(use["window_on"]), use[unit], use[f"over_{unit}"])
    return left(counter, row["quota_epoch"], window, quota, row[f"pack_{unit}"])
