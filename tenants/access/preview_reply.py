"""What a router would be told of an account: the attributes of its Access-Accept, readable (NET-3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from infra.radius_text.dialects import Dialect, FilledLine, fill_accept, fill_extra, without_replaced
from infra.radius_text.profile import ReplyProfile, profile_fields, profile_of_row
from infra.tenant_scope import TenantScope
from tenants.access.models import Profile, Subscriber
from tenants.access.rules import may_connect_until
from tenants.kernel.errors import BusinessError, NotFound
from tenants.registry.settings import read


class AccountIsOver(BusinessError):
    """There is no place for accounts that have expired, so its login is refused."""

    code = "preview_account_is_over"
    message = "The account {ref} has expired: its login would be refused."


@dataclass(frozen=True, slots=True)
class Places:
    """What a router has for accounts that are over, or will be within ``expiring_days`` of ``now`` (NET-4)."""

    now: datetime
    expired: Mapping[str, Any] = field(default_factory=dict)
    expiring: Mapping[str, Any] = field(default_factory=dict)
    expiring_days: int = 0


def preview_reply(
    scope: TenantScope,
    dialect: Dialect,
    username: str,
    *,
    invert: bool = False,
    rate_unit: str = "",
    extra: str = "",
    places: Places | None = None,
) -> tuple[FilledLine, ...]:
    """The attributes that depend on profile and router; Session-Timeout and Class are added at the login.

    With ``places`` an account that is over, or soon will be, is answered so; without them as one in good order. Raises
    :class:`NotFound` for a user name that nobody has, :class:`AccountIsOver`, ValueError when a value does not fit its
    attribute.
    """
    statement = (
        select(Profile, Subscriber)
        .join(Subscriber, (Subscriber.tenant_id == Profile.tenant_id) & (Subscriber.profile_id == Profile.profile_id))
        .where(Subscriber.tenant_id == scope.tenant_id, Subscriber.username == username)
    )
    found = scope.session.execute(statement).one_or_none()
    if found is None:
        raise NotFound(field="account", what="account", ref=username)
    row, account = found
    options = row.options or {}
    interim = read(scope).interim_seconds
    values = {column.key: getattr(row, column.key) for column in Profile.__table__.columns}
    profile: ReplyProfile = profile_of_row(values, options, interim)
    of_plan = fill_extra(str(options.get("extra") or ""))
    if places is not None and account.activated:
        now, until = places.now.timestamp(), account.valid_until.timestamp()
        if now >= may_connect_until(until, account.renews):
            place = _place(options.get("expired")) or _place(places.expired)  # the plan's goes before the router's
            if not place:
                raise AccountIsOver(field="account", ref=username)
            profile, of_plan = ReplyProfile(**place, interim_seconds=interim), []
        elif not account.renews:
            changes, days = _place(options.get("expiring")), int(options.get("expiring_days") or 0)
            if not (changes and days):
                changes, days = _place(places.expiring), places.expiring_days
            if until - now < days * 86_400:
                profile = replace(profile, **changes)
    filled = fill_accept(dialect, profile, invert=invert, rate_unit=rate_unit)
    of_router = fill_extra(extra)
    return (*without_replaced([*without_replaced(filled, of_plan), *of_plan], of_router), *of_router)


def _place(wanted: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (wanted or {}).items() if value and name in profile_fields()}
