"""Tables of regions and address pools (NET-1, NET-4), and of certificates. Routers are ``registry.nas``.

Certificates stand in the registry, because the RADIUS cluster reads them. Private keys are always sealed.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import RegistryBase, TenantBase


class Region(TenantBase):
    """A place that permissions, plans, reminders and statistics refer to (NET-1)."""

    __tablename__ = "regions"
    __table_args__ = (Index("uq_regions_name", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    title: Mapped[str] = mapped_column(server_default="")
    content: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]


POOL_KINDS = ("normal", "expiring", "expired")


class AddressPool(TenantBase):
    """What the staff know of a pool that lives on the routers; groups and routers refer to it by its name (NET-4)."""

    __tablename__ = "address_pools"
    __table_args__ = (CheckConstraint(f"kind IN {POOL_KINDS!r}", name="kind"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(server_default="normal")
    region_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.regions.id"))
    remark: Mapped[str] = mapped_column(server_default="")


class TenantCertificate(RegistryBase):
    """A tenant's own authority, and the chain that its EAP servers show to subscribers' devices (RAD-2).

    ``authority_*`` stays when a chain of the tenant's own is uploaded, so that there is a way back.
    """

    __tablename__ = "tenant_certificates"
    __table_args__ = (CheckConstraint("source IN ('own_authority','uploaded')", name="source"),)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("registry.tenants.id"), primary_key=True)
    authority_pem: Mapped[str]
    authority_key_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    chain_pem: Mapped[str]  # the server's certificate first
    key_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    source: Mapped[str] = mapped_column(server_default="own_authority")
    expires_at: Mapped[datetime] = mapped_column(index=True)  # of the server's certificate
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RadsecCredential(RegistryBase):
    """What a router shows to be let in through RadSec: a client certificate or a pre-shared key (RFC 6614).

    ``identity`` is what it is found by: the SHA-256 fingerprint of the certificate, or the identity of the key.
    """

    __tablename__ = "radsec_credentials"
    __table_args__ = (
        CheckConstraint("kind IN ('certificate','psk')", name="kind"),
        CheckConstraint("(kind = 'psk') = (psk_sealed IS NOT NULL)", name="psk"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("registry.tenants.id"), index=True)
    nas_id: Mapped[int] = mapped_column(ForeignKey("registry.nas.id"), index=True)
    kind: Mapped[str]
    identity: Mapped[str] = mapped_column(unique=True)
    serial: Mapped[str] = mapped_column(server_default="")
    psk_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(server_default="")
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str] = mapped_column(server_default="")
    last_used_at: Mapped[datetime | None]
    last_source: Mapped[str] = mapped_column(server_default="")


class OwnDialect(RegistryBase):
    """How an ISP speaks to a kind of router in its own words (NET-3); ``key`` is what its routers name as make."""

    __tablename__ = "dialects"
    __table_args__ = (UniqueConstraint("tenant_id", "key", name="uq_dialects_tenant_id_key"),)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("registry.tenants.id"))
    key: Mapped[str]  # own-<name>
    text: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_by: Mapped[str] = mapped_column(server_default="")


class ClusterCertificate(RegistryBase):
    """The installation's own authority and server certificate (``name``: radsec); keys sealed under its master key.

    One for all tenants: which of them is calling is known only once the router has shown its certificate.
    """

    __tablename__ = "cluster_certificates"
    name: Mapped[str] = mapped_column(primary_key=True)
    authority_pem: Mapped[str]
    authority_key_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    chain_pem: Mapped[str]
    key_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
