"""Dialects: how an ISP's own kinds of router are spoken to; show, check, add, change, delete."""

from pathlib import Path

import click

from infra import clock
from infra.radius_text.dialects import dialect_for, dialect_text, shipped_dialects
from portals.commands._output import emit
from portals.commands._tenant import AT_THE_COMMAND_LINE, open_tenant, tenant_option
from tenants.access.preview_reply import preview_reply
from tenants.network.errors import DialectNotFound
from tenants.network.own_dialects import (
    OWN,
    DialectRow,
    add_dialect,
    checked,
    delete_dialect,
    edit_dialect,
    list_dialects,
)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Show, check, add, change and delete an ISP's own dialects."""


@command.command("list")
@tenant_option
def show_list(tenant: str) -> None:
    """List the tenant's own dialects and the built-in ones."""
    with open_tenant(tenant) as opened:
        own = [{"name": row.name, "title": row.title, "routers": row.routers} for row in list_dialects(opened.scope)]
    emit([*own, *({"name": key, "title": one.title, "routers": ""} for key, one in shipped_dialects().items())])


@command.command("show")
@tenant_option
@click.argument("name")
def show(tenant: str, name: str) -> None:
    """Print the text of a dialect, own or built-in."""
    with open_tenant(tenant) as opened:
        own = {row.name: row.text for row in list_dialects(opened.scope)}
    if name not in own and name not in shipped_dialects():
        raise DialectNotFound(what="dialect", ref=name)
    text = own.get(name) or dialect_text(name)
    emit({"name": name, "text": text}, text)


@command.command("add")
@tenant_option
@click.argument("name")
@click.argument("file", type=_FILE)
def add(tenant: str, name: str, file: Path) -> None:
    """Add a dialect from a file; routers name it as vendor own-NAME."""
    with open_tenant(tenant) as opened:
        text = file.read_text("utf-8")
        dialect_id = add_dialect(opened.scope, name, text, actor=AT_THE_COMMAND_LINE, now=clock.now())
    emit({"id": dialect_id, "vendor": OWN + name}, f"Added the dialect {name}; routers name it as vendor {OWN}{name}.")


@command.command("edit")
@tenant_option
@click.argument("name")
@click.argument("file", type=_FILE)
def edit(tenant: str, name: str, file: Path) -> None:
    """Replace the text of a dialect; its routers are answered by it at once."""
    with open_tenant(tenant) as opened:
        row = _find(list_dialects(opened.scope), name)
        edit_dialect(opened.scope, row.id, file.read_text("utf-8"), actor=AT_THE_COMMAND_LINE, now=clock.now())
    emit({"name": name}, f"Changed the dialect {name}.")


@command.command("delete")
@tenant_option
@click.argument("name")
def delete(tenant: str, name: str) -> None:
    """Delete a dialect that no router speaks."""
    with open_tenant(tenant) as opened:
        row = _find(list_dialects(opened.scope), name)
        delete_dialect(opened.scope, row.id, actor=AT_THE_COMMAND_LINE, now=clock.now())
    emit({"name": name}, f"Deleted the dialect {name}.")


@command.command("try")
@tenant_option
@click.argument("name")
@click.argument("username")
def try_on(tenant: str, name: str, username: str) -> None:
    """Print what a router of this dialect would be told of an account."""
    with open_tenant(tenant) as opened:
        own = {row.name: row for row in list_dialects(opened.scope)}
        if name not in own and name not in shipped_dialects():
            raise DialectNotFound(what="dialect", ref=name)
        dialect = checked(own[name].key, own[name].text) if name in own else dialect_for(name)
        lines = preview_reply(opened.scope, dialect, username)
    emit([{"attribute": line.attribute, "tag": line.tag, "value": line.value} for line in lines])


def _find(rows: tuple[DialectRow, ...], name: str) -> DialectRow:
    found = next((row for row in rows if row.name == name), None)
    if found is None:
        raise DialectNotFound(what="dialect", ref=name)
    return found
