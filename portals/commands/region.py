"""Regions of a tenant: add, list, edit, delete."""

from dataclasses import asdict, replace

import click

from infra import clock
from portals.commands._output import emit
from portals.commands._tenant import AT_THE_COMMAND_LINE, given, open_tenant, tenant_option
from tenants.network.add_region import RegionForm, add_region, edit_region, region_form
from tenants.network.find import find_region
from tenants.network.queries import list_regions
from tenants.subscribers.delete_region import delete_empty_region


@click.group()
def command() -> None:
    """Places that rights, plans, reminders and statistics refer to."""


@command.command("add")
@tenant_option
@click.option("--name", required=True)
@click.option("--title", default="")
@click.option("--content", default="")
@click.option("--address", default="")
@click.option("--phone", default="")
def add(tenant: str, name: str, title: str, content: str, address: str, phone: str) -> None:
    """Add a region."""
    form = RegionForm(name, title, content, address, phone)
    with open_tenant(tenant) as opened:
        region_id = add_region(opened.scope, form, actor=AT_THE_COMMAND_LINE, now=clock.now())
    emit({"id": region_id, **asdict(form)}, f"Added the region {name} (id {region_id}).")


@command.command("list")
@tenant_option
def show_list(tenant: str) -> None:
    """List all regions."""
    with open_tenant(tenant) as opened:
        rows = list_regions(opened.scope)
    emit(rows)


@command.command("edit")
@tenant_option
@click.argument("region")
@click.option("--name")
@click.option("--title")
@click.option("--content")
@click.option("--address")
@click.option("--phone")
def edit(tenant: str, region: str, **values: str | None) -> None:
    """Change a region (by name or id); what is left out stays."""
    with open_tenant(tenant) as opened:
        found = find_region(opened.scope, region)
        form = replace(region_form(found), **given(**values))
        edit_region(opened.scope, found.id, form, actor=AT_THE_COMMAND_LINE, now=clock.now())
    emit({"id": found.id, **asdict(form)}, f"Changed the region {form.name}.")


@command.command("delete")
@tenant_option
@click.argument("region")
def delete(tenant: str, region: str) -> None:
    """Delete a region (by name or id) that nothing refers to any more."""
    with open_tenant(tenant) as opened:
        found = find_region(opened.scope, region)
        delete_empty_region(opened.scope, found.id, actor=AT_THE_COMMAND_LINE, now=clock.now())
    emit({"id": found.id, "name": found.name}, f"Deleted the region {found.name}.")
