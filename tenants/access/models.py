"""``aaa.subscriber`` and ``aaa.profile``: the read model of the cluster, written with the business change."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from infra.db import AaaBase

STATE_ACTIVE, STATE_DISABLED, STATE_HELD = 1, 2, 3


class TransactionId(UserDefinedType[Any]):
    """PostgreSQL's xid8: a transaction's number, which never comes again."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        """The type's name in a definition."""
        return "xid8"


class Profile(AaaBase):
    """What an accepted login receives: one row per plan group (and rate), so editing a rate touches one row (NET-5)."""

    __tablename__ = "profile"
    __table_args__ = (Index("ix_profile_changed", "changed_in"),)
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True
    )  # plan group id; rate profiles of throttling: negative
    version: Mapped[int]
    up_bps: Mapped[int] = mapped_column(BigInteger)
    down_bps: Mapped[int] = mapped_column(BigInteger)
    burst_up_bps: Mapped[int | None] = mapped_column(BigInteger)
    burst_down_bps: Mapped[int | None] = mapped_column(BigInteger)
    threshold_up_bps: Mapped[int | None] = mapped_column(BigInteger)
    threshold_down_bps: Mapped[int | None] = mapped_column(BigInteger)
    burst_seconds: Mapped[int | None]
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="8")
    pool: Mapped[str] = mapped_column(server_default="")
    ipv6_pool: Mapped[str] = mapped_column(server_default="")
    dns1: Mapped[Any | None] = mapped_column(INET)
    dns2: Mapped[Any | None] = mapped_column(INET)
    windows: Mapped[Any | None] = mapped_column(JSONB)
    options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    # The transaction that wrote the row last (a trigger keeps it): shows the cluster that a reply is out of date.
    changed_in: Mapped[Any] = mapped_column(TransactionId(), server_default=text("pg_current_xact_id()"))


class Subscriber(AaaBase):
    """One account as the packet path needs it."""

    __tablename__ = "subscriber"
    __table_args__ = (
        Index("uq_subscriber_account", "tenant_id", "account_id", unique=True),
        # Accounting asks of every report whether its account has a quota: a small index says no without the row.
        Index("ix_subscriber_quota", "tenant_id", "account_id", postgresql_where=text("quota_kind > 0")),
        # Names with capitals, for logins that are given in other letters: few accounts have such.
        Index(
            "ix_subscriber_capitals",
            "tenant_id",
            text("lower(username)"),
            postgresql_where=text("username <> lower(username)"),
        ),
        {"postgresql_with": {"fillfactor": "90"}},
    )
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger)
    password_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[int] = mapped_column(SmallInteger)  # STATE_…
    activated: Mapped[bool]  # false: the first accepted login starts the period (SUB-3)
    valid_until: Mapped[datetime]  # may connect until here: expiry, or the end of the allowed days when in arrears
    in_arrears: Mapped[bool] = mapped_column(server_default=text("false"))
    renews: Mapped[bool] = mapped_column(
        server_default=text("false")
    )  # the balance covers the next period: he stays on
    max_sessions: Mapped[int] = mapped_column(SmallInteger)  # 0 = any number
    drop_oldest: Mapped[bool] = mapped_column(server_default=text("false"))
    profile_id: Mapped[int] = mapped_column(BigInteger)
    region_id: Mapped[int | None] = mapped_column(BigInteger)
    static_ip: Mapped[Any | None] = mapped_column(INET)
    bind_mac: Mapped[str] = mapped_column(server_default="")
    bind_nas_id: Mapped[int | None] = mapped_column(BigInteger)
    bind_port: Mapped[str] = mapped_column(server_default="")
    bind_options: Mapped[dict[str, Any] | None]
    # Quotas (RAD-3): null = none. How used counters reset is the billing engineer's rule.
    quota_kind: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    quota_octets: Mapped[int | None] = mapped_column(BigInteger)
    quota_seconds: Mapped[int | None] = mapped_column(BigInteger)
    quota_epoch: Mapped[int] = mapped_column(BigInteger, server_default="0")  # another epoch: counters count from 0
    pack_octets: Mapped[int] = mapped_column(BigInteger, server_default="0")  # used after the plan's own quota
    pack_seconds: Mapped[int] = mapped_column(BigInteger, server_default="0")
    quota_cut: Mapped[bool] = mapped_column(server_default=text("true"))
    throttle_profile_id: Mapped[int | None] = mapped_column(BigInteger)
    locale: Mapped[str] = mapped_column(server_default="")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
