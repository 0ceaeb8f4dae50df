"""What a router would be told of an account: the attributes of its Access-Accept, readable (NET-3)."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from infra.radius_text.dialects import Dialect, FilledLine, fill_accept, fill_extra, without_replaced
from infra.radius_text.profile import ReplyProfile, profile_of_row
from infra.tenant_scope import TenantScope
from tenants.access.models import Profile, Subscriber
from tenants.kernel.errors import NotFound
from tenants.registry.settings import read


def preview_reply(
    scope: TenantScope,
    dialect: Dialect,
    username: str,
    *,
    invert: bool = False,
    rate_unit: str = "",
    extra: str = "",
    place: dict[str, Any] | None = None,
) -> tuple[FilledLine, ...]:
    """The attributes that depend on profile and router; Session-Timeout and Class are added at the login.

    ``place``: changes for an expiring account. Raises :class:`NotFound` for a user name that nobody has, ValueError
    when a value does not fit its attribute.
    """
    statement = (
        select(Profile)
        .join(Subscriber, (Subscriber.tenant_id == Profile.tenant_id) & (Subscriber.profile_id == Profile.profile_id))
        .where(Subscriber.tenant_id == scope.tenant_id, Subscriber.username == username)
    )
    row = scope.session.execute(statement).scalar_one_or_none()
    if row is None:
        raise NotFound(field="account", what="account", ref=username)
    options = row.options or {}
    values = {column.key: getattr(row, column.key) for column in Profile.__table__.columns}
    profile: ReplyProfile = profile_of_row(values, options, read(scope).interim_seconds)
    if place:
        profile = replace(profile, **place)
    filled = fill_accept(dialect, profile, invert=invert, rate_unit=rate_unit)
    of_plan, of_router = fill_extra(str(options.get("extra") or "")), fill_extra(extra)
    return (*without_replaced([*without_replaced(filled, of_plan), *of_plan], of_router), *of_router)
