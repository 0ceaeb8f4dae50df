"""Where a subscriber is plugged in, from NAS-Port-Id in the vendors' formats (SUB-8: VLAN and QinQ binding)."""

import re
from dataclasses import dataclass
from typing import Final

_UNTAGGED: Final = 4096  # "no tag" in the Chinese carriers' format


@dataclass(frozen=True, slots=True)
class AccessLine:
    """``port`` is the physical part in the vendor's own words; VLANs are None when untagged or unknown.

    With one tag it is the outer (service) VLAN and the inner is None.
    """

    port: str = ""
    outer_vlan: int | None = None
    inner_vlan: int | None = None

    @property
    def key(self) -> str:
        """What a binding is compared by: ``port|outer.inner``."""
        return f"{self.port}|{self.outer_vlan or ''}.{self.inner_vlan or ''}"


# Huawei, H3C: slot=0;subslot=1;port=7;vlanid=100;vlanid2=200 (any case, spaces; ADSL has VPI and VCI)
_PAIRS: Final = re.compile(r"([a-z][a-z0-9 _-]{0,12}?)\s*=\s*([0-9]+)", re.IGNORECASE)
# China Telecom's format (Huawei, ZTE, Cisco format c): eth 31/31/7:1234.2345 0/0/0/0/0/0
_CARRIER: Final = re.compile(
    r"(eth|trunk|atm|gei|xgei)\s+([0-9]+/[0-9]+/[0-9]+):([0-9]+)[.:]([0-9]+)(?:\s|$)", re.IGNORECASE
)
# Juniper ge-1/0/3.1073741824:100-200, ERX and Huawei's imitation gigabitEthernet 2/0/5.4:4; Nokia 1/1/4:501.1001
_INTERFACE: Final = re.compile(
    r"([a-z][\w-]{0,40} ?[0-9][0-9/]{0,20}|[0-9]+(?:/\w+)+)(?:\.[0-9]+)?:([0-9]+)(?:[-.]([0-9]+))?(?:\s|#|$)",
    re.IGNORECASE,
)
# Cisco 0/0/1/100 and, stacked, 0/0/1/100.200 (outer first since IOS 12.2(31)SB2)
_CISCO: Final = re.compile(r"([0-9]+/[0-9]+/[0-9]+)/([0-9]+)(?:\.([0-9]+))?$")
# A subinterface: GigabitEthernet0/0/1.100, ether2.100, ether2.100.200, bond0.100 (MikroTik names and Linux alike)
_SUBINTERFACE: Final = re.compile(r"([a-z][\w/-]*[0-9])\.([0-9]+)(?:\.([0-9]+))?$", re.IGNORECASE)
# A MikroTik VLAN interface under its usual names: vlan100, vlan-100, vlan100.200, svlan100-cvlan200, pppoe-vlan100
_NAMED_VLAN: Final = re.compile(r"vlan[ _-]?([0-9]+)(?:[._-]+(?:c?vlan)?[ _-]?([0-9]+))?", re.IGNORECASE)


def parse_nas_port_id(text: str) -> AccessLine:
    """The port and VLANs of a NAS-Port-Id. What is in no known format is a port without VLANs. Never raises."""
    text = text.strip()[:253]
    for read in (_read_pairs, _read_carrier, _read_interface, _read_cisco, _read_subinterface, _read_named_vlan):
        line = read(text)
        if line is not None:
            return line
    return AccessLine(port=text)


def _read_pairs(text: str) -> AccessLine | None:
    pairs = {re.sub(r"[^a-z0-9]", "", name.lower()): int(value) for name, value in _PAIRS.findall(text)}
    port = pairs.get("port", pairs.get("portno"))
    if port is None:
        return None
    slot, subslot = pairs.get("slot", pairs.get("slotid", 0)), pairs.get("subslot", pairs.get("subslotid", 0))
    first = pairs.get("vlanid", pairs.get("vlan", pairs.get("vpi")))
    # Huawei: vlanid is the outer tag, vlanid2 the inner.
    second = pairs.get("vlanid2", pairs.get("cvlan", pairs.get("vci")))
    return _line(f"{slot}/{subslot}/{port}", first, second)


def _read_carrier(text: str) -> AccessLine | None:
    found = _CARRIER.match(text)
    if not found:
        return None
    return _line(f"{found[1].lower()} {found[2]}", int(found[3]), int(found[4]))


def _read_interface(text: str) -> AccessLine | None:
    found = _INTERFACE.search(text)
    return _line(found[1], int(found[2]), int(found[3]) if found[3] else None) if found else None


def _read_cisco(text: str) -> AccessLine | None:
    found = _CISCO.match(text)
    return _line(found[1], int(found[2]), int(found[3]) if found[3] else None) if found else None


def _read_subinterface(text: str) -> AccessLine | None:
    found = _SUBINTERFACE.match(text)
    if not found or int(found[2]) > 4094:
        return None
    return _line(found[1], int(found[2]), int(found[3]) if found[3] else None)


def _read_named_vlan(text: str) -> AccessLine | None:
    found = _NAMED_VLAN.search(text)
    if not found or int(found[1]) > 4094:
        return None
    return _line(text, int(found[1]), int(found[2]) if found[2] else None)


def _line(port: str, outer: int | None, inner: int | None) -> AccessLine:
    tags = [tag for tag in (outer, inner) if tag is not None and tag != _UNTAGGED and tag != 0]
    return AccessLine(port, tags[0] if tags else None, tags[1] if len(tags) > 1 else None)
