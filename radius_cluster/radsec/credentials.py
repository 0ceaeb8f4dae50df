"""Who may come in: fingerprints and pre-shared keys of routers, fresh from the registry; the server's certificate."""

import asyncio
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final

import structlog
from cryptography.x509 import DNSName, IPAddress, SubjectAlternativeName, load_pem_x509_certificate

from infra import clock
from infra.certificates import Certificate
from infra.crypto import CLUSTER_CERTIFICATE_KEY, RADSEC_PSK, DecryptionError, SecretBox
from radius_cluster.listen.set_or_late import set_or_late
from radius_cluster.listen.stay_connected import stay_connected
from radius_cluster.routing.directory import Directory
from tenants.network.rules_certificates import RADSEC, Pki, make_pki, needs_renewal, renew_pki

LOG = structlog.get_logger(__name__)

_CREDENTIALS: Final = (
    "SELECT id, tenant_id, nas_id, kind, identity, psk_sealed, revoked_at IS NOT NULL AS withdrawn,"
    " extract(epoch FROM expires_at)::float8 AS expires_at FROM registry.radsec_credentials"
)
_SERVER: Final = (
    "SELECT authority_pem, authority_key_sealed, chain_pem, key_sealed, expires_at FROM registry.cluster_certificates"
    " WHERE name = $1"
)
_ADD_SERVER: Final = """
INSERT INTO registry.cluster_certificates (name, authority_pem, authority_key_sealed, chain_pem, key_sealed, expires_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
"""
_RENEW_SERVER: Final = """
UPDATE registry.cluster_certificates SET chain_pem = $2, key_sealed = $3, expires_at = $4, updated_at = now()
WHERE name = $1
"""
_USED: Final = """
UPDATE registry.radsec_credentials c SET last_used_at = to_timestamp(q.at), last_source = q.source
FROM unnest($1::bigint[], $2::float8[], $3::text[]) AS q(id, at, source) WHERE c.id = q.id
"""
_LOOK_EVERY_SECONDS: Final = 30.0
_SERVER_EVERY_SECONDS: Final = 3_600.0


class Credential:
    """One certificate or key of a router."""

    __slots__ = ("expires_at", "id", "key", "nas_id", "tenant_id", "withdrawn")

    def __init__(self, row: Any, key: bytes | None) -> None:
        self.id: int = row["id"]
        self.tenant_id: int = row["tenant_id"]
        self.nas_id: int = row["nas_id"]
        self.withdrawn: bool = row["withdrawn"]
        self.expires_at: float = row["expires_at"] or 0.0
        self.key = key

    def is_valid(self, now: float) -> bool:
        """Neither withdrawn nor expired."""
        return not self.withdrawn and not (self.expires_at and self.expires_at <= now)


