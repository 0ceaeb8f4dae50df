"""Encoded Accepts, kept per tenant, profile, version and style of the NAS: a login only adds what is its own."""

import json
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import fields, replace
from typing import Any

from infra.radius_text.profile import ReplyProfile
from radius_cluster.process.login_sql import PROFILES
from radius_cluster.routing.directory import NasEntry, TenantEntry
from radius_cluster.wire.dialects import encode_extra, encode_profile

_MOST_READY = 2_000  # per tenant; old versions pile up only until then
_RATES = (
    "up_bps", "down_bps", "burst_up_bps", "burst_down_bps", "threshold_up_bps", "threshold_down_bps", "burst_seconds",
    "priority",
)  # fmt: skip
_OPTIONAL = frozenset(field.name for field in fields(ReplyProfile))


class Profile:
    """One row of aaa.profile as the packet path uses it."""

    __slots__ = ("extra", "profile", "version", "windows")

    def __init__(self, row: Mapping[str, Any], interim_seconds: int) -> None:
        options = json.loads(row["options"] or "{}")
        values = {name: value for name, value in options.items() if name in _OPTIONAL and value not in (None, "")}
        for name in (*_RATES, "pool", "ipv6_pool"):
            values[name] = row[name]
        values["dns1"], values["dns2"] = row["dns1"] or "", row["dns2"] or ""
        values["interim_seconds"] = interim_seconds
        self.version: int = row["version"]
        self.profile = ReplyProfile(**values)
        self.windows: list[dict[str, int]] = json.loads(row["windows"] or "null") or []
        try:
            self.extra = encode_extra(str(options.get("extra") or ""))
        except ValueError:  # was refused where it was written
            self.extra = b""

    def at_rate_of(self, other: "Profile") -> "Profile":
        """This profile with the other's rates; pool, DNS and the rest stay."""
        changed = copy(self)
        changed.profile = replace(self.profile, **{name: getattr(other.profile, name) for name in _RATES})
        return changed


async def fetch_profiles(connection: Any, wanted: Iterable[tuple[TenantEntry, int]]) -> dict[tuple[int, int], Profile]:
    """The profiles of these (tenant, profile id) pairs by (tenant id, profile id); unknown ones are missing."""
    tenants = {(tenant.id, profile_id): tenant for tenant, profile_id in wanted}
    rows = await connection.fetch(PROFILES, [pair[0] for pair in tenants], [pair[1] for pair in tenants])
    return {
        (row["tenant_id"], row["profile_id"]): Profile(
            row, tenants[row["tenant_id"], row["profile_id"]].interim_seconds
        )
        for row in rows
    }


def encode_for(nas: NasEntry, profile: Profile) -> bytes:
    """The profile's attributes in the NAS's dialect; nothing when a value does not fit (an Accept without a rate is
    better than none)."""
    try:
        return encode_profile(nas.dialect, profile.profile, invert=nas.invert, rate_unit=nas.rate_unit) + profile.extra
    except ValueError:
        return profile.extra


def keep(nas: NasEntry, profile_id: int, profile: Profile) -> tuple[bytes, list[dict[str, int]]]:
    """Encode a profile for the NAS's style and keep it for the next login."""
    ready = nas.tenant.ready
    if len(ready) >= _MOST_READY:
        ready.clear()
    found = ready[profile_id, profile.version, nas.style] = (encode_for(nas, profile), profile.windows)
    return found
