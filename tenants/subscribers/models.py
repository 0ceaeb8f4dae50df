"""Tables of customers and their internet accounts (SUB-1 … SUB-9)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, Numeric, Text, func, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantBase
from tenants.catalog import models as catalog_models
from tenants.network import models as network_models
from tenants.staff import models as staff_models

# Foreign keys point into these packages: their tables must be known wherever ours are.
_REFERRED = (catalog_models, network_models, staff_models)


class Customer(TenantBase):
    """A person or company (会员) with one or more accounts."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("attribute IN ('ordinary','group','internal')", name="attribute"),
        Index("ix_customers_search", text("search_text gin_trgm_ops"), postgresql_using="gin"),
        Index("ix_customers_name", "name", "id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str] = mapped_column(server_default="")
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    address: Mapped[str] = mapped_column(server_default="")
    building: Mapped[str] = mapped_column(server_default="")
    room: Mapped[str] = mapped_column(server_default="")
    remark: Mapped[str] = mapped_column(server_default="")
    attribute: Mapped[str] = mapped_column(server_default="ordinary")
    search_text: Mapped[str] = mapped_column(server_default="")  # search.searchable() of the words above
    agent_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("tenant.operators.id"))
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Account(TenantBase):
    """An internet account (上网账号). ``state`` is what staff set; what is shown (expiring, arrears …) is derived.

    ``balance`` and ``receivable`` are caches of the ledger, checked nightly; only ``ledger`` writes them.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("state IN ('active','disabled','held','closed')", name="state"),
        CheckConstraint("length(username) BETWEEN 1 AND 63 AND username !~ '[[:space:][:cntrl:]]'", name="username"),
        CheckConstraint("balance >= 0", name="balance"),
        CheckConstraint("receivable >= 0", name="receivable"),
        CheckConstraint("access_type IN ('','EOC','LAN','FTTH','AP')", name="access_type"),
        Index("uq_accounts_username", "username", unique=True, postgresql_where=text("name_released_at IS NULL")),
        Index("ix_accounts_search", text("search_text gin_trgm_ops"), postgresql_using="gin"),
        # One index per way the list is sorted, and one per state that is rare, so that each tab counts what it shows.
        Index("ix_accounts_username", "username", "id", postgresql_where=text("deleted_at IS NULL")),
        Index("ix_accounts_expires_at", "expires_at", "id"),
        Index("ix_accounts_opened_at", "opened_at", "id"),
        Index("ix_accounts_state", "state", "id", postgresql_where=text("state <> 'active'")),
        Index("ix_accounts_receivable", "id", postgresql_where=text("receivable > 0")),
        Index("ix_accounts_not_activated", "id", postgresql_where=text("activated_at IS NULL")),
        Index("ix_accounts_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_accounts_bind_mac", "bind_mac", postgresql_where=text("bind_mac <> ''")),
        Index("ix_accounts_static_ip", "static_ip", postgresql_where=text("static_ip IS NOT NULL")),
        Index("ix_accounts_created_by", "created_by", "id"),
        Index("ix_accounts_balance", "balance", "id"),
        Index("ix_accounts_customer_id", "customer_id"),
        Index("ix_accounts_plan_id", "plan_id", "id"),
        Index("ix_accounts_region_id", "region_id", "id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("tenant.customers.id"))
    username: Mapped[str] = mapped_column(Text(collation="C"))
    password_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.plans.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("tenant.regions.id"))
    state: Mapped[str] = mapped_column(server_default="active")
    opened_at: Mapped[datetime]
    starts_at_first_login: Mapped[bool] = mapped_column(server_default=text("false"))
    activated_at: Mapped[datetime | None]  # null: not activated (waits for the first login)
    expires_at: Mapped[datetime]
    never_expires: Mapped[bool] = mapped_column(server_default=text("false"))
    period_started_at: Mapped[datetime | None]  # start of what was last bought; refunds are proportional to it
    period_quantity: Mapped[int] = mapped_column(server_default="1")
    # Paid for the current period; six decimals because what an extension carries over is a step, not a line.
    period_price: Mapped[Decimal] = mapped_column(Numeric(18, 6), server_default="0")
    period_gift_seconds: Mapped[int] = mapped_column(BigInteger, server_default="0")  # given time is not refunded
    first_due_at: Mapped[datetime | None]  # prepaid monthly: due times derive from it and do not drift
    cut_off_at: Mapped[datetime | None]  # arrears: may connect until this instant even if expires_at is later
    held_at: Mapped[datetime | None]
    balance: Mapped[Decimal] = mapped_column(server_default="0")
    receivable: Mapped[Decimal] = mapped_column(server_default="0")
    auto_renew: Mapped[bool] = mapped_column(server_default=text("false"))
    quota_octets: Mapped[int | None] = mapped_column(BigInteger)  # granted in the current period; null: no such quota
    quota_seconds: Mapped[int | None] = mapped_column(BigInteger)
    quota_epoch: Mapped[int] = mapped_column(BigInteger, server_default="0")  # + 1 = counters start again from 0
    pack_octets: Mapped[int] = mapped_column(BigInteger, server_default="0")  # supplementary packs of this period
    pack_seconds: Mapped[int] = mapped_column(BigInteger, server_default="0")
    max_sessions: Mapped[int | None]  # null: the plan's
    static_ip: Mapped[Any | None] = mapped_column(INET)
    # '' = not bound, 'learn' = at next login, else aa:bb:cc:dd:ee:ff
    bind_mac: Mapped[str] = mapped_column(server_default="")
    bind_nas_id: Mapped[int | None] = mapped_column(BigInteger)
    bind_port: Mapped[str] = mapped_column(server_default="")
    bind_options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    access_type: Mapped[str] = mapped_column(server_default="")
    box: Mapped[str] = mapped_column(server_default="")
    port: Mapped[str] = mapped_column(server_default="")
    vlan: Mapped[str] = mapped_column(server_default="")
    install_fee: Mapped[Decimal] = mapped_column(server_default="0")
    remark: Mapped[str] = mapped_column(server_default="")
    search_text: Mapped[str] = mapped_column(server_default="")  # search.searchable() of account and customer
    selfcare_epoch: Mapped[int] = mapped_column(server_default="1")
    agent_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("tenant.operators.id"))
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    name_released_at: Mapped[datetime | None]  # closed 30 days ago: the name may be used again
