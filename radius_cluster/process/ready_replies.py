"""Encoded Accepts, kept per tenant, profile and style of the NAS: a login only adds what is its own."""

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from infra.radius_text.profile import RATES, ReplyProfile, profile_of_row
from radius_cluster.process.login_sql import CHANGED_PROFILES, PROFILE, PROFILES, RENEWS, SNAPSHOT, VALID_UNTIL
from radius_cluster.routing.directory import MOST_READY, NasEntry, Ready, TenantEntry, expiring_place, place_profile
from radius_cluster.wire.dialects import encode_extra, encode_profile
from radius_cluster.wire.extra_attributes import single_kinds, take_session_timeout, without
from radius_cluster.wire.packet import first_that_fit

_MOST_EQUAL = 4_096  # different replies that tenants share; some 2 MB
_MOST_OCTETS = 3_000  # of a profile's attributes: a login's own (keys, time-out, address) must find room beside them


class Profile:
    """One row of aaa.profile as the packet path uses it."""

    __slots__ = ("expired", "expiring", "extra", "longest_seconds", "profile", "windows")

    def __init__(self, row: Mapping[str, Any], interim_seconds: int) -> None:
        options = json.loads(row["options"] or "{}")
        self.profile = profile_of_row(row, options, interim_seconds)
        self.windows: list[dict[str, int]] = json.loads(row["windows"] or "null") or []
        self.expired = place_profile(options.get("expired"), interim_seconds)  # the plan's own places (NET-4, CAP-3)
        self.expiring = expiring_place(options)
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

    def with_parts(self, parts: Mapping[str, Any]) -> "Profile":
        """This profile with parts of it exchanged."""
        changed = copy(self)
        changed.profile = replace(self.profile, **parts)
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


def ends_soon(ready: Ready, row: Any, now: float) -> bool:
    """Whether the account gets the reply of those that end soon; not if it renews by itself."""
    return bool(row[VALID_UNTIL] - now < ready[4] and not row[RENEWS])


def encode_place(nas: NasEntry, place: ReplyProfile) -> bytes:
    """The attributes of a place for expired accounts; nothing when a value does not fit."""
    try:
        attributes = encode_profile(nas.dialect, place, invert=nas.invert, rate_unit=nas.rate_unit)
    except ValueError:
        return b""
    return first_that_fit(without(attributes, nas.replaced) + nas.any_address, _MOST_OCTETS)


def encode_ready(nas: NasEntry, profile: Profile) -> Ready:
    """A profile in the style of the NAS; the plan's own places go before those of the NAS."""
    expired = None if profile.expired is None else encode_place(nas, profile.expired)
    seconds, parts = profile.expiring or nas.expiring or (0, {})
    soon = encode_for(nas, profile.with_parts(parts)) if seconds else b""
    return encode_for(nas, profile), profile.windows, expired, longest_session(nas, profile), seconds, soon


def longest_session(nas: NasEntry, profile: Profile | None = None) -> int:
    """Seconds that a session may last by the tenant's setting, the router's and the plan's Session-Timeout."""
    limits = nas.tenant.max_session_seconds, nas.longest_seconds, profile and profile.longest_seconds
    return min(limit for limit in limits if limit)


def empty_ready(nas: NasEntry) -> Ready:
    """For an account without a profile."""
    return b"", [], None, longest_session(nas), 0, b""


def last_ready(nas: NasEntry, row: Any) -> Ready:
    """The reply that the account last got, or would have got, for logins while the database is away."""
    profile_id = row[PROFILE]
    return nas.replies.get(profile_id) or nas.tenant.past_ready.get((profile_id, nas.style)) or empty_ready(nas)


class KeptReplies:
    """Replies ready to be sent, for as long as their profiles stay as they are.

    They are of the profiles as a snapshot of the database saw them. Each batch of logins learns from the database
    whether a profile was written since (login_sql.CHANGED); then those are forgotten *before* the batch is decided, so
    a changed rate counts from its commit on, and no login has to look its profile up.
    """

    __slots__ = ("_equal", "_keepers", "snapshot")

    def __init__(self) -> None:
        self.snapshot = ""
        self._equal: dict[tuple[bytes, bytes | None, int, int, bytes], Ready] = {}
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

    async def find(self, connection: Any, logins: Mapping[int, tuple[NasEntry, Any]]) -> dict[int, Ready]:
        """The reply for each login, of which there is the row that the login query gave; kept, or read now."""
        found: dict[int, Ready] = {}
        for at, (nas, row) in logins.items():
            ready = nas.replies.get(row[PROFILE])
            if ready is not None:
                found[at] = ready
        missing = [at for at in logins if at not in found]
        if missing:
            read = await self._fetch(connection, [(logins[at][0], logins[at][1][PROFILE]) for at in missing])
            found.update(zip(missing, read, strict=True))
        return found

    async def _fetch(self, connection: Any, wanted: Sequence[tuple[NasEntry, int]]) -> list[Ready]:
        """The replies of these (NAS, profile id), kept from now on; an empty one where there is no profile."""
        before = self.snapshot
        profiles = await fetch_profiles(connection, [(nas.tenant, profile_id) for nas, profile_id in wanted])
        found = []
        for nas, profile_id in wanted:
            tenant = nas.tenant
            profile = profiles.get((tenant.id, profile_id))
            ready: Ready = empty_ready(nas) if profile is None else encode_ready(nas, profile)
            # What another batch learned to be old meanwhile may be what we have just read: used once, not kept.
            if profile is not None and self.snapshot == before:
                self._keepers[tenant.id] = tenant
                if sum(map(len, tenant.ready.values())) >= MOST_READY:
                    tenant.forget_ready()
                nas.replies[profile_id] = ready = self._shared(ready)
            found.append(ready)
        return found

    def _shared(self, ready: Ready) -> Ready:
        """The same object for equal replies: many tenants' plans have the same few rates."""
        attributes, windows, expired, longest, soon_seconds, soon = ready
        if windows:
            return ready
        if len(self._equal) >= _MOST_EQUAL:
            self._equal.clear()
        return self._equal.setdefault((attributes, expired, longest, soon_seconds, soon), ready)

    def _forget_all(self) -> None:
        for tenant in self._keepers.values():
            tenant.forget_ready()
        self._keepers.clear()


async def at_other_rate(connection: Any, nas: NasEntry, profile_id: int, rate_id: int, *, soon: bool) -> bytes:
    """The profile with the rate of a throttled account or of a time window; b"" when that rate is gone.

    ``soon``: with what else the place for accounts that end soon has.
    """
    found = await fetch_profiles(connection, [(nas.tenant, profile_id), (nas.tenant, rate_id)])
    profile, rate = found.get((nas.tenant.id, profile_id)), found.get((nas.tenant.id, rate_id))
    if rate is None:
        return b""
    if profile is None:
        return encode_for(nas, rate)
    _seconds, parts = (profile.expiring or nas.expiring or (0, {})) if soon else (0, {})
    return encode_for(nas, profile.with_parts(parts).at_rate_of(rate))
