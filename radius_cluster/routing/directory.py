"""The NAS directory in memory: identifier or address → NAS → tenant, secret and style of reply.

With a thousand tenants a packet costs most where it touches memory that the processor's cache has forgotten meanwhile.
So what every packet reads stands side by side (``_Often…``), and what is equal for many tenants is one object.
"""

from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any

from infra.crypto import NAS_SECRET, DecryptionError, SecretBox
from infra.radius_text.dialects import Dialect, dialect_for
from infra.radius_text.profile import ReplyProfile
from radius_cluster.routing.local_day import day_numbers
from radius_cluster.wire.dialects import encode_extra
from radius_cluster.wire.extra_attributes import ADDRESS, only, single_kinds, take_session_timeout, without

MOST_READY = 2_000  # replies kept per tenant
LATENCY_SLOTS = 26  # of counters.LATENCY_OUTCOMES
_EDGES = b" \t\r\n\0"
_NEVER_SECONDS = 31_536_000  # of a setting that says "never": a year, which every router can count
_NO_STALE: Mapping[int, int] = {}
_PLACE_RATES = ("up_bps", "down_bps")
_PLACE_TEXTS = (
    "pool", "ipv6_pool", "address_list", "user_group", "qos_profile", "service", "redirect_url", "dns1", "dns2",
)  # fmt: skip

# attributes, time windows, the plan's place for expired ones, the longest session in seconds, within how many seconds
# before the end an account is led to a place for such (0: never), the attributes then
Ready = tuple[bytes, list[dict[str, int]], bytes | None, int, int, bytes]


class _OftenOfTenant:
    """What nearly every packet reads of its tenant: a base class's slots stand first in memory."""

    __slots__ = ("box", "cell", "day_number", "id", "latency", "stale_seconds", "suspended")


class TenantEntry(_OftenOfTenant):
    """What the packet path knows of an ISP. Shared by all its NAS; changed in place when the registry changes."""

    __slots__ = (
        "dialects",
        "interim_seconds",
        "locale",
        "max_session_seconds",
        "own_stale",
        "past_ready",
        "prefix",
        "ready",
        "slug",
        "usual_stale_seconds",
        "zone",
    )

    def __init__(self, row: Mapping[str, Any], box: SecretBox) -> None:
        self.id: int = row["id"]
        # By style and profile; process/ready_replies.py says how long they hold. Routers keep the dict of their style.
        self.ready: dict[str, dict[int, Ready]] = {}
        # What they last were, for logins while the database is away: an old rate is better than none
        self.past_ready: dict[tuple[int, str], Ready] = {}
        self.dialects: dict[str, Dialect] = {}  # the tenant's own
        self.own_stale: Mapping[int, int] = _NO_STALE  # routers whose sessions may be silent for longer, or shorter
        self.latency = [0] * LATENCY_SLOTS  # answers by how long they took; counters.LATENCY_OUTCOMES names the slots
        self.update(row, box)

    def update(self, row: Mapping[str, Any], box: SecretBox) -> None:
        """Take over the registry's row."""
        self.slug: str = row["slug"]
        self.prefix: str = row["nas_prefix"]
        self.cell: str = intern(row["cell"])
        self.suspended: bool = row["state"] != "active"
        self.locale: str = intern(row["locale"])
        self.interim_seconds: int = row["interim_seconds"]
        self.max_session_seconds: int = row["max_session_seconds"] or _NEVER_SECONDS
        self.usual_stale_seconds: int = _one(row["stale_intervals"] * row["interim_seconds"])
        self._set_longest_stale()
        self.zone, self.day_number = day_numbers(row["timezone"])
        self.box = box
        self.forget_ready()

    def set_stale(self, nas_id: int, seconds: int | None) -> None:
        """How long sessions of this router may be silent; None: as long as the others'."""
        if self.own_stale.get(nas_id) != seconds:
            others = {known: own for known, own in self.own_stale.items() if known != nas_id}
            self.own_stale = others if seconds is None else {**others, nas_id: seconds}
            self._set_longest_stale()

    def _set_longest_stale(self) -> None:
        """``stale_seconds``: no session counts that was silent for longer. Which of the others do is asked only where
        they stand in the way of a login (process/redial.py), so that no other pays for it."""
        self.stale_seconds: int = _one(max(self.usual_stale_seconds, *self.own_stale.values(), 0))

    def replies_in(self, style: str) -> dict[int, Ready]:
        """The replies of this style by profile, always the same dict."""
        return self.ready.setdefault(style, {})

    def forget_ready(self, profile_id: int | None = None) -> None:
        """Keep the replies of this profile, or all of them, for a database that is away only."""
        for style, replies in self.ready.items():
            for number in list(replies) if profile_id is None else [profile_id] if profile_id in replies else []:
                self.past_ready.pop((number, style), None)
                self.past_ready[number, style] = replies.pop(number)
        for key in list(self.past_ready)[:-MOST_READY]:  # the oldest
            del self.past_ready[key]


