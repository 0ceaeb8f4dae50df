"""Tables of schema ``registry``: the ISPs, their routers' directory, cells, nodes; and the tenant's settings."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import RegistryBase, TenantBase

SLUG_PATTERN = "^[a-z][a-z0-9-]{1,28}[a-z0-9]$"


class Cell(RegistryBase):
    """One PostgreSQL cluster; its URL comes from the settings, never from the database."""

    __tablename__ = "cells"
    name: Mapped[str] = mapped_column(primary_key=True)
    accepts_tenants: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Tier(RegistryBase):
    """A service tier an ISP can order (TEN-2); null limits are unlimited."""

    __tablename__ = "tiers"
    code: Mapped[str] = mapped_column(primary_key=True)
    name_en: Mapped[str]
    name_zh: Mapped[str]
    sort: Mapped[int] = mapped_column(SmallInteger)
    monthly_price: Mapped[Decimal]
    max_accounts: Mapped[int | None]
    max_nas: Mapped[int | None]
    max_sessions: Mapped[int | None]
    features: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class Tenant(RegistryBase):
    """One ISP. ``data_key_wrapped`` encrypts its secrets; deleting it shreds them (TEN-5)."""

    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint(f"slug ~ '{SLUG_PATTERN}'", name="slug"),
        CheckConstraint("state IN ('provisioning','active','suspended','deleted')", name="state"),
    )
    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str] = mapped_column(server_default="")
    tier_code: Mapped[str] = mapped_column(ForeignKey("registry.tiers.code"))
    cell: Mapped[str] = mapped_column(ForeignKey("registry.cells.name"))
    state: Mapped[str] = mapped_column(server_default="provisioning")
    nas_prefix: Mapped[str] = mapped_column(unique=True)
    timezone: Mapped[str] = mapped_column(server_default="Asia/Shanghai")
    locale: Mapped[str] = mapped_column(server_default="zh")
    currency: Mapped[str] = mapped_column(server_default="CNY")
    interim_seconds: Mapped[int] = mapped_column(server_default="300")
    max_session_seconds: Mapped[int] = mapped_column(server_default="86400")
    stale_intervals: Mapped[int] = mapped_column(server_default="4")
    data_key_wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    schema_version: Mapped[str] = mapped_column(server_default="")
    tier_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    suspended_at: Mapped[datetime | None]
    suspended_reason: Mapped[str] = mapped_column(server_default="")
    directory_version: Mapped[int] = mapped_column(BigInteger, server_default="1")


class Owner(RegistryBase):
    """Who signed a tenant up; an e-mail address owns one tenant."""

    __tablename__ = "owners"
    tenant_id: Mapped[int] = mapped_column(ForeignKey("registry.tenants.id"), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)  # lower case
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SignUp(RegistryBase):
    """A sign-up waiting for its e-mail verification; reserves the slug until it expires."""

    __tablename__ = "sign_ups"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    slug: Mapped[str]
    name: Mapped[str]
    contact_name: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str]
    phone: Mapped[str]
    password_hash: Mapped[str]
    tier_code: Mapped[str] = mapped_column(ForeignKey("registry.tiers.code"))
    locale: Mapped[str] = mapped_column(server_default="zh")
    timezone: Mapped[str] = mapped_column(server_default="Asia/Shanghai")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("registry.tenants.id"))


class Hostname(RegistryBase):
    """A tenant's own domain (TEN-7)."""

    __tablename__ = "hostnames"
    hostname: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("registry.tenants.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    verified_at: Mapped[datetime | None]


class Nas(RegistryBase):
    """A router: the only NAS table, because its identifier must be unique over the whole cloud (radius.md)."""

    __tablename__ = "nas"
    __table_args__ = (
        CheckConstraint("auth_mode IN ('identifier','address','ddns')", name="auth_mode"),
        CheckConstraint("message_authenticator IN ('required','optional')", name="message_authenticator"),
        CheckConstraint("identifier !~ '[[:cntrl:]]' AND length(identifier) BETWEEN 1 AND 253", name="identifier"),
        CheckConstraint("coa_port BETWEEN 1 AND 65535", name="coa_port"),
        CheckConstraint("stale_seconds BETWEEN 120 AND 604800", name="stale_seconds"),
        Index(
            "ix_nas_address_fixed",
            "address",
            unique=True,
            postgresql_where=text("auth_mode = 'address' AND deleted_at IS NULL"),
        ),
        Index("uq_nas_identifier", "identifier", unique=True, postgresql_where=text("deleted_at IS NULL")),
        Index("ix_nas_stale_seconds", "tenant_id", postgresql_where=text("stale_seconds IS NOT NULL")),
        Index("uq_nas_name", "tenant_id", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),
    )
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("registry.tenants.id"), index=True)
    identifier: Mapped[str]
    name: Mapped[str]
    vendor: Mapped[str]  # key of a dialect
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    auth_mode: Mapped[str] = mapped_column(server_default="identifier")
    address: Mapped[Any | None] = mapped_column(INET)
    ddns_name: Mapped[str] = mapped_column(server_default="")
    ddns_addresses: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # the last good answer
    ddns_resolved_at: Mapped[datetime | None]  # of the last good answer
    ddns_checked_at: Mapped[datetime | None]
    ddns_error: Mapped[str] = mapped_column(server_default="")  # why the last question got none
    coa_port: Mapped[int] = mapped_column(server_default="3799")
    message_authenticator: Mapped[str] = mapped_column(server_default="required")
    invert_directions: Mapped[bool] = mapped_column(server_default=text("false"))
    region_id: Mapped[int | None] = mapped_column(BigInteger)  # tenant's regions.id; no foreign key across schemas
    timezone: Mapped[str] = mapped_column(server_default="")
    stale_seconds: Mapped[int | None]  # how long its sessions may be silent; null = as long as the tenant's
    options: Mapped[dict[str, Any]] = mapped_column(
        server_default=text("'{}'")
    )  # expired pool/ACL/rate, extra attributes …
    remark: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]
    script_copied_at: Mapped[datetime | None]
    first_packet_at: Mapped[datetime | None]
    first_accept_at: Mapped[datetime | None]
    first_online_at: Mapped[datetime | None]
    last_packet_at: Mapped[datetime | None]
    last_source: Mapped[str] = mapped_column(server_default="")  # address:port of the last verified packet
    # For two routers of one identifier (radius_cluster/report.py): the other addresses of the last minutes with the
    # seconds since 1970 of their last packet, and how often in a row packets came from one of them again.
    other_sources: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    returns: Mapped[int] = mapped_column(server_default="0")
    returned_at: Mapped[datetime | None]


