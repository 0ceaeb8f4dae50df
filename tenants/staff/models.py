"""Tables of operators and their roles (STF-1, STF-2)."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from infra.db import TenantBase
from tenants.network import models as network_models
from tenants.staff.built_in_roles import usual_rights

# Foreign keys point into these packages: their tables must be known wherever ours are.
_REFERRED = (network_models,)


class Role(TenantBase):
    """An operator group: permissions such as ``accounts.view`` and limits such as a restricted list (STF-3).

    A role that came with the product follows it until somebody changes its rights: then it has what is stored, and
    rights of later versions are offered.
    """

    __tablename__ = "roles"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))  # ask ``rights``
    # Every right that there was when somebody changed those of a built-in role; null: nobody has
    known_rights: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    limits: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    built_in: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def rights(self) -> frozenset[str]:
        """What its operators may do."""
        usual = usual_rights(self.code) if self.built_in and self.known_rights is None else None
        return usual or frozenset(self.permissions)  # stored also for a kind of role that a later version has no more

    @property
    def new_rights(self) -> frozenset[str]:
        """What new tenants' roles of this kind have by now, and was not there to be chosen or taken away."""
        if not self.built_in or self.known_rights is None:
            return frozenset()
        return usual_rights(self.code).difference(self.permissions, self.known_rights)


class Operator(TenantBase):
    """A member of the ISP's staff."""

    __tablename__ = "operators"
    __table_args__ = (Index("uq_operators_username", text("lower(username)"), unique=True),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    username: Mapped[str]
    name: Mapped[str]
    email: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str]
    role_id: Mapped[int] = mapped_column(ForeignKey("tenant.roles.id"))
    is_owner: Mapped[bool] = mapped_column(server_default=text("false"))
    locale: Mapped[str] = mapped_column(server_default="")
    must_change_password: Mapped[bool] = mapped_column(server_default=text("false"))
    all_regions: Mapped[bool] = mapped_column(server_default=text("true"))
    own_accounts_only: Mapped[bool] = mapped_column(server_default=text("false"))
    disabled_at: Mapped[datetime | None]
    session_epoch: Mapped[int] = mapped_column(server_default="1")
    preferences: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_login_at: Mapped[datetime | None]
    failed_logins: Mapped[int] = mapped_column(server_default="0")  # since the last right password
    locked_until: Mapped[datetime | None]


class OperatorRegion(TenantBase):
    """A region an operator is bound to (STF-2)."""

    __tablename__ = "operator_regions"
    operator_id: Mapped[int] = mapped_column(ForeignKey("tenant.operators.id", ondelete="CASCADE"), primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("tenant.regions.id", ondelete="CASCADE"), primary_key=True)
