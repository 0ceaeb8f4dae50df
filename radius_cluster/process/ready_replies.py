"""Encoded Accepts, kept per tenant, profile and style of the NAS: a login only adds what is its own."""

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from infra.radius_text.profile import RATES, ReplyProfile, profile_of_row
from radius_cluster.process.login_sql import CHANGED_PROFILES, PROFILE, PROFILES, RENEWS, SNAPSHOT, VALID_UNTIL
from radius_cluster.routing.directory import MOST_READY, NasEntry, Ready, TenantEntry, place_profile
from radius_cluster.wire.dialects import encode_extra, encode_profile
from radius_cluster.wire.extra_attributes import single_kinds, take_session_timeout, without
from radius_cluster.wire.packet import first_that_fit

_MOST_EQUAL = 4_096  # different replies that tenants share; some 2 MB
_MOST_OCTETS = 3_000  # of a profile's attributes: a login's own (keys, time-out, address) must find room beside them


class Profile:
    """One row of aaa.profile as the packet path uses it."""

    __slots__ = ("expired", "extra", "longest_seconds", "profile", "windows")

    def __init__(self, row: Mapping[str, Any], interim_seconds: int) -> None:
        options = json.loads(row["options"] or "{}")
        self.profile = profile_of_row(row, options, interim_seconds)
        self.windows: list[dict[str, int]] = json.loads(row["windows"] or "null") or []
        self.expired = place_profile(options.get("expired"), interim_seconds)  # the plan's own place (CAP-3)
        try:
            extra = encode_extra(str(options.get("extra") or ""))
        except ValueError:  # was refused where it was written
            extra = b""
        self.extra, self.longest_seconds = take_session_timeout(extra)

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
        attributes = encode_profile(nas.dialect, profile.profile, invert=nas.invert, rate_unit=nas.rate_unit)
    except ValueError:
        attributes = b""
    attributes = without(attributes, single_kinds(profile.extra)) + profile.extra
    return first_that_fit(without(attributes, nas.replaced) + nas.any_address, _MOST_OCTETS)


def style_of(nas: NasEntry, row: Any, now: float) -> str:
    """Which of the NAS's replies an account gets: one that ends soon, and does not renew by itself, is told so."""
    soon = row[VALID_UNTIL] - now < nas.expiring_seconds and not row[RENEWS]
    return nas.expiring_style if soon else nas.style


def encode_place(nas: NasEntry, place: ReplyProfile) -> bytes:
    """The attributes of a place for expired accounts; nothing when a value does not fit."""
    try:
        attributes = encode_profile(nas.dialect, place, invert=nas.invert, rate_unit=nas.rate_unit)
    except ValueError:
        return b""
    return first_that_fit(without(attributes, nas.replaced) + nas.any_address, _MOST_OCTETS)


def encode_ready(nas: NasEntry, profile: Profile, style: str) -> Ready:
    """A profile in a style of the NAS."""
    if style != nas.style:
        changed = copy(profile)
        changed.profile = replace(profile.profile, **nas.expiring)
        profile = changed
    expired = None if profile.expired is None else encode_place(nas, profile.expired)
    return encode_for(nas, profile), profile.windows, expired, longest_session(nas, profile)


def longest_session(nas: NasEntry, profile: Profile | None = None) -> int:
    """Seconds that a session may last by the tenant's setting, the router's and the plan's Session-Timeout."""
    limits = nas.tenant.max_session_seconds, nas.longest_seconds, profile and profile.longest_seconds
    return min(limit for limit in limits if limit)


def empty_ready(nas: NasEntry) -> Ready:
    """For an account without a profile."""
    return b"", [], None, longest_session(nas)


def last_ready(nas: NasEntry, row: Any, now: float) -> Ready:
    """The reply that the account last got, or would have got, for logins while the database is away."""
    tenant, profile_id, style = nas.tenant, row[PROFILE], style_of(nas, row, now)
    return tenant.replies_in(style).get(profile_id) or tenant.past_ready.get((profile_id, style)) or empty_ready(nas)


