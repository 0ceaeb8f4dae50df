"""Watch the packets of a router or of a login name while they come (RAD-7): who may, and what stands in the log."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, text

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.network.find import find_nas
from tenants.network.packet_watch import CHANNEL, MOST_MINUTES, USUAL_MINUTES, PacketWatch, name_key
from tenants.registry.models import Nas
from tenants.subscribers.errors import AccountNotFound, BadValue, NothingToWatch, WatchNeedsName
from tenants.subscribers.models import Account
from tenants.subscribers.visibility import may_see, visible_ids


@dataclass(frozen=True, slots=True)
class WatchPackets:
    """``nas``: id or identifier of the router; ``name``: a login name in any writing, also one that nobody has."""

    nas: int | str | None = None
    name: str = ""
    minutes: int = USUAL_MINUTES


@dataclass(frozen=True, slots=True)
class BegunWatch:
    """What is watched, and what the router is called ("" for any)."""

    watch: PacketWatch
    router: str


def watch_packets(scope: TenantScope, command: WatchPackets, *, actor: Actor, now: datetime) -> BegunWatch:
    """Begin it; the cluster hears of it by :func:`announce`. Who sees only some of the subscribers must name one.

    Raises NothingToWatch, WatchNeedsName, AccountNotFound, NasNotFound, BadValue, Forbidden.
    """
    actor.require("packets.watch")
    name = command.name.strip()
    if not name and command.nas is None:
        raise NothingToWatch(field="name")
    if not 1 <= command.minutes <= MOST_MINUTES:
        raise BadValue(field="minutes", value=command.minutes, choices=f"1 … {MOST_MINUTES}")
    nas = None if command.nas is None else find_nas(scope, command.nas)
    if not name and visible_ids(actor) is not None:
        raise WatchNeedsName(field="name")
    account_id = _account_id(scope, name, actor) if name else None
    watch = PacketWatch(
        token=secrets.token_urlsafe(24),
        tenant_id=scope.tenant_id,
        nas_id=None if nas is None else nas.id,
        name=name_key(name),
        account_id=account_id,
    )
    _record(scope, nas, name, account_id, command.minutes, actor, now)
    return BegunWatch(watch, "" if nas is None else nas.name or nas.identifier)


def announce(scope: TenantScope, watch: PacketWatch, left_seconds: float) -> None:
    """Let all processes of the cluster hear that somebody watches, or goes on to; 0 seconds end it."""
    told = {"channel": CHANNEL, "told": watch.announcement(left_seconds)}
    scope.registry.execute(text("SELECT pg_notify(:channel, :told)"), told)


def _account_id(scope: TenantScope, name: str, actor: Actor) -> int | None:
    """The account that has this name; None when nobody has. Raises AccountNotFound for one that he may not see."""
    key = name_key(name)
    if "\x00" in name:
        raise AccountNotFound(field="name", what="account", ref=name)
    found = scope.session.scalars(
        select(Account).where(
            or_(Account.username == name, func.lower(Account.username) == key),
            Account.name_released_at.is_(None),
            Account.deleted_at.is_(None),
        )
    ).all()
    if any(not may_see(actor, region_id=one.region_id, created_by=one.created_by) for one in found):
        raise AccountNotFound(field="name", what="account", ref=name)
    exact = [one.id for one in found if one.username == name] or [one.id for one in found]
    return exact[0] if exact else None


def _record(
    scope: TenantScope, nas: Nas | None, name: str, account_id: int | None, minutes: int, actor: Actor, now: datetime
) -> None:
    """Under the account where there is one, so that its timeline tells it, too; else under the router, or the name."""
    kind, number, label = "packets", name, name
    if account_id is not None:
        kind, number = "account", str(account_id)
    elif nas is not None:
        kind, number, label = "nas", str(nas.id), nas.identifier
    facts = {"router": nas.identifier if nas is not None else "", "username": name, "minutes": minutes}
    record(
        scope,
        actor=actor,
        action="packets.watch",
        object_kind=kind,
        object_id=number,
        object_label=label,
        after={fact: value for fact, value in facts.items() if value != ""},
        now=now,
    )
