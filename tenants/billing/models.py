"""Tables of billing: orders with their lines, fee records, receivables, holds, packs, settlements (FIN-1, 2, 3, 6)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantBase
from tenants.catalog import models as catalog_models
from tenants.subscribers import models as subscribers_models

# Foreign keys point into these packages: their tables must be known wherever ours are.
_REFERRED = (catalog_models, subscribers_models)

ORDER_STATES = ("booked", "reversed", "cancelled", "replaced")
METHODS = ("cash", "balance", "arrears", "online", "wallet", "card", "none")


class Order(TenantBase):
    """One operation on an account, with or without money. ``undo`` says how it is reversed exactly."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(f"state IN {ORDER_STATES!r}", name="state"),
        CheckConstraint(f"method IN {METHODS!r}", name="method"),
        Index("ix_orders_account_id", "account_id", "id"),
        Index("ix_orders_at", "at", "id"),
        Index("ix_orders_operator_id", "operator_id", "at"),
        Index("ix_orders_plan_id", "plan_id", "at"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]  # open | buy | change-plan | manual | top-up | move | refund | hold | resume | …
    account_id: Mapped[int] = mapped_column(ForeignKey("tenant.accounts.id"))
    username: Mapped[str]  # as it was then
    at: Mapped[datetime]  # the operation's instant; due work books the due instant
    method: Mapped[str]
    quantity: Mapped[int] = mapped_column(server_default="1")
    total: Mapped[Decimal]  # what the customer pays; negative: what he gets
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.plans.id"))
    plan_name: Mapped[str] = mapped_column(server_default="")
    plan_terms: Mapped[dict[str, Any] | None]  # the plan as it was sold
    plan_before_id: Mapped[int | None] = mapped_column(BigInteger)
    plan_before_name: Mapped[str] = mapped_column(server_default="")
    expires_before: Mapped[datetime]
    expires_after: Mapped[datetime]
    base_expiry: Mapped[datetime | None]  # what the new period was counted from: arrears windows derive from it
    computed_difference: Mapped[Decimal | None]
    charged_difference: Mapped[Decimal | None]
    discount_rule: Mapped[dict[str, Any] | None]
    region_id: Mapped[int | None] = mapped_column(BigInteger)
    agent_id: Mapped[int | None] = mapped_column(BigInteger)
    operator_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_kind: Mapped[str]
    actor_name: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="booked")
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.orders.id"))  # the order it takes back
    undone_by_id: Mapped[int | None] = mapped_column(BigInteger)
    undo: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class OrderLine(TenantBase):
    """One amount of an order and how it was computed, so that a plain reader can check it."""

    __tablename__ = "order_lines"
    order_id: Mapped[int] = mapped_column(ForeignKey("tenant.orders.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    kind: Mapped[str]  # plan | difference | install | promotion | discount | inherited | fee | refund | …
    amount: Mapped[Decimal]
    explanation: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class FeeRecord(TenantBase):
    """The money of an order as the office counts it: one per order whose total is not 0 (FIN-1)."""

    __tablename__ = "fee_records"
    __table_args__ = (
        CheckConstraint("direction IN ('income','expense')", name="direction"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("(reviewed_at IS NULL) = (reviewed_by IS NULL)", name="review"),
        Index("ix_fee_records_at", "at", "id"),
        Index("ix_fee_records_operator_id", "operator_id", "at"),
        Index("ix_fee_records_account_id", "account_id", "id"),
        Index("ix_fee_records_settlement_id", "settlement_id"),
        Index("ix_fee_records_unsettled", "operator_id", "at", postgresql_where=text("settlement_id IS NULL")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("tenant.orders.id"), unique=True)
    account_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    direction: Mapped[str]
    method: Mapped[str]
    amount: Mapped[Decimal]
    region_id: Mapped[int | None] = mapped_column(BigInteger)
    plan_id: Mapped[int | None] = mapped_column(BigInteger)
    operator_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str]
    remark: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # what changed: plan, expiry, from, to
    settlement_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.settlements.id"))
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str | None]
    review_note: Mapped[str] = mapped_column(server_default="")


class Settlement(TenantBase):
    """An operator's takings handed in (FIN-2); its fee records are frozen from then on."""

    __tablename__ = "settlements"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    operator_id: Mapped[int] = mapped_column(BigInteger, index=True)  # 0: the command line
    until: Mapped[datetime]
    records: Mapped[int]
    cash: Mapped[Decimal]  # what the drawer must hold: cash income less cash expenses
    totals: Mapped[dict[str, Any]] = mapped_column(JSONB)  # per method: income, expense
    settled_at: Mapped[datetime]
    settled_by: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")


class Receivable(TenantBase):
    """What an account owes on one order bought on arrears."""

    __tablename__ = "receivables"
    __table_args__ = (
        CheckConstraint("state IN ('open','paid','cancelled','replaced')", name="state"),
        CheckConstraint("amount > 0 AND paid >= 0 AND paid <= amount", name="paid"),
        CheckConstraint("state <> 'paid' OR paid = amount", name="paid_in_full"),
        Index("ix_receivables_account_id", "account_id", "id"),
        Index("ix_receivables_open", "account_id", "id", postgresql_where=text("state = 'open'")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("tenant.accounts.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("tenant.orders.id"), unique=True)
    amount: Mapped[Decimal]
    paid: Mapped[Decimal] = mapped_column(server_default="0")
    plan_part: Mapped[Decimal] = mapped_column(server_default="0")  # of the amount: what counts for a refund once paid
    state: Mapped[str] = mapped_column(server_default="open")
    opened_at: Mapped[datetime]
    base_expiry: Mapped[datetime]
    cut_off_at: Mapped[datetime]


class Hold(TenantBase):
    """One pause of an account (停机保号): at most one open, never two over the same time."""

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint("resumed_at IS NULL OR resumed_at >= held_at", name="span"),
        Index(
            "uq_holds_open",
            "account_id",
            unique=True,
            postgresql_where=text("resumed_at IS NULL AND undone_at IS NULL"),
        ),
        ExcludeConstraint(
            ("account_id", "="),
            (text("tstzrange(held_at, coalesce(resumed_at, 'infinity'))"), "&&"),
            name="ex_holds_span",
            using="gist",
            where=text("undone_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("tenant.accounts.id"))
    held_at: Mapped[datetime]
    resumed_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]  # the order that held was reversed


class Pack(TenantBase):
    """Extra octets or seconds on top of the running plan (OPS-12)."""

    __tablename__ = "packs"
    __table_args__ = (
        CheckConstraint("octets > 0 OR seconds > 0", name="content"),
        Index("ix_packs_account_id", "account_id", "id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("tenant.accounts.id"))
    quota_epoch: Mapped[int] = mapped_column(BigInteger)  # the period that it belongs to
    octets: Mapped[int] = mapped_column(BigInteger, server_default="0")
    seconds: Mapped[int] = mapped_column(BigInteger, server_default="0")
    starts_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]  # null: with the plan's validity
    ended_at: Mapped[datetime | None]
