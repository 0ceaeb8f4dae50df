"""Add a plan group (PLN-1)."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.catalog.find import find_rate_profile, store_named
from tenants.catalog.models import PlanGroup
from tenants.catalog.rules import check_name
from tenants.kernel.actor import Actor
from tenants.kernel.errors import InvalidInput
from tenants.network.add_pool import check_pool_name
from tenants.network.errors import InterimTooLongFor
from tenants.network.rules_replies import check_expiring, check_extra, check_place
from tenants.registry.report_times import first_too_rare, report_times
from tenants.registry.rules_stale import interim_of
from tenants.registry.settings import read


class BadDnsAddress(InvalidInput):
    """A DNS server that is not an address."""

    code = "bad_address"
    message = '"{value}" is not an IP address.'


@dataclass(frozen=True, slots=True)
class AddPlanGroup:
    """``pool`` and ``ipv6_pool`` are names on the router; ``options`` are extra attributes for RADIUS."""

    name: str
    rate_profile_id: int
    pool: str = ""
    ipv6_pool: str = ""
    dns1: str = ""
    dns2: str = ""
    sort: int = 0
    options: dict[str, Any] = field(default_factory=dict)


def check_pool(value: str, field_name: str) -> str:
    """A pool's name as routers take it, or "" for the router's own. Raises BadPoolName."""
    return check_pool_name(value, field_name) if value.strip() else ""


def check_dns(value: str, field_name: str) -> str | None:
    """A DNS server's address, or None. Raises BadDnsAddress."""
    if not value.strip():
        return None
    try:
        return str(ip_address(value.strip()))
    except ValueError:
        raise BadDnsAddress(field=field_name, value=value) from None


def check_options(options: dict[str, Any]) -> dict[str, Any]:
    """What the group adds to answers: ``extra`` attributes, places for ``expired`` accounts and for ``expiring`` ones
    (``expiring_days`` before their end), and names for dialects.

    Raises BadAttributeText, BadReplyOption, ExpiringIncomplete.
    """
    checked = dict(options)
    if checked.get("extra"):
        checked["extra"] = check_extra(str(checked["extra"]))
    if checked.get("expired"):
        checked["expired"] = check_place(checked["expired"], "expired_")
    checked["expiring"] = check_expiring(checked.get("expiring") or {}, int(checked.get("expiring_days") or 0))
    return {name: value for name, value in checked.items() if value not in (None, "", {}, 0)}


def fill_group(group: PlanGroup, command: AddPlanGroup) -> None:
    """Set the group's fields from the command. Raises BadName, BadPoolName, BadDnsAddress."""
    group.name = check_name(command.name)
    group.rate_profile_id = command.rate_profile_id
    group.pool = check_pool(command.pool, "pool")
    group.ipv6_pool = check_pool(command.ipv6_pool, "ipv6_pool")
    group.dns1 = check_dns(command.dns1, "dns1")
    group.dns2 = check_dns(command.dns2, "dns2")
    group.sort = command.sort
    group.options = check_options(command.options)


def require_reports_in_time(scope: TenantScope, extra: str, extra_before: str, group_id: int = 0) -> None:
    """Routers are waited for as long as the group's attributes let them be silent. Raises InterimTooLongFor."""
    told, settings = interim_of(extra, 0), read(scope)
    if not told or told == interim_of(extra_before, 0):
        return
    times = report_times(scope, settings.interim_seconds)
    times = replace(times, of_groups={**times.of_groups, group_id: told})
    found = first_too_rare(scope, times, settings.interim_seconds * settings.stale_intervals)
    if found is not None:
        raise InterimTooLongFor(field="extra", **found.facts)


def group_facts(group: PlanGroup) -> dict[str, Any]:
    """The group as the operation log shows it."""
    return {
        "name": group.name,
        "rate_profile_id": group.rate_profile_id,
        "pool": group.pool,
        "ipv6_pool": group.ipv6_pool,
        "dns1": str(group.dns1 or ""),
        "dns2": str(group.dns2 or ""),
        "sort": group.sort,
        "options": group.options,
    }


def add_plan_group(scope: TenantScope, command: AddPlanGroup, *, actor: Actor, now: datetime) -> PlanGroup:
    """Store the group.

    Raises BadName, BadPoolName, BadDnsAddress, NameTaken, RateProfileNotFound, InterimTooLongFor.
    """
    actor.require("plans.add")
    find_rate_profile(scope, command.rate_profile_id)
    group = PlanGroup(created_at=now)
    fill_group(group, command)
    require_reports_in_time(scope, str(group.options.get("extra") or ""), "")
    store_named(scope, group, group.name)
    record(
        scope,
        actor=actor,
        action="plan_group.add",
        object_kind="plan_group",
        object_id=group.id,
        object_label=group.name,
        after=group_facts(group),
        now=now,
    )
    return group
