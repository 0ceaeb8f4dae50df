"""Encoded Accepts, kept per tenant, profile, version and style of the NAS: a login only adds what is its own."""

import json
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from infra.radius_text.profile import RATES, ReplyProfile, profile_of_row
from radius_cluster.process.login_sql import PROFILES, RENEWS, VALID_UNTIL
from radius_cluster.routing.directory import NasEntry, TenantEntry, place_profile
from radius_cluster.wire.dialects import encode_extra, encode_profile

_MOST_READY = 2_000  # per tenant; old versions pile up only until then


class Profile:
    """One row of aaa.profile as the packet path uses it."""

    __slots__ = ("expired", "extra", "profile", "version", "windows")

    def __init__(self, row: Mapping[str, Any], interim_seconds: int) -> None:
        options = json.loads(row["options"] or "{}")
        self.version: int = row["version"]
        self.profile = profile_of_row(row, options, interim_seconds)
        self.windows: list[dict[str, int]] = json.loads(row["windows"] or "null") or []
        self.expired = place_profile(options.get("expired"), interim_seconds)  # the plan's own place (CAP-3)
        try:
            self.extra = encode_extra(str(options.get("extra") or ""))
        except ValueError:  # was refused where it was written
            self.extra = b""

    def at_rate_of(self, other: "Profile") -> "Profile":
        """This profile with the other's rates; pool, DNS and the rest stay."""
        changed = copy(self)
        changed.profile = replace(self.profile, **{name: getattr(other.profile, name) for name in RATES})
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


def style_of(nas: NasEntry, row: Any, now: float) -> str:
    """Which of the NAS's replies an account gets: one that ends soon, and does not renew by itself, is told so."""
    soon = row[VALID_UNTIL] - now < nas.expiring_seconds and not row[RENEWS]
    return nas.expiring_style if soon else nas.style


def encode_place(nas: NasEntry, place: ReplyProfile) -> bytes:
    """The attributes of a place for expired accounts; nothing when a value does not fit."""
    try:
        return encode_profile(nas.dialect, place, invert=nas.invert, rate_unit=nas.rate_unit)
    except ValueError:
        return b""


def keep(
    nas: NasEntry, profile_id: int, profile: Profile, style: str
) -> tuple[bytes, list[dict[str, int]], bytes | None]:
    """Encode a profile in a style of the NAS and keep it for the next login."""
    if style != nas.style:
        changed = copy(profile)
        changed.profile = replace(profile.profile, **nas.expiring)
        profile = changed
    ready = nas.tenant.ready
    if len(ready) >= _MOST_READY:
        ready.clear()
    expired = None if profile.expired is None else encode_place(nas, profile.expired)
    found = ready[profile_id, profile.version, style] = (encode_for(nas, profile), profile.windows, expired)
    return found


async def at_other_rate(connection: Any, nas: NasEntry, profile_id: int, rate_id: int) -> bytes:
    """The profile with the rate of a throttled account or of a time window; b"" when that rate is gone."""
    found = await fetch_profiles(connection, [(nas.tenant, profile_id), (nas.tenant, rate_id)])
    profile, rate = found.get((nas.tenant.id, profile_id)), found.get((nas.tenant.id, rate_id))
    if rate is None:
        return b""
    return encode_for(nas, profile.at_rate_of(rate) if profile else rate)
