"""Exact usage of a tenant's accounts by day, by month, or in one sum."""

from datetime import date, datetime
from typing import Any

import click

from portals.commands._output import emit
from portals.commands._tenant import AT_THE_COMMAND_LINE, open_tenant, tenant_option
from tenants.catalog.errors import BadPeriodOfTime
from tenants.subscribers.queries_usage import PER, UsageRow, UsageSpan, usage_of_accounts

_BATCH = 1_000
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@tenant_option
@click.option("--from", "first", type=_DAY, required=True, help="First day, in the tenant's calendar.")
@click.option("--to", "last", type=_DAY, required=True, help="Last day, included.")
@click.option("--per", type=click.Choice(PER), default="day", show_default=True, help="whole: one sum for each.")
@click.option("--username", help="Of one account only.")
def command(tenant: str, first: datetime, last: datetime, per: str, username: str | None) -> None:
    """Traffic and time of every account that used any."""
    if last < first:
        raise BadPeriodOfTime(field="to")
    span = UsageSpan(first.date(), last.date(), per)
    rows: list[dict[str, Any]] = []
    after = 0
    with open_tenant(tenant) as opened:
        while True:
            batch = usage_of_accounts(
                opened.scope, span, AT_THE_COMMAND_LINE, username=username, after=after, size=_BATCH
            )
            rows += [_document(row, span.per) for row in batch.rows]
            after = batch.after
            if not after:
                break
    emit(rows)


def _document(row: UsageRow, per: str) -> dict[str, Any]:
    day: date = row.day
    return {
        "username": row.username,
        "name": row.name,
        per if per != "whole" else "from": f"{day:%Y-%m}" if per == "month" else day.isoformat(),
        "octets_down": row.octets_out,
        "octets_up": row.octets_in,
        "seconds": row.seconds,
    }
