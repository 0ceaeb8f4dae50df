"""The tenant that a command acts on, as one unit of work, and who acts: the person at the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

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


class Instant(click.ParamType[datetime]):
    """A date, or date and time, in ISO 8601; without an offset it is on the tenant's wall clock: ``instant_in``."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The text as a datetime, naive where it names no offset."""
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f'"{value}" is not an instant; write it like 2026-01-31T12:00:00+08:00.', param, ctx)
        if not 1970 <= instant.year < 2200:  # beyond it the calendar itself ends, in one zone or another
            self.fail(f'"{value}" is not possible; the year must be from 1970 to 2199.', param, ctx)
        return instant


now_option = click.option("--now", type=Instant(), help="The instant it is done at, ISO 8601; else the present one.")


def instant_in(zone: ZoneInfo, given_instant: datetime | None) -> datetime:
    """What an option of the type :class:`Instant` means for a tenant in this zone, in UTC; now when left out."""
    if given_instant is None:
        return clock.now()
    named = given_instant if given_instant.tzinfo else given_instant.replace(tzinfo=zone)
    return named.astimezone(UTC)


def given(**values: Any) -> dict[str, Any]:
    """The options that were given on the command line."""
    return {name: value for name, value in values.items() if value is not None}