class Node(RegistryBase):
    """A process of the RADIUS cluster, alive while its heartbeat is young (TEN-3, TEN-5)."""

    __tablename__ = "nodes"
    node: Mapped[str] = mapped_column(primary_key=True)  # host:pid
    kind: Mapped[str]  # radius | coa | worker | scheduler | web
    host: Mapped[str]
    pid: Mapped[int]
    address: Mapped[str] = mapped_column(server_default="")
    auth_port: Mapped[int | None]
    acct_port: Mapped[int | None]
    radsec_port: Mapped[int | None]
    state: Mapped[str] = mapped_column(server_default="running")  # running | draining | degraded
    link: Mapped[str] = mapped_column(server_default="")  # where processes of other hosts reach it: address and port
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    counters: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    memory_octets: Mapped[int | None] = mapped_column(BigInteger)


class PlatformOperator(RegistryBase):
    """Somebody who runs the cloud itself (TEN-5)."""

    __tablename__ = "platform_operators"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    session_epoch: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_login_at: Mapped[datetime | None]


class PlatformAuditEntry(RegistryBase):
    """What platform operators did (suspend, resume, support login …)."""

    __tablename__ = "platform_audit"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    tenant_id: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    address: Mapped[str] = mapped_column(server_default="")


class SupportLogin(RegistryBase):
    """Somebody of the platform inside a tenant's administration (TEN-5): valid until ``ends_at`` or ``ended_at``."""

    __tablename__ = "support_logins"
    __table_args__ = (
        CheckConstraint("ends_at > started_at AND ends_at <= started_at + interval '60 minutes'", name="length"),
        CheckConstraint("length(reason) >= 5", name="reason"),
        Index("ix_support_logins_tenant_id", "tenant_id", "ends_at"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("registry.tenants.id"))
    platform_operator_id: Mapped[int] = mapped_column(ForeignKey("registry.platform_operators.id"))
    operator: Mapped[str]
    reason: Mapped[str]
    address: Mapped[str] = mapped_column(server_default="")
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(server_default="")


class TenantMigration(RegistryBase):
    """Where each tenant's schema stands: resumable, parallel migration (architecture.md)."""

    __tablename__ = "tenant_migrations"
    __table_args__ = (UniqueConstraint("tenant_id"),)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("registry.tenants.id"), primary_key=True)
    version: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="done")  # done | failed
    error: Mapped[str] = mapped_column(server_default="")
    migrated_at: Mapped[datetime]


class TenantSetting(TenantBase):
    """One setting that differs from its default (TEN-9); the catalogue of keys is in ``registry/settings.py``."""

    __tablename__ = "settings"
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(server_default="")
