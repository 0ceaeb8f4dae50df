"""Tables of what is sold: rate profiles, plan groups, plans, promotions (PLN-1 … PLN-7, NET-5)."""

from datetime import datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, func, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantBase
from tenants.network import models as network_models

# Foreign keys point into these packages: their tables must be known wherever ours are.
_REFERRED = (network_models,)

PLAN_KINDS = (
    "day", "week", "month", "quarter", "half-year", "year",  # buy-out of a period
    "prepaid-month", "traffic", "hours", "hours-per-day", "hours-per-month",
    "traffic-per-day", "traffic-per-month", "natural-day", "natural-month",
)  # fmt: skip


class RateProfile(TenantBase):
    """Up and down rates with burst (NET-5); ``version`` counts edits."""

    __tablename__ = "rate_profiles"
    __table_args__ = (
        CheckConstraint("up_bps > 0 AND down_bps > 0", name="rates"),
        CheckConstraint("priority BETWEEN 1 AND 8", name="priority"),
        Index("uq_rate_profiles_name", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    up_bps: Mapped[int] = mapped_column(BigInteger)
    down_bps: Mapped[int] = mapped_column(BigInteger)
    burst_up_bps: Mapped[int | None] = mapped_column(BigInteger)
    burst_down_bps: Mapped[int | None] = mapped_column(BigInteger)
    threshold_up_bps: Mapped[int | None] = mapped_column(BigInteger)
    threshold_down_bps: Mapped[int | None] = mapped_column(BigInteger)
    burst_seconds: Mapped[int | None]
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="8")
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]


class PlanGroup(TenantBase):
    """Plans of one quality: a rate profile, a pool, DNS (PLN-1)."""

    __tablename__ = "plan_groups"
    __table_args__ = (Index("uq_plan_groups_name", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    rate_profile_id: Mapped[int] = mapped_column(ForeignKey("tenant.rate_profiles.id"))
    pool: Mapped[str] = mapped_column(server_default="")
    dns1: Mapped[Any | None] = mapped_column(INET)
    dns2: Mapped[Any | None] = mapped_column(INET)
    ipv6_pool: Mapped[str] = mapped_column(server_default="")
    sort: Mapped[int] = mapped_column(server_default="0")
    options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]


class Plan(TenantBase):
    """Something that can be bought (PLN-2). Orders keep a copy of what they sold, so editing never changes them."""

    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("usage IN ('new','renew','both')", name="usage"),
        CheckConstraint("quota_end IN ('cut','throttle')", name="quota_end"),
        CheckConstraint("concurrency IN ('refuse','drop-oldest')", name="concurrency"),
        CheckConstraint("max_sessions >= 0", name="max_sessions"),
        CheckConstraint(f"kind IN {PLAN_KINDS!r}", name="kind"),
        Index("uq_plans_name", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("tenant.plan_groups.id"), index=True)
    name: Mapped[str]
    kind: Mapped[str]
    price: Mapped[Decimal]
    max_sessions: Mapped[int] = mapped_column(server_default="1")  # 0 = any number
    concurrency: Mapped[str] = mapped_column(server_default="refuse")
    usage: Mapped[str] = mapped_column(server_default="both")
    visible: Mapped[bool] = mapped_column(server_default=text("true"))
    sort: Mapped[int] = mapped_column(server_default="0")
    all_regions: Mapped[bool] = mapped_column(server_default=text("true"))
    quota_octets: Mapped[int | None] = mapped_column(BigInteger)
    quota_seconds: Mapped[int | None] = mapped_column(BigInteger)
    validity_days: Mapped[int | None]
    quota_end: Mapped[str] = mapped_column(server_default="cut")
    throttle_profile_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.rate_profiles.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]


class PlanRegion(TenantBase):
    """A region a plan is sold in, where it is not sold in all (PLN-4)."""

    __tablename__ = "plan_regions"
    plan_id: Mapped[int] = mapped_column(ForeignKey("tenant.plans.id", ondelete="CASCADE"), primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("tenant.regions.id", ondelete="CASCADE"), primary_key=True)


class PlanPrice(TenantBase):
    """Price history of a plan (PLN-6)."""

    __tablename__ = "plan_prices"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("tenant.plans.id"), index=True)
    price: Mapped[Decimal]
    valid_from: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(server_default="")


class Promotion(TenantBase):
    """What a plan gives on top: time, traffic, or an amount off (PLN-3)."""

    __tablename__ = "promotions"
    __table_args__ = (
        CheckConstraint("gift_kind IN ('years','months','days','hours','octets','amount')", name="gift_kind"),
        CheckConstraint("gift_value > 0", name="gift_value"),
        CheckConstraint("ends_at > starts_at", name="span"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("tenant.plans.id"), index=True)
    name: Mapped[str]
    gift_kind: Mapped[str]
    gift_value: Mapped[Decimal]
    minimum_quantity: Mapped[int] = mapped_column(server_default="1")
    first_purchase_only: Mapped[bool] = mapped_column(server_default=text("false"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class PlanWindow(TenantBase):
    """A time-of-day / day-of-week window in which a plan group may connect or runs at another rate (PLN-7)."""

    __tablename__ = "plan_windows"
    __table_args__ = (
        CheckConstraint("days BETWEEN 1 AND 127", name="days"),
        CheckConstraint("action IN ('allow','rate')", name="action"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("tenant.plan_groups.id"), index=True)
    days: Mapped[int] = mapped_column(SmallInteger)  # bit 0 = Monday
    starts: Mapped[time]
    ends: Mapped[time]  # earlier than starts: crosses midnight
    action: Mapped[str]
    rate_profile_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.rate_profiles.id"))
