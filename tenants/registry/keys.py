"""Tenants' data keys: each ISP's secrets are sealed under its own key, which is wrapped by the installation's secret.

Deleting the wrapped key makes every stored secret of the tenant unreadable for ever (TEN-5, crypto-shredding).
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from infra.crypto import DATA_KEY, SecretBox, master_box, new_data_key
from infra.db import Database
from infra.tenant_scope import TenantScope, unscoped
from tenants.registry.errors import TenantNotFound
from tenants.registry.models import Tenant

_LARGEST_CACHE = 20_000


class Keyring:
    """The installation's master box and the data keys opened so far; one per process."""

    def __init__(self) -> None:
        self._master: SecretBox | None = None
        self._boxes: dict[tuple[str, int], SecretBox] = {}

    def configure(self, secret_key: str) -> None:
        """Set the installation's secret; call once per process, before any secret is read or written."""
        self._master = master_box(secret_key)
        self._boxes.clear()

    def wrap(self, data_key: bytes, tenant_id: int) -> bytes:
        """Seal a data key, bound to its tenant."""
        return self._require().seal(data_key, DATA_KEY + str(tenant_id).encode())

    def unwrap(self, wrapped: bytes, tenant_id: int) -> SecretBox:
        """The box of a wrapped data key. Raises :class:`infra.crypto.DecryptionError`."""
        return SecretBox(self._require().open(wrapped, DATA_KEY + str(tenant_id).encode()))

    def box(self, place: str, tenant_id: int, session: Session) -> SecretBox:
        """The tenant's box, from the cache or through ``session``. Raises :class:`TenantNotFound` when shredded."""
        known = self._boxes.get((place, tenant_id))
        if known is not None:
            return known
        wrapped = session.execute(select(Tenant.data_key_wrapped).where(Tenant.id == tenant_id)).scalar()
        if wrapped is None:
            raise TenantNotFound(what="tenant", ref=tenant_id)
        box = self.unwrap(wrapped, tenant_id)
        if len(self._boxes) >= _LARGEST_CACHE:
            self._boxes.clear()
        self._boxes[place, tenant_id] = box
        return box

    def forget(self) -> None:
        """Drop the opened keys (after shredding)."""
        self._boxes.clear()

    def master(self) -> SecretBox:
        """The installation's own box."""
        return self._require()

    def _require(self) -> SecretBox:
        if self._master is None:
            raise RuntimeError("tenants.registry.keys.configure(secret_key) was not called in this process")
        return self._master


_RING = Keyring()
configure = _RING.configure
forget = _RING.forget
cluster_box = _RING.master


def new_wrapped_key(tenant_id: int) -> bytes:
    """A fresh data key, wrapped for storing."""
    return _RING.wrap(new_data_key(), tenant_id)


def unwrap(wrapped: bytes, tenant_id: int) -> SecretBox:
    """The box of a wrapped data key that was read elsewhere (the packet path reads many at once)."""
    return _RING.unwrap(wrapped, tenant_id)


def box_for(scope: TenantScope) -> SecretBox:
    """The box that seals and opens the secrets of the scope's tenant."""
    return _RING.box(scope.database.url(), scope.tenant_id, scope.registry)


def tenant_box(database: Database, tenant_id: int) -> SecretBox:
    """As :func:`box_for` where there is no scope."""
    with unscoped(database, reason="open a tenant's data key outside of its scope") as session:
        return _RING.box(database.url(), tenant_id, session)