class _OftenOfNas:
    """What nearly every packet reads or counts at its NAS."""

    __slots__ = (
        "accepted",
        "dialect",
        "extra",
        "heard",
        "id",
        "invert",
        "last_source",
        "replies",
        "required",
        "secret",
        "seen",
        "stored",
        "tenant",
        "touched",
    )


class NasEntry(_OftenOfNas):
    """A router. Counters of its packets gather here between two reports."""

    __slots__ = (
        "address",
        "any_address",
        "coa_port",
        "counts",
        "dynamic_addresses",
        "expired",
        "expiring",
        "identifier",
        "last_at",
        "longest_seconds",
        "options",
        "rate_unit",
        "region_id",
        "replaced",
        "saved_at",
        "saved_source",
        "style",
    )

    def __init__(self, row: Mapping[str, Any], tenant: TenantEntry) -> None:
        self.id: int = row["id"]
        self.accepted = self.stored = 0  # logins and reports; all other outcomes are in ``counts``
        self.counts: dict[tuple[str, str], int] = {}
        self.touched = False
        self.heard = False  # a packet verified since the last report, which says when: last_at
        self.last_at = 0.0
        self.last_source: tuple[Any, ...] = ("", 0)
        self.saved_at = 0.0
        self.saved_source: tuple[Any, ...] = ("", 0)
        # Which of the instants of TEN-4 are known: bit 0 first packet, 1 first accept, 2 first online
        self.seen = (
            (row["first_packet_at"] is not None)
            | (row["first_accept_at"] is not None) << 1
            | (row["first_online_at"] is not None) << 2
        )
        self.update(row, tenant)

    def update(self, row: Mapping[str, Any], tenant: TenantEntry) -> None:
        """Take over the registry's row. Raises :class:`DecryptionError` when the secret cannot be read."""
        options = row["options"] or {}
        self.secret: bytes = tenant.box.open(row["secret_sealed"], NAS_SECRET)
        self.tenant = tenant
        self.identifier: bytes = row["identifier"].encode()
        self.address: str = str(row["address"] or "") if row["auth_mode"] == "address" else ""
        # Where its DNS name pointed last (the job resolve-dynamic-names asks)
        self.dynamic_addresses: tuple[str, ...] = tuple(row["ddns_addresses"]) if row["auth_mode"] == "ddns" else ()
        self.coa_port: int = row["coa_port"]
        self.required: bool = row["message_authenticator"] == "required"
        self.invert: bool = row["invert_directions"]
        self.region_id: int | None = row["region_id"]
        self.options: Mapping[str, Any] = options
        self.dialect: Dialect = tenant.dialects.get(row["vendor"]) or dialect_for(row["vendor"])
        self.rate_unit: str = str(options.get("rate_unit") or "")
        self.style: str = f"{self.dialect.key}|{int(self.invert)}|{self.rate_unit}|{tenant.interim_seconds}"
        # Its own attributes say the last word on what they name; the rest of an answer is made by style without that.
        self.extra, self.longest_seconds = take_session_timeout(_extra(options))
        self.replaced = single_kinds(self.extra)
        self.any_address = only(self.extra, ADDRESS)  # an account's own address goes before it
        self.extra = without(self.extra, ADDRESS)
        if self.replaced or self.longest_seconds:
            self.style += f"|{sorted(self.replaced)}{self.longest_seconds}{self.any_address.hex()}"
        self.expired = place_profile(options.get("expired"), tenant.interim_seconds)
        self.expiring = expiring_place(options)
        if self.expiring is not None:
            self.style += f"|{self.expiring}"
        self.style = intern(self.style)
        self.replies = tenant.replies_in(self.style)


