"""The tenant that a command acts on, as one unit of work, and who acts: the person at the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from infra import clock
from infra.tenant_scope import TenantScope, tenant_scope
from portals.commands._installation import Installation, open_installation
from tenants.kernel.actor import Actor
from tenants.registry.directory import find_tenant
from tenants.registry.keys import configure
from tenants.registry.prepare import ensure_prepared

AT_THE_COMMAND_LINE = Actor("cli", None, "command line", everything=True)

tenant_option = click.option("--tenant", required=True, metavar="SLUG", help="Slug or id of the tenant.")
now_option = click.option("--now", "now", callback=lambda _c, _p, text: read_instant(text), help="ISO 8601 instant.")


@dataclass(frozen=True, slots=True)
class TenantCommand:
    """What a command of one tenant works with; its unit of work commits when the block ends without an error."""

    installation: Installation
    scope: TenantScope


@contextmanager
def open_tenant(slug: str) -> Iterator[TenantCommand]:
    """The tenant of the running (or for this time started) installation. Raises TenantNotFound."""
    with open_installation() as installation:
        configure(installation.settings.require_secret_key())
        ensure_prepared(installation.database)
        tenant = find_tenant(installation.database, slug)
        with tenant_scope(installation.database, tenant) as scope:
            yield TenantCommand(installation, scope)


def read_instant(text: str | None) -> datetime:
    """The instant of ``--now`` in UTC; the present one when it is left out. A text without an offset means UTC."""
    if text is None:
        return clock.now()
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter(
            f'"{text}" is not an instant; write it like 2026-01-31T12:00:00+08:00.', param_hint="--now"
        ) from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)


def given(**values: Any) -> dict[str, Any]:
    """The options that were given on the command line."""
    return {name: value for name, value in values.items() if value is not None}
