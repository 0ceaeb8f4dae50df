"""Router makes that can be chosen (NET-3); the keys are those of the packet path's dialects (a test compares)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Vendor:
    """``coa_port`` is where the make listens for Disconnect and CoA unless told otherwise."""

    key: str
    label: str
    coa_port: int = 3799


VENDORS: Final[dict[str, Vendor]] = {
    vendor.key: vendor
    for vendor in (
        Vendor("mikrotik", "MikroTik RouterOS"),
        Vendor("huawei", "Huawei (MA5200, ME60, NE)"),
        Vendor("cisco", "Cisco", 1700),
        Vendor("cisco-ios", "Cisco IOS (rate-limit)", 1700),
        Vendor("h3c", "H3C"),
        Vendor("zte", "ZTE (M6000)"),
        Vendor("juniper", "Juniper Junos"),
        Vendor("unisphere-erx", "Juniper ERX / Siemens Unisphere"),
        Vendor("ruijie", "Ruijie"),
        Vendor("maipu", "Maipu"),
        Vendor("ikuai", "iKuai"),
        Vendor("wayos", "WayOS"),
        Vendor("zhuomai", "ZhuoMai"),
        Vendor("standard", "Other (standard RADIUS)"),
    )
}