class Credentials:
    """All of the cloud, by identity."""

    def __init__(
        self, url: str, master: SecretBox, directory: Directory, server_names: list[str], changed: Callable[[], None]
    ) -> None:
        """``changed`` is called after something was withdrawn or added, and after the server's certificate changed."""
        self._url = url
        self._master = master
        self._directory = directory
        self._server_names = server_names
        self._changed = changed
        self._wake = asyncio.Event()
        self._is_old = False  # the registry has others than we
        self._used: dict[int, tuple[float, str]] = {}
        self.by_identity: dict[str, Credential] = {}
        self.server: Pki | None = None
        self.ready = asyncio.Event()

    def find_key(self, identity: bytes) -> bytes | None:
        """The pre-shared key of this identity, while it is valid."""
        found = self.by_identity.get(identity.decode("utf-8", "replace"))
        return found.key if found is not None and found.is_valid(clock.now().timestamp()) else None

    def used(self, credential: Credential, source: str) -> None:
        """Note a connection; written in a moment. Nothing is looked up for it: thousands may connect at once."""
        self._used[credential.id] = (clock.now().timestamp(), source)
        self._wake.set()

    def look(self, _nas_id: int) -> None:
        """The registry says that a router's credentials have changed."""
        self._is_old = True
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. While the registry is away, what was known stays."""
        await stay_connected(self._url, "broadloom radsec credentials", self._serve, "radsec_credentials_unreachable")

    async def _serve(self, connection: Any) -> None:
        server_at = look_at = 0.0
        while True:
            now = time.monotonic()
            if now >= server_at:
                await self._load_server(connection)
                server_at = now + _SERVER_EVERY_SECONDS
            self._wake.clear()
            if self._is_old or now >= look_at:
                self._is_old = False
                await self._load_credentials(connection)
                look_at = now + _LOOK_EVERY_SECONDS
            await self._save_used(connection)
            self.ready.set()
            if await set_or_late(self._wake, max(0.0, look_at - time.monotonic())):
                await asyncio.sleep(0.05)  # what comes together is looked at together

    async def _load_credentials(self, connection: Any) -> None:
        found: dict[str, Credential] = {}
        for row in await connection.fetch(_CREDENTIALS):
            key = None
            if row["kind"] == "psk":
                tenant = self._directory.tenants.get(row["tenant_id"])
                if tenant is None:
                    continue
                try:
                    key = tenant.box.open(row["psk_sealed"], RADSEC_PSK)
                except DecryptionError:
                    LOG.error("radsec_key_unreadable", tenant=tenant.slug, identity=row["identity"])
                    continue
            found[row["identity"]] = Credential(row, key)
        self.by_identity = found
        self._changed()

    async def _save_used(self, connection: Any) -> None:
        used, self._used = self._used, {}
        if not used:
            return
        try:
            instants = [value[0] for value in used.values()]
            await connection.execute(_USED, list(used), instants, [value[1] for value in used.values()])
        except BaseException:
            self._used = used | self._used
            raise

    async def _load_server(self, connection: Any) -> None:
        """The server's certificate: made if there is none, renewed in time or when it lacks a name."""
        row = await connection.fetchrow(_SERVER, RADSEC)
        if row is None:
            made = make_pki("Broadloom RadSec CA", self._server_names, clock.now())
            seal = self._master.seal
            await connection.execute(
                _ADD_SERVER,
                RADSEC,
                made.authority.certificate_pem.decode(),
                seal(made.authority.key_pem, CLUSTER_CERTIFICATE_KEY),
                made.chain_pem.decode(),
                seal(made.key_pem, CLUSTER_CERTIFICATE_KEY),
                made.expires_at,
            )
            row = await connection.fetchrow(_SERVER, RADSEC)
        box = self._master
        authority = Certificate(
            row["authority_pem"].encode(), box.open(row["authority_key_sealed"], CLUSTER_CERTIFICATE_KEY)
        )
        server = Pki(
            authority,
            row["chain_pem"].encode(),
            box.open(row["key_sealed"], CLUSTER_CERTIFICATE_KEY),
            row["expires_at"],
        )
        has_all = names_in(server.chain_pem).issuperset(map(as_in_certificates, self._server_names))
        if needs_renewal(server.expires_at, clock.now()) or not has_all:
            server = renew_pki(authority, self._server_names, clock.now())
            sealed = box.seal(server.key_pem, CLUSTER_CERTIFICATE_KEY)
            await connection.execute(_RENEW_SERVER, RADSEC, server.chain_pem.decode(), sealed, server.expires_at)
            LOG.info("radsec_certificate_renewed", names=self._server_names)
        self.server = server
        self._changed()


def as_in_certificates(name: str) -> str:
    """An address in the one form that :func:`names_in` gives; a name as it is."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name


def names_in(chain_pem: bytes) -> set[str]:
    """DNS names and addresses in the first certificate."""
    certificate = load_pem_x509_certificate(chain_pem)
    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    return {*names.get_values_for_type(DNSName), *(str(one) for one in names.get_values_for_type(IPAddress))}
