"""Tables of regions and address pools (NET-1, NET-4). Routers are ``registry.nas``."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantBase


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


class AddressPool(TenantBase):
    """A named pool that lives on the router (NET-4)."""

    __tablename__ = "address_pools"
    __table_args__ = (CheckConstraint("kind IN ('normal','expiring','expired')", name="kind"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(server_default="normal")
    region_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.regions.id"))
    remark: Mapped[str] = mapped_column(server_default="")
