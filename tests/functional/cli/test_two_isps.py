"""Every command with ``--tenant`` is let loose on Alice's ISP with Charlie's things (TEN-6): Charlie's are never seen,
never changed. Generated from the commands themselves, so a new one is swept, too."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy import text

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from portals.cli import root
from tenants.catalog.add_rate_profile import AddRateProfile, add_rate_profile
from tenants.kernel.actor import SYSTEM
from tenants.network.add_nas import AddNas, add_nas
from tenants.network.add_pool import PoolForm, add_pool
from tenants.network.add_region import RegionForm, add_region
from tests.fixtures.accounts import open_one, sell
from tests.fixtures.command_line import CommandLine
from tests.fixtures.tenants import MakeTenant

MARK = "CHARLIES-SECRET"


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        elif command is not None and any(parameter.name == "tenant" for parameter in command.params):
            yield (*path, name), command


COMMANDS = list(leaves(root))


class World:
    """Charlie's and Alice's ISPs in one database, with the same user name in both."""

    def __init__(self, database: Database, charlie: TenantRef, alice: TenantRef, given: dict[str, list[str]]) -> None:
        self.database, self.charlie, self.alice, self.given = database, charlie, alice, given

    def fingerprint(self) -> dict[str, str]:
        """A digest of everything that is Charlie's, table by table."""
        found = {}
        with self.database.owner_connection() as connection:
            tables = connection.execute(
                text(
                    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                    " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
                    " AND n.nspname IN ('aaa', 'work', 'registry', :own)"
                ),
                {"own": f"t_{self.charlie.id}"},
            ).all()
            for schema, table in tables:
                name = f'{schema}."{table}"'
                where = ""
                if schema in ("aaa", "work", "registry"):
                    columns = connection.execute(
                        text("SELECT attname FROM pg_attribute WHERE attrelid = CAST(:table AS regclass)"),
                        {"table": name},
                    ).scalars()
                    if "tenant_id" not in set(columns):
                        continue
                    where = f" WHERE tenant_id = {self.charlie.id}"
                rows = connection.execute(text(f"SELECT x::text FROM {name} x{where} ORDER BY 1")).scalars().all()
                found[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
        return found


@pytest.fixture
def world(fresh_database: Database, cli: CommandLine, make_tenant: MakeTenant, tmp_path: Path) -> World:
    charlie, alice = make_tenant(database=fresh_database), make_tenant(database=fresh_database)
    given: dict[str, list[str]] = {}
    for tenant in (alice, charlie):
        with tenant_scope(fresh_database, tenant) as scope:
            open_one(scope, "u1", sell(scope, "Same plan"), password="pass-0001")
    with tenant_scope(fresh_database, charlie) as scope:
        now = clock.now()
        region = add_region(scope, RegionForm(f"{MARK} region"), actor=SYSTEM, now=now)
        plan = sell(scope, f"{MARK} plan")
        account = open_one(scope, "zed", plan, name=MARK)
        nas = add_nas(scope, AddNas("mikrotik", name="r1", remark=MARK), actor=SYSTEM, now=now)
        given["account"] = given["username"] = ["zed", str(account + 1000), "u1"]
        given["plan"] = [f"{MARK} plan", str(plan.id)]
        given["region"] = given["regions"] = [f"{MARK} region", str(region)]
        given["pool"] = [f"{MARK}-pool", str(add_pool(scope, PoolForm(f"{MARK}-pool"), actor=SYSTEM, now=now))]
        rates = AddRateProfile(f"{MARK} speed", 3_000_000, 3_000_000)
        given["rate"] = [rates.name, str(add_rate_profile(scope, rates, actor=SYSTEM, now=now).id)]
        given["nas"] = [nas.identifier, str(nas.nas_id)]
    table = tmp_path / "routers.csv"
    table.write_text(f"name,vendor,identifier\nr1,mikrotik,{given['nas'][0]}\n")
    given |= {
        "method": ["cash"], "quantity": ["1"], "amount": ["1.00"], "reason": ["x"], "key": ["arrears_days"],
        "value": ["4"], "vendor": ["mikrotik"], "name": ["New"], "group": ["New"], "kind": ["month"], "price": ["1"],
        "up": ["1M"], "down": ["1M"], "password": ["pass-0001"], "starts": ["8:00"], "ends": ["9:00"], "number": ["1"],
        "credential": ["1"], "first": ["2026-01-01"], "last": ["2026-12-31"],
        "file": [str(table)],
    }  # fmt: skip
    return World(fresh_database, charlie, alice, given)


def calls(world: World, path: tuple[str, ...], command: click.Command) -> Iterator[list[str]]:
    """The command with each of Charlie's things in the places that are required or that name a plan or region."""
    places = [
        p for p in command.params if p.name != "tenant" and (p.required or p.name in ("plan", "region", "regions"))
    ]
    choices = [world.given[str(p.name)] for p in places]
    for turn in range(max((len(choice) for choice in choices), default=1)):
        values = [choice[turn % len(choice)] for choice in choices]
        words: list[str] = [*path, "--tenant", world.alice.slug]
        for parameter, value in zip(places, values, strict=True):
            is_option = isinstance(parameter, click.Option)
            words += [parameter.opts[-1], value] if is_option else [value]
        yield words


def test_the_sweep_covers_the_commands() -> None:
    assert len(COMMANDS) >= 30


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_of_charlie_is_seen_or_changed(world: World, cli: CommandLine) -> None:
    before = world.fingerprint()
    assert sum(1 for _ in before) > 40
    outcomes: dict[tuple[str, ...], set[int]] = {}
    for path, command in COMMANDS:
        for words in calls(world, path, command):
            code, out, err = cli.run(*words)
            echo = {word for word in words if MARK in word}  # what we typed ourselves may come back in an error
            said = out + err
            for word in echo:
                said = said.replace(word, "")
            assert MARK not in said, words
            assert "internal" not in err, (words, err)
            assert "unexpected" not in err, (words, err)
            outcomes.setdefault(path, set()).add(code)
    assert world.fingerprint() == before
    refused_all: list[Any] = [
        path for path, codes in outcomes.items() if path[-1] in ("show", "script") and 1 not in codes
    ]
    assert refused_all == []
