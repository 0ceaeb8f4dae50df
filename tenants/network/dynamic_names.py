"""Where routers with a dynamic DNS name are now (NET-2): asked by a job, kept until a better answer comes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from sqlalchemy import select, update

from infra.db import Database
from infra.gateways.dns import Answer
from infra.tenant_scope import unscoped
from tenants.registry.models import Nas, Tenant

_REASON = "ask for the addresses of routers with dynamic names"


@dataclass(frozen=True, slots=True)
class Changed:
    """What a round has found: routers asked about, with other addresses than before, and without an answer."""

    asked: int
    moved: int
    failed: int


def names_to_resolve(database: Database) -> list[str]:
    """The DNS names of all living routers that are recognised by theirs."""
    with unscoped(database, reason=_REASON) as session:
        statement = (
            select(Nas.ddns_name)
            .join(Tenant, Tenant.id == Nas.tenant_id)
            .where(Nas.auth_mode == "ddns", Nas.ddns_name != "", Nas.deleted_at.is_(None), Tenant.state == "active")
            .distinct()
        )
        return list(session.scalars(statement.order_by(Nas.ddns_name)))


def keep_answers(database: Database, answers: Mapping[str, Answer], *, now: datetime) -> Changed:
    """Write the answers down. A name without an answer keeps its last addresses, and why it has none."""
    moved = failed = asked = 0
    with unscoped(database, reason=_REASON) as session:
        rows = session.scalars(
            select(Nas)
            .where(Nas.ddns_name.in_(list(answers)), Nas.auth_mode == "ddns", Nas.deleted_at.is_(None))
            .with_for_update(skip_locked=True)
        )
        for nas in rows:
            asked += 1
            answer = answers[nas.ddns_name]
            usable = [address for address in answer.addresses if _may_be_a_router(address)]
            values: dict[str, object] = {"ddns_checked_at": now}
            if usable:
                values |= {"ddns_error": "", "ddns_resolved_at": now}
                if sorted(usable) != sorted(nas.ddns_addresses):
                    values["ddns_addresses"] = usable
                    moved += 1
            else:
                values["ddns_error"] = answer.error or "no_address"
                failed += 1
            session.execute(update(Nas).where(Nas.id == nas.id).values(**values))
    return Changed(asked, moved, failed)


def _may_be_a_router(address: str) -> bool:
    """A name may be pointed anywhere by who owns it: never at what stands for no host or for many."""
    found = ip_address(address)
    return not (found.is_multicast or found.is_unspecified or found.is_reserved or address == "255.255.255.255")
