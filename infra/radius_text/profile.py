"""What an accepted login receives, before any vendor's dialect (NET-5)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

_PAIRS = (
    ("up_bps", "down_bps"),
    ("burst_up_bps", "burst_down_bps"),
    ("threshold_up_bps", "threshold_down_bps"),
    ("minimum_up_bps", "minimum_down_bps"),
    ("qos_profile_up", "qos_profile_down"),
)


@dataclass(frozen=True, slots=True)
class ReplyProfile:
    """Rates in bit/s, up = from the subscriber. None or "" means: not sent. Hashable, so replies may be kept by it."""

    up_bps: int | None = None
    down_bps: int | None = None
    burst_up_bps: int | None = None
    burst_down_bps: int | None = None
    threshold_up_bps: int | None = None
    threshold_down_bps: int | None = None
    burst_seconds: int | None = None
    minimum_up_bps: int | None = None
    minimum_down_bps: int | None = None
    priority: int | None = None  # 1 (first) to 8, MikroTik's
    pool: str = ""
    dns1: str = ""
    dns2: str = ""
    ipv6_pool: str = ""
    delegated_ipv6_pool: str = ""
    address_list: str = ""  # MikroTik's address list; an ACL (Filter-Id) elsewhere
    user_group: str = ""  # MikroTik's Group, H3C's User-Group
    qos_profile: str = ""  # a policy configured on the NAS, both directions …
    qos_profile_up: str = ""  # … or one for each
    qos_profile_down: str = ""
    service: str = ""  # Juniper's dynamic service, e.g. "rate(20m,100m)"
    domain: str = ""
    virtual_router: str = ""
    redirect_url: str = ""
    idle_timeout_seconds: int | None = None
    interim_seconds: int | None = None
    max_sessions: int | None = None

    def inverted(self) -> "ReplyProfile":
        """Up and down exchanged, for a NAS that names them from its own side."""
        changes = {}
        for up, down in _PAIRS:
            changes[up], changes[down] = getattr(self, down), getattr(self, up)
        return replace(self, **changes)


def profile_fields() -> tuple[str, ...]:
    """The names of all fields."""
    return tuple(field.name for field in fields(ReplyProfile))


RATES = (
    "up_bps", "down_bps", "burst_up_bps", "burst_down_bps", "threshold_up_bps", "threshold_down_bps", "burst_seconds",
    "priority",
)  # fmt: skip


def profile_of_row(row: Mapping[str, Any], options: Mapping[str, Any], interim_seconds: int) -> ReplyProfile:
    """A row of aaa.profile as what is sent; ``options`` may name any further part of a profile."""
    known = profile_fields()
    values = {name: value for name, value in options.items() if name in known and value not in (None, "")}
    for name in (*RATES, "pool", "ipv6_pool"):
        values[name] = row[name]
    values["dns1"], values["dns2"] = str(row["dns1"] or ""), str(row["dns2"] or "")
    return ReplyProfile(**{**values, "interim_seconds": interim_seconds})
