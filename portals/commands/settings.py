"""Settings of a tenant: list and set."""

import click

from infra import clock
from portals.commands._output import emit
from portals.commands._tenant import AT_THE_COMMAND_LINE, open_tenant, tenant_option
from tenants.registry.settings import as_text, list_settings, reset, write


@click.group()
def command() -> None:
    """List and change a tenant's settings."""


@command.command("list")
@tenant_option
def show_list(tenant: str) -> None:
    """All settings with their values; the changed ones are marked."""
    with open_tenant(tenant) as opened:
        rows = list_settings(opened.scope)
    width = max(len(row.key) for row in rows)
    lines = [
        f"{' ' if row.is_default else '*'} {row.key.ljust(width)}  {as_text(row.value) or '-'}"
        f"{' ' + row.unit if row.unit and row.value is not None else ''}"
        for row in rows
    ]
    emit({row.key: row.value for row in rows}, "\n".join(lines))


@command.command("set", context_settings={"ignore_unknown_options": True})  # a value may be -1
@tenant_option
@click.argument("key")
@click.argument("value")
def set_one(tenant: str, key: str, value: str) -> None:
    """Set one setting; it holds at once."""
    with open_tenant(tenant) as opened:
        stored = write(opened.scope, key, value, actor=AT_THE_COMMAND_LINE, now=clock.now())
    emit({"key": key, "value": stored}, f"{key} = {as_text(stored) or '-'}")


@command.command("reset")
@tenant_option
@click.argument("key")
def reset_one(tenant: str, key: str) -> None:
    """Back to the default."""
    with open_tenant(tenant) as opened:
        stored = reset(opened.scope, key, actor=AT_THE_COMMAND_LINE, now=clock.now())
    emit({"key": key, "value": stored}, f"{key} = {as_text(stored) or '-'}")
