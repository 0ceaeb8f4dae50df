"""Plans: what a tenant sells."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import click

from infra import clock
from portals.commands._output import emit
from portals.commands._places import place_pairs
from portals.commands._plan_windows import window_documents, window_lines
from portals.commands._tenant import AT_THE_COMMAND_LINE, open_tenant, tenant_option
from tenants.access.apply_catalog import add_plan_and_apply, edit_plan_group_and_apply
from tenants.access.edit_hours import WindowValues, add_window, drop_window
from tenants.catalog.add_plan import AddPlan, PlanValues, ensure_group
from tenants.catalog.add_plan_group import check_pool
from tenants.catalog.edit_plan_group import EditPlanGroup, values_of
from tenants.catalog.errors import PlanFieldNeeded
from tenants.catalog.find import find_group
from tenants.catalog.queries import as_document, list_plans, plan_document, region_names
from tenants.catalog.rules import check_name
from tenants.catalog.set_windows import windows_of
from tenants.catalog.weekly import parse_days, parse_time_of_day
from tenants.kernel.units import gigabytes, hours, rate_bps, show_rate
from tenants.registry.settings import read


@click.group()
def command() -> None:
    """Add and list plans."""


@command.command("add")
@tenant_option
@click.option("--group", required=True, help="Plan group; made with these rates when it does not exist.")
@click.option("--name", required=True)
@click.option("--kind", required=True, help="month, quarter, half-year, year, day, week, traffic, hours, …")
@click.option("--price", required=True)
@click.option("--up", required=True, help="Rate towards the router: 2M, 512k or bit/s.")
@click.option("--down", required=True, help="Rate towards the subscriber.")
@click.option("--sessions", type=int, default=1, show_default=True, help="Sessions at once; 0 = any number.")
@click.option(
    "--concurrency", default="refuse", show_default=True, help="One session too many: refuse it, or drop-oldest."
)
@click.option("--pool", help="Address pool on the router.")
@click.option("--quota-gb", help="Traffic included.")
@click.option("--quota-hours", help="Time included.")
@click.option("--validity-days", type=int)
@click.option("--quota-end", default="cut", show_default=True, help="cut, or throttle to another rate.")
@click.option("--throttle-up", help="Rate after the quota's end.")
@click.option("--throttle-down", help="Rate after the quota's end.")
@click.option("--usage", default="both", show_default=True, help="new, renew or both.")
@click.option("--regions", help="Names or ids, separated by commas; all regions when left out.")
@click.option("--hidden", is_flag=True, help="Not shown in self-service.")
def add(
    tenant: str,
    group: str,
    name: str,
    kind: str,
    price: str,
    up: str,
    down: str,
    sessions: int,
    concurrency: str,
    pool: str | None,
    quota_gb: str | None,
    quota_hours: str | None,
    validity_days: int | None,
    quota_end: str,
    throttle_up: str | None,
    throttle_down: str | None,
    usage: str,
    regions: str | None,
    hidden: bool,
) -> None:
    """Add a plan, with its group where that is new."""
    now, actor = clock.now(), AT_THE_COMMAND_LINE
    with open_tenant(tenant) as opened:
        scope = opened.scope
        settings = read(scope)
        megabit, gigabyte = int(settings.megabit), int(settings.gigabyte)
        rates = (rate_bps(up, megabit=megabit, field="up"), rate_bps(down, megabit=megabit, field="down"))
        if (throttle_up is None) != (throttle_down is None):
            missing = "throttle_down" if throttle_down is None else "throttle_up"
            raise PlanFieldNeeded(field=missing, kind=kind, what="both throttle rates, up and down")
        values = PlanValues(
            name=name,
            kind=kind,
            price=price,
            max_sessions=sessions,
            concurrency=concurrency,
            usage=usage,
            visible=not hidden,
            regions=None if regions is None else [part.strip() for part in regions.split(",") if part.strip()],
            quota_octets=None if quota_gb is None else gigabytes(quota_gb, gigabyte=gigabyte),
            quota_seconds=None if quota_hours is None else hours(quota_hours),
            validity_days=validity_days,
            quota_end=quota_end,
            throttle_up_bps=_rate(throttle_up, megabit, "throttle_up"),
            throttle_down_bps=_rate(throttle_down, megabit, "throttle_down"),
        )
        checked_pool = None if pool is None else check_pool(pool, "pool")
        plan_group = ensure_group(scope, check_name(group, field="group"), *rates, checked_pool, actor=actor, now=now)
        plan = add_plan_and_apply(scope, AddPlan(plan_group.id, values), actor=actor, now=now)
        document = plan_document(scope, plan.id)
    emit(document, f"Added plan {document['name']} (id {document['id']}) in group {document['group']}.")


def _rate(text: str | None, megabit: int, field: str) -> int | None:
    return None if text is None else rate_bps(text, megabit=megabit, field=field)


@command.command("replies")
@tenant_option
@click.option("--group", required=True, help="Name or id of the plan group.")
@click.option("--extra", help='Extra attributes, lines of "Attribute = value"; "" takes them away.')
@click.option("--expired", multiple=True, metavar="NAME=VALUE", help="Place for expired accounts: pool=…, up_bps=…, …")
@click.option("--expiring", multiple=True, metavar="NAME=VALUE", help="The same for accounts that end soon.")
@click.option("--expiring-days", type=int, help="How many days before the end that begins.")
def replies(
    tenant: str,
    group: str,
    extra: str | None,
    expired: tuple[str, ...],
    expiring: tuple[str, ...],
    expiring_days: int | None,
) -> None:
    """Show or change what a plan group adds to answers; its places go before the router's."""
    given = {"extra": extra, "expiring_days": expiring_days}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    changes |= {name: place_pairs(values) for name, values in (("expired", expired), ("expiring", expiring)) if values}
    with open_tenant(tenant) as opened:
        found = find_group(opened.scope, group)
        if changes:
            values = values_of(found)
            wanted = EditPlanGroup(found.id, replace(values, options={**values.options, **changes}))
            found = edit_plan_group_and_apply(opened.scope, wanted, actor=AT_THE_COMMAND_LINE, now=clock.now())
        options = dict(found.options)
    emit({"group": found.name, "options": options})


