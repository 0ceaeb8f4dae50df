"""The ledger: recompute and compare."""

import click

from portals.commands._op_document import check_document
from portals.commands._output import emit
from portals.commands._tenant import open_tenant, tenant_option
from tenants.billing.check import check_ledger


@click.group()
def command() -> None:
    """Prove that the money adds up."""


@command.command("check")
@tenant_option
def check(tenant: str) -> None:
    """Recompute every balance and compare orders, entries and fee records; exit code 1 when something differs."""
    with open_tenant(tenant) as opened:
        document = check_document(check_ledger(opened.scope))
    if document["ok"]:
        text = f"{document['entries']} entries of {document['orders']} orders agree; {document['debits']} on each side."
    else:
        lines = [f"{f['what']}: {f['subject']}: {f['stored']} / {f['recomputed']}" for f in document["findings"]]
        text = "\n".join(["The ledger does not agree:", *lines])
    emit(document, text)
    if not document["ok"]:
        click.get_current_context().exit(1)
