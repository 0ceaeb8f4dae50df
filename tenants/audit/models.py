"""Tables of the operation log and the login log (STF-6, STF-7)."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantBase


class AuditEntry(TenantBase):
    """Who did what to which object; append-only (trigger) and hash-chained."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_object", "object_kind", "object_id"), Index("ix_audit_entries_at", "at"))
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str]  # operator | subscriber | agent | system | platform | cli
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str]
    address: Mapped[str] = mapped_column(server_default="")
    action: Mapped[str]  # "account.open", "nas.add" …
    object_kind: Mapped[str]
    object_id: Mapped[str]
    object_label: Mapped[str] = mapped_column(server_default="")
    before: Mapped[Any | None] = mapped_column(JSONB)
    after: Mapped[Any | None] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(server_default="")
    # Null until the sealing job chained it: a lock per entry would serialise a tenant.
    previous_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    position: Mapped[int | None] = mapped_column(
        BigInteger, unique=True
    )  # place in the chain, 1 … n; given with the hash


class LoginEntry(TenantBase):
    """One try to log in to a portal."""

    __tablename__ = "login_entries"
    __table_args__ = (Index("ix_login_entries_at", "at"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    realm: Mapped[str]  # admin | selfcare | agency
    subject: Mapped[str]
    address: Mapped[str]
    result: Mapped[str]  # ok | wrong_password | unknown | disabled | locked
    ended_at: Mapped[datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