@command.command("windows")
@tenant_option
@click.option("--group", required=True, help="Name or id of the plan group.")
def windows(tenant: str, group: str) -> None:
    """Show the weekly hours of a plan group."""
    with open_tenant(tenant) as opened:
        found = find_group(opened.scope, group)
        documents = window_documents(opened.scope, windows_of(opened.scope, found.id))
    emit(documents, window_lines(documents))


@command.command("add-window")
@tenant_option
@click.option("--group", required=True, help="Name or id of the plan group.")
@click.option("--days", default="all", show_default=True, help="mon-fri, sat,sun or all.")
@click.option("--from", "starts", required=True, help="08:00, in the tenant's time zone.")
@click.option("--to", "ends", required=True, help="18:00; earlier than --from: of the next day.")
@click.option("--action", default="allow", show_default=True, help="allow: may connect then; rate: another speed.")
@click.option("--up", help="Rate towards the router in this time.")
@click.option("--down", help="Rate towards the subscriber in this time.")
def add_one_window(
    tenant: str, group: str, days: str, starts: str, ends: str, action: str, up: str | None, down: str | None
) -> None:
    """Let a plan group connect, or run at another rate, at certain hours only."""
    with open_tenant(tenant) as opened:
        scope = opened.scope
        megabit = int(read(scope).megabit)
        values = WindowValues(
            parse_days(days),
            parse_time_of_day(starts, field="from"),
            parse_time_of_day(ends, field="to"),
            action,
            _rate(up, megabit, "up"),
            _rate(down, megabit, "down"),
        )
        found = find_group(scope, group)
        stored = add_window(scope, found.id, values, actor=AT_THE_COMMAND_LINE, now=clock.now())
        documents = window_documents(scope, stored)
    emit(documents, window_lines(documents))


@command.command("drop-window")
@tenant_option
@click.option("--group", required=True, help="Name or id of the plan group.")
@click.option("--number", type=int, required=True, help="Its number in `plan windows`.")
def drop_one_window(tenant: str, group: str, number: int) -> None:
    """Drop one of a plan group's hours."""
    with open_tenant(tenant) as opened:
        scope = opened.scope
        found = find_group(scope, group)
        stored = drop_window(scope, found.id, number, None, actor=AT_THE_COMMAND_LINE, now=clock.now())
        documents = window_documents(scope, stored)
    emit(documents, window_lines(documents))


@command.command("list")
@tenant_option
def show_list(tenant: str) -> None:
    """List all plans."""
    with open_tenant(tenant) as opened:
        rows = list_plans(opened.scope)
        documents = [as_document(row, None if row.all_regions else region_names(opened.scope, row.id)) for row in rows]
    emit(documents, "\n".join(_line(row.id, row.name, row.kind, row.price, row.up_bps, row.down_bps) for row in rows))


def _line(plan_id: int, name: str, kind: str, price: Decimal, up_bps: int, down_bps: int) -> str:
    return f"{plan_id:>6}  {name}  {kind}  {price}  {show_rate(up_bps)} up, {show_rate(down_bps)} down"
