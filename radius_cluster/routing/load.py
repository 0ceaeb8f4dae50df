"""Keeps the directory fresh: all of it at start, single rows by NOTIFY (a NAS added in the portal works at once), and a
look every half minute for what a lost connection may have missed. What it had last is kept on disk (on_disk.py)."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog

from infra.crypto import DATA_KEY, DecryptionError, SecretBox
from infra.radius_text.dialects import Dialect, parse_dialect
from radius_cluster.listen.set_or_late import set_or_late
from radius_cluster.listen.stay_connected import stay_connected
from radius_cluster.routing.directory import Directory, TenantEntry
from radius_cluster.routing.on_disk import DirectoryOnDisk, DirectoryRows

LOG = structlog.get_logger(__name__)
_LOOK_EVERY_SECONDS = 30.0
_REGISTRY_IS_AWAY_SECONDS = 1.0  # when it has not given the directory so long after the start
_TENANTS = (
    "SELECT id, slug, nas_prefix, cell, state, locale, timezone, interim_seconds, max_session_seconds, stale_intervals,"
    " data_key_wrapped FROM registry.tenants WHERE state IN ('active', 'suspended')"
)
_NAS = (
    "SELECT id, tenant_id, identifier, vendor, secret_sealed, auth_mode, host(address) AS address, ddns_addresses,"
    " coa_port, message_authenticator, invert_directions, region_id, options, stale_seconds, first_packet_at,"
    " first_accept_at, first_online_at,"
    " deleted_at FROM registry.nas WHERE deleted_at IS NULL"
)
_DIALECTS = "SELECT tenant_id, key, text, version FROM registry.dialects"
# Changes whenever a row that we keep is added, changed or removed; cheap enough to ask twice a minute.
_FINGERPRINT = (
    "SELECT (SELECT count(*) || ':' || COALESCE(sum(directory_version), 0) || ':' ||"
    " COALESCE(sum(hashtext(state || slug || nas_prefix || timezone || locale || interim_seconds ||"
    " max_session_seconds)), 0) FROM registry.tenants) || '/' || (SELECT count(*) || ':' || COALESCE(max(id), 0)"
    " || ':' || COALESCE(extract(epoch FROM max(updated_at)), 0) FROM registry.nas WHERE deleted_at IS NULL)"
    " || '/' || (SELECT count(*) || ':' || COALESCE(sum(version), 0) || ':' || COALESCE(max(id), 0)"
    " FROM registry.dialects)"
)


class DirectoryLoader:
    """Owns the one connection to the registry that the directory is read through."""

    def __init__(
        self, url: str, master: SecretBox, directory: Directory, on_disk: DirectoryOnDisk | None = None
    ) -> None:
        self._url = url
        self._master = master
        self._directory = directory
        self._on_disk = on_disk
        self._saved = ""  # the fingerprint of what we put on disk last
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._fingerprint = ""  # of what came from the registry last
        self._putting = asyncio.Lock()  # else rows from the disk could come after newer ones
        self.ready = asyncio.Event()
        # Other things of the registry that somebody here keeps: kind of the notification → whom to call with its number
        self.followers: dict[str, Callable[[int], None]] = {}
        # What comes by other notifications: channel → whom to call with the text
        self.channels: dict[str, Callable[[str], None]] = {}

    async def run(self) -> None:
        """Until cancelled. While the registry is away the directory stays as it was."""
        from_disk = asyncio.create_task(self._load_from_disk())
        try:
            await stay_connected(self._url, "broadloom radius directory", self._serve, "directory_unreachable")
        finally:
            from_disk.cancel()

    async def _serve(self, connection: Any) -> None:
        await connection.add_listener("broadloom_directory", self._on_change)
        for channel in self.channels:
            await connection.add_listener(channel, self._on_other)
        connection.add_termination_listener(lambda _connection: self._wake.set())
        await self._load_all(connection)
        self.ready.set()
        await self._save(connection)
        look_at = time.monotonic() + _LOOK_EVERY_SECONDS
        while not connection.is_closed():
            await set_or_late(self._wake, max(0.0, look_at - time.monotonic()))
            self._wake.clear()
            if connection.is_closed():
                return
            await self._load_changed(connection)
            if time.monotonic() >= look_at:  # also in a registry that changes all the time
                if await connection.fetchval(_FINGERPRINT) != self._fingerprint:
                    await self._load_all(connection)
                await self._save(connection)
                look_at = time.monotonic() + _LOOK_EVERY_SECONDS

    async def _load_changed(self, connection: Any) -> None:
        changed, self._changed = self._changed, set()
        if not changed:
            return
        try:
            for reference in sorted(changed, reverse=True):  # tenants before their NAS
                await self._load_one(connection, reference)
            self._fingerprint = await connection.fetchval(_FINGERPRINT)
        except BaseException:
            self._changed |= changed
            raise

    def _on_change(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        self._changed.add(payload)
        self._wake.set()

    def _on_other(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        self.channels[channel](payload)

    async def _load_all(self, connection: Any) -> None:
        rows = await _read_all(connection)
        async with self._putting:
            self._fingerprint = rows.fingerprint
            await self._put_all(rows)
        LOG.info("directory_loaded", tenants=len(self._directory.tenants), nas=len(self._directory.nas))

    async def _load_from_disk(self) -> None:
        """Begin with what another process, or this one's forerunner, knew; the registry corrects it when it is back."""
        if self._on_disk is None:
            return
        if await set_or_late(self.ready, _REGISTRY_IS_AWAY_SECONDS):
            return
        rows = await asyncio.to_thread(self._on_disk.load)
        async with self._putting:
            if rows is None or self._fingerprint:
                return
            await self._put_all(rows)
            LOG.warning("directory_from_disk", tenants=len(self._directory.tenants), nas=len(self._directory.nas))
            self.ready.set()

    async def _save(self, connection: Any) -> None:
        """Put what the registry has now on disk, where that is not what lies there."""
        if self._on_disk is None or self._fingerprint == self._saved:
            return
        rows = await _read_all(connection)
        try:
            await asyncio.to_thread(self._on_disk.save, rows)
        except OSError as error:  # a full disk keeps nobody from serving
            LOG.warning("directory_not_saved", error=str(error))
        else:  # else the next look tries again
            self._saved = rows.fingerprint

    async def _put_all(self, rows: DirectoryRows) -> None:
        directory = self._directory
        for tenant_id in set(directory.tenants) - {row["id"] for row in rows.tenants}:
            directory.remove_tenant(tenant_id)
        for nas_id in set(directory.nas) - {row["id"] for row in rows.routers}:
            directory.remove_nas(nas_id)
        for row in rows.tenants:
            self._put_tenant(row)
        self._put_dialects(directory.tenants.values(), rows.dialects)
        for count, row in enumerate(rows.routers, 1):
            self._put_nas(row)
            if not count % 500:
                await asyncio.sleep(0)  # packets go first

    async def load_router(self, connection: Any, nas_id: int) -> None:
        """Put one router and its tenant into the directory, where they are to be served."""
        await self._load_one(connection, f"nas:{nas_id}")

    async def _load_one(self, connection: Any, reference: str) -> None:
        kind, _, number = reference.partition(":")
        if kind == "tenant":
            row = await connection.fetchrow(f"{_TENANTS} AND id = $1", int(number))
            if row is None:
                self._directory.remove_tenant(int(number))
            elif self._put_tenant(row):
                dialects = await connection.fetch(f"{_DIALECTS} WHERE tenant_id = $1", int(number))
                self._put_dialects([self._directory.tenants[int(number)]], dialects)
                # replies and secrets of its NAS depend on it
                for nas in await connection.fetch(f"{_NAS} AND tenant_id = $1", int(number)):
                    self._put_nas(nas)
        elif kind == "nas":
            row = await connection.fetchrow(f"{_NAS} AND id = $1", int(number))
            if row is None:
                self._directory.remove_nas(int(number))
            else:
                if row["tenant_id"] not in self._directory.tenants:
                    await self._load_one(connection, f"tenant:{row['tenant_id']}")
                self._put_nas(row)
        elif kind in self.followers:
            self.followers[kind](int(number))

    def _put_tenant(self, row: Mapping[str, Any]) -> bool:
        try:
            if row["data_key_wrapped"] is None:
                raise DecryptionError("the tenant has no data key")
            # The purpose binds a key to its tenant, as tenants.registry.keys does (which would bring SQLAlchemy along).
            key = self._master.open(row["data_key_wrapped"], DATA_KEY + str(row["id"]).encode())
        except DecryptionError as error:
            LOG.error("tenant_unreadable", tenant=row["slug"], error=str(error))
            self._directory.remove_tenant(row["id"])
            return False
        self._directory.put_tenant(row, SecretBox(key))
        return True

    def _put_dialects(self, tenants: Iterable[TenantEntry], rows: Iterable[Mapping[str, Any]]) -> None:
        """The tenants' own dialects; one that no longer parses is left out, and its routers get the standard one."""
        found: dict[int, dict[str, Dialect]] = {}
        for row in rows:
            try:
                # The version is part of the key, because encoded replies are kept by it.
                dialect = parse_dialect(f"{row['key']}@{row['version']}", row["text"])
            except ValueError as error:
                LOG.error("dialect_unreadable", tenant=row["tenant_id"], dialect=row["key"], error=str(error))
                continue
            found.setdefault(row["tenant_id"], {})[row["key"]] = dialect
        for tenant in tenants:
            tenant.dialects = found.get(tenant.id, {})

    def _put_nas(self, row: Mapping[str, Any]) -> None:
        try:
            fields = {**row, "options": json.loads(row["options"] or "{}")}
            if not self._directory.put_nas(fields):
                LOG.error("nas_unreadable", nas=row["identifier"])
        except Exception as error:  # options of another form than ours: they must keep no other router from serving
            LOG.error("nas_unreadable", nas=row["identifier"], error=f"{type(error).__name__}: {error}")


async def _read_all(connection: Any) -> DirectoryRows:
    fingerprint = await connection.fetchval(_FINGERPRINT)  # first: what changes meanwhile is seen at the next look
    tenants, routers = await connection.fetch(_TENANTS), await connection.fetch(_NAS)
    return DirectoryRows(fingerprint, tenants, routers, await connection.fetch(_DIALECTS))
