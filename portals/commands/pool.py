"""Address pools of a tenant: add, list, edit, delete."""

from dataclasses import replace
from typing import Any

import click

from infra import clock
from infra.tenant_scope import TenantScope
from portals.commands._output import emit
from portals.commands._tenant import AT_THE_COMMAND_LINE, given, open_tenant, tenant_option
from tenants.catalog.queries_pools import PoolRow, list_pools, pool_detail
from tenants.network.add_pool import PoolForm, add_pool, delete_pool, edit_pool, find_pool, pool_form
from tenants.network.find import find_region


@click.group()
def command() -> None:
    """Names of pools on the routers, for whom they are, and who leads subscribers to them."""


@command.command("add")
@tenant_option
@click.option("--name", required=True, help="Its name on the routers.")
@click.option("--kind", default="normal", show_default=True, help="normal, expiring or expired accounts.")
@click.option("--region", help="Name or id; all regions when left out.")
@click.option("--remark", default="")
def add(tenant: str, name: str, kind: str, region: str | None, remark: str) -> None:
    """Add an address pool."""
    with open_tenant(tenant) as opened:
        form = PoolForm(name, kind, _region_id(opened.scope, region), remark)
        pool_id = add_pool(opened.scope, form, actor=AT_THE_COMMAND_LINE, now=clock.now())
        document = _document(pool_detail(opened.scope, pool_id))
    emit(document, f"Added the pool {document['name']} (id {pool_id}).")


@command.command("list")
@tenant_option
def show_list(tenant: str) -> None:
    """List all pools, those too that are only used (without an id)."""
    with open_tenant(tenant) as opened:
        documents = [_document(pool) for pool in list_pools(opened.scope)]
    emit(documents)


@command.command("edit")
@tenant_option
@click.argument("pool")
@click.option("--name")
@click.option("--kind")
@click.option("--region", help='Name or id; "" for all regions.')
@click.option("--remark")
def edit(tenant: str, pool: str, region: str | None, **values: str | None) -> None:
    """Change a pool (by name or id); what is left out stays. One in use keeps its name."""
    with open_tenant(tenant) as opened:
        scope = opened.scope
        found = find_pool(scope, pool)
        form = replace(pool_form(found), **given(**values))
        if region is not None:
            form = replace(form, region_id=_region_id(scope, region))
        users = pool_detail(scope, found.id).users
        edit_pool(scope, found.id, form, users=users, actor=AT_THE_COMMAND_LINE, now=clock.now())
        document = _document(pool_detail(scope, found.id))
    emit(document, f"Changed the pool {document['name']}.")


@command.command("delete")
@tenant_option
@click.argument("pool")
def delete(tenant: str, pool: str) -> None:
    """Delete a pool (by name or id) that nobody is led to."""
    with open_tenant(tenant) as opened:
        found = pool_detail(opened.scope, find_pool(opened.scope, pool).id)
        assert found.id is not None
        delete_pool(opened.scope, found.id, users=found.users, actor=AT_THE_COMMAND_LINE, now=clock.now())
    emit({"id": found.id, "name": found.name}, f"Deleted the pool {found.name}.")


def _region_id(scope: TenantScope, region: str | None) -> int | None:
    return find_region(scope, region).id if region else None


def _document(pool: PoolRow) -> dict[str, Any]:
    return {
        "id": pool.id,
        "name": pool.name,
        "kind": pool.kind,
        "region": pool.region,
        "remark": pool.remark,
        "groups": list(pool.groups),
        "routers": list(pool.routers),
    }
