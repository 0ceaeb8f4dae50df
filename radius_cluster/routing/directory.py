"""The NAS directory in memory: identifier or address → NAS → tenant, secret and style of reply."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infra.crypto import NAS_SECRET, DecryptionError, SecretBox
from infra.radius_text.dialects import Dialect, dialect_for
from infra.radius_text.profile import ReplyProfile
from radius_cluster.wire.dialects import encode_extra

_NEVER_SECONDS = 31_536_000  # of a setting that says "never": a year, which every router can count
LATENCY_SLOTS = 26  # of counters.LATENCY_OUTCOMES
_EPOCH_ORDINAL = 719163  # date(1970, 1, 1).toordinal()


class TenantEntry:
    """What the packet path knows of an ISP. Shared by all its NAS; changed in place when the registry changes."""

    __slots__ = (
        "_day",
        "_day_begins",
        "_day_ends",
        "box",
        "cell",
        "id",
        "interim_seconds",
        "latency",
        "locale",
        "max_session_seconds",
        "prefix",
        "ready",
        "slug",
        "stale_seconds",
        "suspended",
        "zone",
    )

    def __init__(self, row: Mapping[str, Any], box: SecretBox) -> None:
        self.id: int = row["id"]
        # (profile, version, style) → encoded attributes of the Accept, and the profile's time windows
        self.ready: dict[tuple[int, int, str], tuple[bytes, list[dict[str, int]]]] = {}
        self.latency = [0] * LATENCY_SLOTS  # answers by how long they took; counters.LATENCY_OUTCOMES names the slots
        self.update(row, box)

    def update(self, row: Mapping[str, Any], box: SecretBox) -> None:
        """Take over the registry's row."""
        self.slug: str = row["slug"]
        self.prefix: str = row["nas_prefix"]
        self.cell: str = row["cell"]
        self.suspended: bool = row["state"] != "active"
        self.locale: str = row["locale"]
        self.interim_seconds: int = row["interim_seconds"]
        self.max_session_seconds: int = row["max_session_seconds"] or _NEVER_SECONDS
        self.stale_seconds: int = row["stale_intervals"] * row["interim_seconds"]
        self.zone = _zone(row["timezone"])
        self.box = box
        self.ready.clear()
        self._day = 0
        self._day_begins = self._day_ends = 0.0

    def day_number(self, at: float) -> int:
        """The tenant's local date at this instant, as days since 1970; cached: nearly all packets are of today."""
        if self._day_begins <= at < self._day_ends:
            return self._day
        local = datetime.fromtimestamp(at, self.zone)
        day = local.date().toordinal() - _EPOCH_ORDINAL
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        # The next midnight may be 23 hours away; keep the answer only for the hours that surely belong to the day.
        self._day, self._day_begins = day, midnight.timestamp()
        self._day_ends = self._day_begins + 82800
        return day


class NasEntry:
    """A router. Counters of its packets gather here between two reports."""

    __slots__ = (
        "address",
        "coa_port",
        "counts",
        "ddns_name",
        "dialect",
        "expired",
        "extra",
        "id",
        "identifier",
        "invert",
        "last_at",
        "last_source",
        "options",
        "rate_unit",
        "region_id",
        "required",
        "saved_at",
        "saved_source",
        "secret",
        "seen",
        "style",
        "tenant",
        "touched",
    )

    def __init__(self, row: Mapping[str, Any], tenant: TenantEntry) -> None:
        self.id: int = row["id"]
        self.counts: dict[tuple[str, str], int] = {}
        self.touched = False
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
        self.ddns_name: str = row["ddns_name"] if row["auth_mode"] == "ddns" else ""
        self.coa_port: int = row["coa_port"]
        self.required: bool = row["message_authenticator"] == "required"
        self.invert: bool = row["invert_directions"]
        self.region_id: int | None = row["region_id"]
        self.options: Mapping[str, Any] = options
        self.dialect: Dialect = dialect_for(row["vendor"])
        self.rate_unit: str = str(options.get("rate_unit") or "")
        self.style: str = f"{self.dialect.key}|{int(self.invert)}|{self.rate_unit}|{tenant.interim_seconds}"
        self.extra = _extra(options)
        self.expired = _expired_profile(options, tenant)


class Directory:
    """All tenants and NAS of the cloud; only the event loop's thread touches it."""

    def __init__(self) -> None:
        self.tenants: dict[int, TenantEntry] = {}
        self.nas: dict[int, NasEntry] = {}
        self.by_identifier: dict[bytes, NasEntry] = {}
        self.by_address: dict[str, NasEntry] = {}
        self.by_prefix: dict[str, TenantEntry] = {}

    def find(self, identifier: bytes | None, address: str) -> NasEntry | None:
        """The NAS of a packet: its identifier decides, else the source address where one is registered as fixed."""
        if identifier is not None:
            nas = self.by_identifier.get(identifier)
            if nas is not None:
                return nas
        return self.by_address.get(address)

    def tenant_of_prefix(self, identifier: str) -> TenantEntry | None:
        """Whose prefix an unknown identifier has (TEN-4): ``<prefix>-<name>``, the longest prefix that exists."""
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
        self.by_identifier[nas.identifier] = nas
        if nas.address:
            self.by_address[nas.address] = nas
        return True

    def remove_nas(self, nas_id: int) -> None:
        """Forget a NAS."""
        nas = self.nas.pop(nas_id, None)
        if nas is not None:
            self._unlink(nas)

    def set_dynamic_addresses(self, nas: NasEntry, addresses: Iterable[str]) -> None:
        """What the NAS's DDNS name resolves to now; a fixed registration of another NAS wins."""
        for known in [address for address, owner in self.by_address.items() if owner is nas]:
            del self.by_address[known]
        for address in addresses:
            self.by_address.setdefault(address, nas)

    def _unlink(self, nas: NasEntry) -> None:
        if self.by_identifier.get(nas.identifier) is nas:
            del self.by_identifier[nas.identifier]
        if nas.address and self.by_address.get(nas.address) is nas:
            del self.by_address[nas.address]
        elif nas.ddns_name:
            self.set_dynamic_addresses(nas, ())


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _extra(options: Mapping[str, Any]) -> bytes:
    """The NAS's extra attributes; a text that does not parse was refused where it was written, so it is passed over."""
    try:
        return encode_extra(str(options.get("extra") or ""))
    except ValueError:
        return b""


def _expired_profile(options: Mapping[str, Any], tenant: TenantEntry) -> ReplyProfile | None:
    """What an expired subscriber receives instead of a refusal (NET-4): any of pool, address list, redirect, rates."""
    wanted = options.get("expired") or {}
    if not isinstance(wanted, Mapping) or not any(wanted.values()):
        return None
    return ReplyProfile(
        up_bps=_number(wanted.get("up_bps")),
        down_bps=_number(wanted.get("down_bps")),
        pool=str(wanted.get("pool") or ""),
        address_list=str(wanted.get("address_list") or wanted.get("acl") or ""),
        redirect_url=str(wanted.get("redirect_url") or ""),
        dns1=str(wanted.get("dns1") or ""),
        dns2=str(wanted.get("dns2") or ""),
        interim_seconds=tenant.interim_seconds,
    )


def _number(value: Any) -> int | None:
    try:
        return int(value) if value else None
    except (TypeError, ValueError):
        return None