class Directory:
    """All tenants and NAS of the cloud; only the event loop's thread touches it."""

    def __init__(self) -> None:
        self.tenants: dict[int, TenantEntry] = {}
        self.nas: dict[int, NasEntry] = {}
        self.by_identifier: dict[bytes, NasEntry] = {}
        self.by_address: dict[str, NasEntry] = {}
        self.by_prefix: dict[str, TenantEntry] = {}

    def find(self, identifier: bytes | None, address: str) -> NasEntry | None:
        """The NAS of a packet: its identifier decides, else the source address where one is registered as fixed.

        An identifier that was typed into a router by hand may have a blank at its end or capitals, and some makes end
        it with a zero; whose it really is says the secret.
        """
        if identifier is not None:
            nas = self.by_identifier.get(identifier) or self.by_identifier.get(identifier.strip(_EDGES).lower())
            if nas is not None:
                return nas
        return self.by_address.get(address)

    def tenant_of_prefix(self, identifier: str) -> TenantEntry | None:
        """Whose prefix an unknown identifier has (TEN-4): ``<prefix>-<name>``, the longest prefix that exists."""
        identifier = identifier.lower()
        at = len(identifier)
        while (at := identifier.rfind("-", 0, at)) > 0:
            tenant = self.by_prefix.get(identifier[:at])
            if tenant is not None:
                return tenant
        return self.by_prefix.get(identifier)

    def put_tenant(self, row: Mapping[str, Any], box: SecretBox) -> TenantEntry:
        """Add or change a tenant."""
        tenant = self.tenants.get(row["id"])
        if tenant is None:
            tenant = self.tenants[row["id"]] = TenantEntry(row, box)
        else:
            self.by_prefix.pop(tenant.prefix, None)
            tenant.update(row, box)
        self.by_prefix[tenant.prefix] = tenant
        return tenant

    def remove_tenant(self, tenant_id: int) -> None:
        """Forget a tenant and its NAS."""
        tenant = self.tenants.pop(tenant_id, None)
        if tenant is None:
            return
        self.by_prefix.pop(tenant.prefix, None)
        for nas in [nas for nas in self.nas.values() if nas.tenant is tenant]:
            self.remove_nas(nas.id)

    def put_nas(self, row: Mapping[str, Any]) -> bool:
        """Add or change a NAS; False when it cannot serve (no tenant, unreadable secret)."""
        tenant = self.tenants.get(row["tenant_id"])
        if tenant is None:
            return False
        nas = self.nas.get(row["id"])
        try:
            if nas is None:
                nas = NasEntry(row, tenant)
            else:
                self._unlink(nas)
                nas.update(row, tenant)
        except DecryptionError:
            self.nas.pop(row["id"], None)
            return False
        self.nas[nas.id] = nas
        tenant.set_stale(nas.id, row.get("stale_seconds"))
        self.by_identifier[nas.identifier] = nas
        if nas.address:
            self.by_address[nas.address] = nas
        self.set_dynamic_addresses(nas, nas.dynamic_addresses)
        return True

    def remove_nas(self, nas_id: int) -> None:
        """Forget a NAS."""
        nas = self.nas.pop(nas_id, None)
        if nas is not None:
            self._unlink(nas)

    def set_dynamic_addresses(self, nas: NasEntry, addresses: Sequence[str]) -> None:
        """What the NAS's DDNS name resolves to now; a fixed registration of another NAS wins."""
        if not addresses and not nas.dynamic_addresses:
            return
        for known in [address for address, owner in self.by_address.items() if owner is nas]:
            del self.by_address[known]
        for address in addresses:
            self.by_address.setdefault(address, nas)

    def _unlink(self, nas: NasEntry) -> None:
        nas.tenant.set_stale(nas.id, None)
        if self.by_identifier.get(nas.identifier) is nas:
            del self.by_identifier[nas.identifier]
        if nas.address and self.by_address.get(nas.address) is nas:
            del self.by_address[nas.address]
        elif nas.dynamic_addresses:
            self.set_dynamic_addresses(nas, ())


_numbers: dict[int, int] = {}  # settings of which there are few


def _one(number: int) -> int:
    """The same object for equal numbers."""
    return _numbers.setdefault(number, number)


def _extra(options: Mapping[str, Any]) -> bytes:
    """The NAS's extra attributes; a text that does not parse was refused where it was written, so it is passed over."""
    try:
        return encode_extra(str(options.get("extra") or ""))
    except ValueError:
        return b""


def place_changes(wanted: Any) -> dict[str, Any]:
    """The parts of a profile that a place for expiring or expired accounts sets (NET-4): pool, address list, rates …"""
    if not isinstance(wanted, Mapping):
        return {}
    changes: dict[str, Any] = {name: rate for name in _PLACE_RATES if (rate := _number(wanted.get(name)))}
    for name in _PLACE_TEXTS:
        text = str(wanted.get(name) or (wanted.get("acl") if name == "address_list" else "") or "")
        if text:
            changes[name] = text
    return changes


def place_profile(wanted: Any, interim_seconds: int) -> ReplyProfile | None:
    """What an expired subscriber receives instead of a refusal; None where there is no place for him."""
    changes = place_changes(wanted)
    return ReplyProfile(**changes, interim_seconds=interim_seconds) if changes else None


def expiring_place(options: Mapping[str, Any]) -> tuple[int, dict[str, Any]] | None:
    """How many seconds before its end an account's profile has parts exchanged, and which (NET-4); None: never."""
    changes, days = place_changes(options.get("expiring")), _number(options.get("expiring_days")) or 0
    return (days * 86_400, dict(sorted(changes.items()))) if changes and days > 0 else None


def _number(value: Any) -> int | None:
    try:
        return int(value) if value else None
    except (TypeError, ValueError):
        return None
