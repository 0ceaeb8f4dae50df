"""A tenant's own domains (TEN-7): named by the ISP, verified by pointing to this installation.

Who can point a domain here controls it; until it does, the domain leads nowhere.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.kernel.errors import NotFound
from tenants.registry.errors import BadHostname, HostnameNotPointing, HostnameTaken
from tenants.registry.models import Hostname

MOST_DOMAINS = 10
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{4,253}}$)(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])")
Resolve = Callable[[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain; ``verified_at`` None: it waits for its DNS record."""

    hostname: str
    created_at: datetime
    verified_at: datetime | None


def check_domain(hostname: str, base_domain: str) -> str:
    """The domain in small letters (IDNA for others than Latin). Raises :class:`BadHostname`; pure."""
    text = hostname.strip().lower().rstrip(".")
    try:
        text = text.encode("idna").decode()
    except UnicodeError:
        raise BadHostname(field="hostname", hostname=hostname.strip()[:80]) from None
    base = base_domain.lower().rstrip(".")
    if not _DOMAIN.fullmatch(text) or text == base or text.endswith(("." + base, ".localhost")):
        raise BadHostname(field="hostname", hostname=text[:80])
    return text


def add_domain(scope: TenantScope, hostname: str, *, base_domain: str, actor: Actor, now: datetime) -> DomainRow:
    """Name a domain; it works after :func:`verify_domain`. Raises Forbidden, BadHostname, HostnameTaken."""
    actor.require("settings.edit")
    host = check_domain(hostname, base_domain)
    if scope.registry.scalar(select(func.registry.hostname_taken(host))):
        raise HostnameTaken(field="hostname", hostname=host)
    if len(list_domains(scope)) >= MOST_DOMAINS:
        raise BadHostname(field="hostname", hostname=host)
    row = Hostname(hostname=host, tenant_id=scope.tenant_id, created_at=now)
    try:
        with scope.registry.begin_nested():
            scope.registry.add(row)
    except IntegrityError:  # another ISP was faster
        raise HostnameTaken(field="hostname", hostname=host) from None
    _record(scope, "domain.add", host, actor, now)
    return DomainRow(host, now, None)


def verify_domain(
    scope: TenantScope, hostname: str, *, own_addresses: frozenset[str], resolve: Resolve, actor: Actor, now: datetime
) -> DomainRow:
    """See whether the domain points here. Raises Forbidden, BadHostname, HostnameNotPointing (try again later)."""
    actor.require("settings.edit")
    row = _find(scope, hostname)
    if row.verified_at is None:
        if not resolve(row.hostname) & own_addresses:
            raise HostnameNotPointing(record=f"{row.hostname} → {' or '.join(sorted(own_addresses))}")
        row.verified_at = now
        _record(scope, "domain.verify", row.hostname, actor, now)
    return DomainRow(row.hostname, row.created_at, row.verified_at)


def remove_domain(scope: TenantScope, hostname: str, *, actor: Actor, now: datetime) -> None:
    """The domain leads nowhere from now on and may be named by others. Raises Forbidden, BadHostname."""
    actor.require("settings.edit")
    row = _find(scope, hostname)
    scope.registry.delete(row)
    _record(scope, "domain.remove", row.hostname, actor, now)


def list_domains(scope: TenantScope) -> list[DomainRow]:
    """The tenant's domains by name."""
    rows = scope.registry.scalars(
        select(Hostname).where(Hostname.tenant_id == scope.tenant_id).order_by(Hostname.hostname)
    )
    return [DomainRow(row.hostname, row.created_at, row.verified_at) for row in rows]


def _find(scope: TenantScope, hostname: str) -> Hostname:
    wanted = hostname.strip().lower()
    row = None
    if "\x00" not in wanted:
        row = scope.registry.scalars(
            select(Hostname).where(Hostname.hostname == wanted, Hostname.tenant_id == scope.tenant_id).with_for_update()
        ).first()
    if row is None:
        raise NotFound(what="domain", ref=wanted[:80])
    return row


def _record(scope: TenantScope, action: str, host: str, actor: Actor, now: datetime) -> None:
    record(scope, actor=actor, action=action, object_kind="domain", object_id=host, object_label=host, now=now)
