"""Rate profiles of a tenant: add, list, edit (reaches who is online), delete."""

from dataclasses import replace
from typing import Any

import click

from infra import clock
from infra.tenant_scope import TenantScope
from portals.commands._output import emit
from portals.commands._tenant import AT_THE_COMMAND_LINE, given, open_tenant, tenant_option
from tenants.access.apply_catalog import edit_rate_profile_and_apply
from tenants.catalog.add_rate_profile import BURST_FIELDS, RATE_FIELDS, AddRateProfile, add_rate_profile
from tenants.catalog.delete_rate_profile import delete_rate_profile
from tenants.catalog.edit_rate_profile import EditRateProfile
from tenants.catalog.find import find_rate_profile
from tenants.kernel.units import rate_bps
from tenants.registry.settings import read
from tenants.subscribers.queries_rates import RateRow, list_rates, rate_detail

_BURST_OPTIONS = ("burst_up", "burst_down", "threshold_up", "threshold_down")


@click.group()
def command() -> None:
    """Speeds that groups of plans share."""


def _burst_options(function: Any) -> Any:
    for name in _BURST_OPTIONS:
        function = click.option(f"--{name.replace('_', '-')}", help="Of a burst; all five or none.")(function)
    function = click.option("--burst-seconds", type=int, help="Of a burst; all five or none.")(function)
    return click.option("--priority", type=int, help="1 goes first, 8 last.")(function)


@command.command("add")
@tenant_option
@click.option("--name", required=True)
@click.option("--up", required=True, help="Rate towards the router: 2M, 512k or bit/s.")
@click.option("--down", required=True, help="Rate towards the subscriber.")
@_burst_options
def add(tenant: str, name: str, up: str, down: str, **values: Any) -> None:
    """Add a rate profile."""
    with open_tenant(tenant) as opened:
        scope = opened.scope
        rates = _rates(scope, up=up, down=down, **values)
        profile = add_rate_profile(scope, AddRateProfile(name, **rates), actor=AT_THE_COMMAND_LINE, now=clock.now())
        document = _document(rate_detail(scope, profile.id))
    emit(document, f"Added the speed {document['name']} (id {document['id']}).")


@command.command("list")
@tenant_option
def show_list(tenant: str) -> None:
    """List all rate profiles with what uses them."""
    with open_tenant(tenant) as opened:
        documents = [_document(rate) for rate in list_rates(opened.scope)]
    emit(documents)


@command.command("edit")
@tenant_option
@click.argument("rate")
@click.option("--name")
@click.option("--up", help="Rate towards the router.")
@click.option("--down", help="Rate towards the subscriber.")
@_burst_options
@click.option("--no-burst", is_flag=True, help="Take the burst away.")
def edit(tenant: str, rate: str, name: str | None, no_burst: bool, **values: Any) -> None:
    """Change a rate profile (by name or id) for everybody who has it; what is left out stays."""
    with open_tenant(tenant) as opened:
        scope = opened.scope
        found = find_rate_profile(scope, rate)
        now_so = AddRateProfile(found.name, **{field: getattr(found, field) for field in RATE_FIELDS})
        if no_burst:
            none: dict[str, Any] = dict.fromkeys(BURST_FIELDS)
            now_so = replace(now_so, **none)
        wanted = replace(now_so, **given(name=name), **_rates(scope, **values))
        edit_rate_profile_and_apply(
            scope, EditRateProfile(found.id, wanted), actor=AT_THE_COMMAND_LINE, now=clock.now()
        )
        document = _document(rate_detail(scope, found.id))
    emit(document, f"Changed the speed {document['name']}; who is online follows.")


@command.command("delete")
@tenant_option
@click.argument("rate")
def delete(tenant: str, rate: str) -> None:
    """Delete a rate profile (by name or id) that nothing uses."""
    with open_tenant(tenant) as opened:
        found = find_rate_profile(opened.scope, rate)
        delete_rate_profile(opened.scope, found.id, actor=AT_THE_COMMAND_LINE, now=clock.now())
        document = {"id": found.id, "name": found.name}
    emit(document, f"Deleted the speed {document['name']}.")


def _rates(scope: TenantScope, **values: Any) -> dict[str, Any]:
    """The options that were given, under the names of a rate profile's fields."""
    megabit = int(read(scope).megabit)
    rates = {
        f"{name}_bps": rate_bps(value, megabit=megabit, field=name)
        for name, value in values.items()
        if name in ("up", "down", *_BURST_OPTIONS) and value is not None
    }
    return rates | given(burst_seconds=values.get("burst_seconds"), priority=values.get("priority"))


def _document(rate: RateRow) -> dict[str, Any]:
    return {
        "id": rate.id,
        "name": rate.name,
        **{name: getattr(rate, name) for name in RATE_FIELDS},
        "groups": rate.uses.groups,
        "throttled_plans": rate.uses.throttled_plans,
        "groups_at_hours": rate.uses.groups_at_hours,
        "accounts": rate.accounts,
    }
