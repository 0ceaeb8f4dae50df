"""``usage``: exact octets and seconds by day, month or span (RAD-8)."""

from datetime import date

from infra.db import Database
from infra.tenant_scope import tenant_scope
from tenants.usage.models import Usage
from tests.fixtures.accounts import open_one, sell
from tests.fixtures.command_line import CommandLine
from tests.fixtures.tenants import MakeTenant


def test_usage_by_day_month_and_span(cli: CommandLine, fresh_database: Database, make_tenant: MakeTenant) -> None:
    tenant = make_tenant(database=fresh_database)
    with tenant_scope(fresh_database, tenant) as scope:
        plan = sell(scope)
        ids = {name: open_one(scope, name, plan) for name in ("u1", "u2", "idle")}
        for name, month, day, octets in (("u1", 1, 30, 5), ("u1", 1, 31, 7), ("u1", 2, 1, 2**40), ("u2", 1, 31, 1)):
            row = Usage(tenant_id=scope.tenant_id, account_id=ids[name], day=date(2026, month, day), seconds=60)
            row.octets_in, row.octets_out = octets, 10 * octets
            scope.session.add(row)
    asked = ("usage", "--tenant", tenant.slug, "--from", "2026-01-31", "--to", "2026-02-28")
    by_day = cli(*asked)
    assert [(row["username"], row["day"], row["octets_up"]) for row in by_day] == [
        ("u1", "2026-01-31", 7), ("u1", "2026-02-01", 2**40), ("u2", "2026-01-31", 1),
    ]  # fmt: skip
    by_month = cli(*asked, "--per", "month", "--username", "u1")
    assert [(row["month"], row["octets_down"], row["seconds"]) for row in by_month] == [
        ("2026-01", 70, 60), ("2026-02", 10 * 2**40, 60),
    ]  # fmt: skip
    [whole] = cli(*asked, "--per", "whole", "--username", "u1")
    assert (whole["from"], whole["octets_up"], whole["seconds"]) == ("2026-01-31", 2**40 + 7, 120)
    refused = cli.refused("usage", "--tenant", tenant.slug, "--from", "2026-02-01", "--to", "2026-01-31")
    assert refused["code"] == "ends_before_start"