class KeptReplies:
    """Replies ready to be sent, for as long as their profiles stay as they are.

    They are of the profiles as a snapshot of the database saw them. Each batch of logins learns from the database
    whether a profile was written since (login_sql.CHANGED); then those are forgotten *before* the batch is decided, so
    a changed rate counts from its commit on, and no login has to look its profile up.
    """

    __slots__ = ("_equal", "_keepers", "snapshot")

    def __init__(self) -> None:
        self.snapshot = ""
        self._equal: dict[tuple[bytes, bytes | None, int], Ready] = {}
        self._keepers: dict[int, TenantEntry] = {}  # where replies are kept

    async def begin(self, connection: Any) -> None:
        """A new connection, maybe to another server whose snapshots are not comparable: start from nothing."""
        snapshot = await connection.fetchval(SNAPSHOT)
        self._forget_all()
        self.snapshot = snapshot

    async def forget_changed(self, connection: Any) -> None:
        """A profile was written since the snapshot: forget the replies made of such."""
        rows = await connection.fetch(CHANGED_PROFILES, self.snapshot)
        for snapshot, tenant_id, profile_id in rows:
            self.snapshot = snapshot
            tenant = self._keepers.get(tenant_id)
            if tenant is not None:
                tenant.forget_ready(profile_id)

    async def find(self, connection: Any, logins: Mapping[int, tuple[NasEntry, Any]], now: float) -> dict[int, Ready]:
        """The reply for each login, of which there is the row that the login query gave; kept, or read now."""
        keys = {at: (row[PROFILE], style_of(nas, row, now)) for at, (nas, row) in logins.items()}
        found: dict[int, Ready] = {}
        for at, key in keys.items():
            ready = logins[at][0].tenant.replies_in(key[1]).get(key[0])
            if ready is not None:
                found[at] = ready
        missing = [at for at in logins if at not in found]
        if missing:
            read = await self._fetch(connection, [(logins[at][0], *keys[at]) for at in missing])
            found.update(zip(missing, read, strict=True))
        return found

    async def _fetch(self, connection: Any, wanted: Sequence[tuple[NasEntry, int, str]]) -> list[Ready]:
        """The replies of these (NAS, profile id, style), kept from now on; an empty one where there is no profile."""
        before = self.snapshot
        profiles = await fetch_profiles(connection, [(nas.tenant, profile_id) for nas, profile_id, _ in wanted])
        found = []
        for nas, profile_id, style in wanted:
            tenant = nas.tenant
            profile = profiles.get((tenant.id, profile_id))
            ready: Ready = empty_ready(nas) if profile is None else encode_ready(nas, profile, style)
            # What another batch learned to be old meanwhile may be what we have just read: used once, not kept.
            if profile is not None and self.snapshot == before:
                self._keepers[tenant.id] = tenant
                if sum(map(len, tenant.ready.values())) >= MOST_READY:
                    tenant.forget_ready()
                tenant.replies_in(style)[profile_id] = ready = self._shared(ready)
            found.append(ready)
        return found

    def _shared(self, ready: Ready) -> Ready:
        """The same object for equal replies: many tenants' plans have the same few rates."""
        attributes, windows, expired, longest = ready
        if windows:
            return ready
        if len(self._equal) >= _MOST_EQUAL:
            self._equal.clear()
        return self._equal.setdefault((attributes, expired, longest), ready)

    def _forget_all(self) -> None:
        for tenant in self._keepers.values():
            tenant.forget_ready()
        self._keepers.clear()


async def at_other_rate(connection: Any, nas: NasEntry, profile_id: int, rate_id: int) -> bytes:
    """The profile with the rate of a throttled account or of a time window; b"" when that rate is gone."""
    found = await fetch_profiles(connection, [(nas.tenant, profile_id), (nas.tenant, rate_id)])
    profile, rate = found.get((nas.tenant.id, profile_id)), found.get((nas.tenant.id, rate_id))
    if rate is None:
        return b""
    return encode_for(nas, profile.at_rate_of(rate) if profile else rate)
