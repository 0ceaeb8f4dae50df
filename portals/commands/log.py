"""The operation log: prove that nobody changed it (STF-6)."""

from dataclasses import asdict

import click

from portals.commands._output import emit
from portals.commands._tenant import open_tenant, tenant_option
from tenants.audit.verify_chain import verify_chain


@click.group()
def command() -> None:
    """Prove that the operation log is as it was written."""


@command.command("verify")
@tenant_option
def verify(tenant: str) -> None:
    """Recompute the seal of every entry; exit code 1 and the first wrong entry when one was altered or removed."""
    with open_tenant(tenant) as opened:
        report = verify_chain(opened.scope)
    ok = report.broken_at is None
    text = f"{report.entries} entries are as they were written; {report.unsealed} wait to be sealed."
    if not ok:
        text = f"Entry {report.broken_at} was altered, or one before it is missing."
    emit({"ok": ok, **asdict(report)}, text)
    if not ok:
        click.get_current_context().exit(1)
