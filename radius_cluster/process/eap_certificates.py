"""The TLS profiles of tenants for EAP: loaded at a tenant's first EAP login, kept, and renewed when it says so.

A tenant that has no certificate yet gets one here, so that EAP works from the first login on.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import structlog

from infra import clock
from infra.crypto import CERTIFICATE_KEY
from radius_cluster.listen.database import connect
from radius_cluster.process.eap.tls_profile import TlsProfile
from radius_cluster.routing.directory import TenantEntry
from tenants.network.rules_certificates import eap_server_name, make_pki

LOG = structlog.get_logger(__name__)

_LOAD: Final = "SELECT chain_pem, key_sealed, version FROM registry.tenant_certificates WHERE tenant_id = $1"
_NAME: Final = "SELECT name FROM registry.tenants WHERE id = $1"
_ADD: Final = """
INSERT INTO registry.tenant_certificates (tenant_id, authority_pem, authority_key_sealed, chain_pem, key_sealed,
  expires_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
"""
_LOOK_AGAIN_SECONDS: Final = 300.0  # a notification may have been lost
_MOST_PROFILES: Final = 2_000  # some 30 kB each
_MOST_WAITING: Final = 1_000
_TIMEOUT_SECONDS: Final = 5.0


class _Kept:
    __slots__ = ("looked_at", "profile", "version")

    def __init__(self, profile: TlsProfile, version: int) -> None:
        self.profile = profile
        self.version = version
        self.looked_at = time.monotonic()


class TenantTls:
    """One per process; its connection to the registry is made when it is needed."""

    def __init__(self, url: str, base_domain: str) -> None:
        self._url = url
        self._base_domain = base_domain
        self._connection: Any = None
        self._kept: dict[int, _Kept] = {}
        self._waiting: dict[int, list[Callable[[bool], None]]] = {}
        self._outdated: set[int] = set()  # tenants whose certificate has changed while it was loaded
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def ready(self, tenant: TenantEntry) -> TlsProfile | None:
        """The profile if it is here; None: call :meth:`when_ready`."""
        kept = self._kept.get(tenant.id)
        if kept is None:
            return None
        if time.monotonic() - kept.looked_at > _LOOK_AGAIN_SECONDS and tenant.id not in self._waiting:
            kept.looked_at = time.monotonic()
            self._start(tenant)
        return kept.profile

    def when_ready(self, tenant: TenantEntry, go_on: Callable[[bool], None]) -> None:
        """Load the profile, then call ``go_on(True)``; ``go_on(False)`` when the registry cannot be reached."""
        waiting = self._waiting.get(tenant.id)
        if waiting is None:
            self._start(tenant)
            waiting = self._waiting[tenant.id]
        if len(waiting) < _MOST_WAITING:
            waiting.append(go_on)
        else:
            go_on(False)

    def forget(self, tenant_id: int) -> None:
        """The tenant's certificate has changed: the next login loads it."""
        self._kept.pop(tenant_id, None)
        if tenant_id in self._waiting:
            self._outdated.add(tenant_id)

    def close(self) -> None:
        """Stop loading."""
        for task in self._tasks:
            task.cancel()
        if self._connection is not None:
            self._connection.terminate()

    def _start(self, tenant: TenantEntry) -> None:
        self._waiting[tenant.id] = []
        task = asyncio.get_running_loop().create_task(self._load(tenant))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _load(self, tenant: TenantEntry) -> None:
        loaded = False
        try:
            row = await self._read(tenant)
            while tenant.id in self._outdated:
                row = await self._read(tenant)
            self._keep(tenant, row)
            loaded = True
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever the cause: supplicants ask again
            LOG.warning("eap_certificate_unreadable", tenant=tenant.slug, error=f"{type(error).__name__}: {error}")
        finally:
            self._outdated.discard(tenant.id)
            for go_on in self._waiting.pop(tenant.id, []):
                try:
                    go_on(loaded)
                except Exception:  # of one login: the others go on
                    LOG.exception("eap_login_failed", tenant=tenant.slug)

    async def _read(self, tenant: TenantEntry) -> Any:
        """The row. All that are asked for at once wait together while the registry hangs, not one after the other."""
        async with asyncio.timeout(_TIMEOUT_SECONDS), self._lock:
            self._outdated.discard(tenant.id)
            try:
                return await self._row(tenant)
            except BaseException:  # it may be busy with this still; nobody else uses it before the lock is free
                if self._connection is not None:
                    self._connection.terminate()
                    self._connection = None
                raise

    def _keep(self, tenant: TenantEntry, row: Any) -> None:
        kept = self._kept.get(tenant.id)
        if kept is not None and kept.version == row["version"]:  # with it stay the sessions that may be resumed
            kept.looked_at = time.monotonic()
            return
        key = tenant.box.open(row["key_sealed"], CERTIFICATE_KEY)
        profile = TlsProfile(row["chain_pem"].encode(), key, session_context=b"tenant-%d" % tenant.id)
        while len(self._kept) >= _MOST_PROFILES:
            del self._kept[next(iter(self._kept))]
        self._kept[tenant.id] = _Kept(profile, row["version"])

    async def _row(self, tenant: TenantEntry) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._url, "broadloom radius certificates")
        row = await self._connection.fetchrow(_LOAD, tenant.id)
        if row is None:
            await self._make(tenant)
            row = await self._connection.fetchrow(_LOAD, tenant.id)
        return row

    async def _make(self, tenant: TenantEntry) -> None:
        name = await self._connection.fetchval(_NAME, tenant.id)
        made = make_pki(f"{name} CA", [eap_server_name(tenant.slug, self._base_domain)], clock.now())
        await self._connection.execute(
            _ADD,
            tenant.id,
            made.authority.certificate_pem.decode(),
            tenant.box.seal(made.authority.key_pem, CERTIFICATE_KEY),
            made.chain_pem.decode(),
            tenant.box.seal(made.key_pem, CERTIFICATE_KEY),
            made.expires_at,
        )
        LOG.info("eap_certificate_made", tenant=tenant.slug)
