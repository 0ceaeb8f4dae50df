"""Tenants: create, list, show, migrate, suspend, resume."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from infra import clock
from infra.tenant_scope import tenant_scope
from migrations.errors import MigrationError
from portals.commands._installation import Installation, open_installation
from portals.commands._output import emit
from portals.commands._tenant import AT_THE_COMMAND_LINE
from tenants.onboarding.create_tenant import NewTenant, create_tenant
from tenants.registry.describe import describe_tenants
from tenants.registry.directory import find_tenant, list_tenants
from tenants.registry.keys import configure
from tenants.registry.prepare import ensure_prepared, prepare_database
from tenants.registry.suspend import resume_tenant, suspend_tenant
from tenants.reports.count_tenant import count_tenant


@click.group()
def command() -> None:
    """Create and look after the internet providers of this installation."""


@contextmanager
def _installation() -> Iterator[Installation]:
    with open_installation() as installation:
        configure(installation.settings.require_secret_key())
        ensure_prepared(installation.database)
        yield installation


@command.command("create")
@click.option("--slug", required=True, help="3 to 30 small letters, digits, hyphens: the tenant's address.")
@click.option("--name", required=True, help="The company's name.")
@click.option("--email", required=True, help="The owner's e-mail address.")
@click.option("--password", required=True, help="The owner's password.")
@click.option("--contact", default="", help="The owner's name.")
@click.option("--phone", default="")
@click.option("--tier", default="unlimited", show_default=True)
@click.option("--language", "locale", default="zh", show_default=True, help="zh or en.")
@click.option("--timezone", default="Asia/Shanghai", show_default=True)
@click.option("--currency", default="CNY", show_default=True)
@click.option("--cell", help="Database cell; the least full one when left out.")
def create(contact: str, **values: Any) -> None:
    """Create a tenant at once, without e-mail verification."""
    with _installation() as installation:
        new = NewTenant(contact_name=contact, **values)
        made = create_tenant(installation.database, new, now=clock.now())
        [facts] = describe_tenants(installation.database, [made.tenant])
        url = f"{installation.settings.site_url}/t/{made.tenant.slug}/admin/"
    emit(
        {**facts, "username": made.operator_username, "admin_url": url},
        f"Created the tenant {made.tenant.slug} (id {made.tenant.id}).\n"
        f"Log in at {url} as {made.operator_username} or {facts['email']}.",
    )


@command.command("list")
def show_list() -> None:
    """List all tenants."""
    with _installation() as installation:
        rows = describe_tenants(installation.database, list_tenants(installation.database))
    columns = ("id", "slug", "name", "state", "tier", "cell", "nas_count", "schema_version")
    emit(rows if rows else [], None if not rows else _table(rows, columns))


@command.command("show")
@click.argument("slug")
def show(slug: str) -> None:
    """Show one tenant."""
    with _installation() as installation:
        tenant = find_tenant(installation.database, slug)
        [facts] = describe_tenants(installation.database, [tenant])
        with tenant_scope(installation.database, tenant) as scope:
            counts = count_tenant(scope, now=clock.now())
    emit({**facts, **counts})


@command.command("migrate")
@click.option("--parallel", type=click.IntRange(1, 64), default=4, show_default=True, help="Tenants at a time.")
def migrate(parallel: int) -> None:
    """Bring all databases and tenants to this version; goes on where a stopped run was."""
    with open_installation() as installation:
        configure(installation.settings.require_secret_key())
        report = prepare_database(installation.database, parallel=parallel)
    lines = [f"Migrated {len(report.migrated)} tenants to version {report.version}."]
    lines += [f"{slug}: {reason}" for slug, reason in report.failed.items()]
    emit(report, "\n".join(lines))
    if report.failed:
        raise MigrationError("tenants_failed", f"{len(report.failed)} tenants could not be migrated; run it again.")


@command.command("suspend")
@click.argument("slug")
@click.option("--reason", required=True, help="The ISP is shown it.")
def suspend(slug: str, reason: str) -> None:
    """Nobody of this tenant can log in until it is resumed."""
    with _installation() as installation:
        tenant = find_tenant(installation.database, slug)
        suspend_tenant(installation.database, tenant.id, reason, actor=AT_THE_COMMAND_LINE, now=clock.now())
        [facts] = describe_tenants(installation.database, [tenant])
    emit(facts, f"Suspended {tenant.slug}.")


@command.command("resume")
@click.argument("slug")
def resume(slug: str) -> None:
    """End a suspension."""
    with _installation() as installation:
        tenant = find_tenant(installation.database, slug)
        resume_tenant(installation.database, tenant.id, actor=AT_THE_COMMAND_LINE, now=clock.now())
        [facts] = describe_tenants(installation.database, [tenant])
    emit(facts, f"Resumed {tenant.slug}.")


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    cells = [list(columns), *([str(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)
