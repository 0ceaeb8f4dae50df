"""Functions of an older version give way to this version's at a start; equal ones are not touched."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import text

from infra.db import Database
from migrations import runner
from migrations.scripts import baseline_digest, digest_with_functions, read_sql
from tenants.registry.prepare import prepare_database
from tests.fixtures.tenants import MakeTenant

OLDER = """
CREATE OR REPLACE FUNCTION aaa.used_percent(p_used bigint, p_quota bigint, p_packs bigint, p_over bigint)
RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 7';
"""
# Another result and other names: PostgreSQL refuses to replace such.
OTHER_FORM = """
DROP FUNCTION aaa.close_nas_sessions(int, int, float8, smallint);
CREATE FUNCTION aaa.close_nas_sessions(tenant int, nas int, at float8, cause smallint)
RETURNS text LANGUAGE sql AS $$ SELECT 'older' $$;
"""
SUPERSEDED = """
CREATE FUNCTION aaa.account_each(a_tenant int[]) RETURNS int LANGUAGE sql AS 'SELECT 1'
"""
WRITTEN = (
    "SELECT p.proname, p.xmin::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname IN ('aaa', 'registry') OR n.nspname ~ '^t_[0-9]+$' ORDER BY p.oid"
)


def run(database: Database, sql: str) -> None:
    with psycopg.connect(database.url(), autocommit=True) as connection:
        connection.execute(sql)


def ask(database: Database, sql: str) -> object:
    with database.owner_connection() as connection:
        return connection.execute(text(sql)).scalar()


@pytest.mark.parametrize("older", [OLDER, OTHER_FORM, SUPERSEDED], ids=["body", "form", "other_arguments"])
def test_an_older_version_of_a_function_is_replaced(fresh_database: Database, older: str) -> None:
    run(fresh_database, older)
    prepare_database(fresh_database)
    assert ask(fresh_database, "SELECT aaa.used_percent(10, 10, 0, 0)") == 100
    assert ask(fresh_database, "SELECT aaa.close_nas_sessions(1, 1, 0, 1::smallint)") == 0


def test_a_database_that_knows_of_no_digest_of_functions_gets_them(fresh_database: Database) -> None:
    """Made before functions were compared; its baseline's digest had them in it."""
    run(fresh_database, OLDER + "DROP TABLE broadloom_meta.functions")
    run(fresh_database, f"UPDATE broadloom_meta.baseline SET digest = '{digest_with_functions()}'")
    prepare_database(fresh_database)
    assert ask(fresh_database, "SELECT aaa.used_percent(10, 10, 0, 0)") == 100
    assert ask(fresh_database, "SELECT digest FROM broadloom_meta.baseline") == baseline_digest()


def test_starters_at_once_write_them_once(
    fresh_database: Database, make_engines: Callable[..., Database], make_tenant: MakeTenant
) -> None:
    make_tenant(database=fresh_database)
    run(fresh_database, OLDER)
    databases = [make_engines(fresh_database.url()) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(prepare_database, databases))
    with fresh_database.owner_connection() as connection:
        before = connection.execute(text(WRITTEN)).all()
    prepare_database(fresh_database)
    with fresh_database.owner_connection() as connection:
        assert connection.execute(text(WRITTEN)).all() == before


def test_nothing_to_write_waits_for_no_writer_of_a_table(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start beside a running product: replacing the trigger on aaa.profile would wait for this one."""
    monkeypatch.setattr(runner.environment, "LOCK_TIMEOUT", "200ms")
    with psycopg.connect(fresh_database.url()) as writer:
        writer.execute("LOCK TABLE aaa.profile IN ROW EXCLUSIVE MODE")
        prepare_database(fresh_database)


def test_trigger_functions_of_tenants_are_replaced(fresh_database: Database, make_tenant: MakeTenant) -> None:
    old, new = make_tenant(database=fresh_database), make_tenant(database=fresh_database)
    run(
        fresh_database,
        f"CREATE OR REPLACE FUNCTION t_{old.id}.ledger_never_changes() RETURNS trigger LANGUAGE plpgsql"
        " SET search_path = pg_catalog AS 'BEGIN RETURN NULL; END'",
    )
    assert runner.upgrade_all(fresh_database).failed == {}
    bodies = "SELECT prosrc FROM pg_proc WHERE oid = 't_{}.ledger_never_changes'::regproc"
    assert ask(fresh_database, bodies.format(old.id)) == ask(fresh_database, bodies.format(new.id))
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        run(fresh_database, f"DELETE FROM t_{old.id}.journal_entries")


def test_only_tables_belong_to_the_digest_of_a_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    before = baseline_digest()
    tenant = read_sql("baseline/tenant.sql")
    changed = {"baseline/tenant.sql": tenant.replace("the ledger is append-only", "the ledger only grows")}
    assert changed["baseline/tenant.sql"] != tenant
    monkeypatch.setattr("migrations.scripts.read_sql", lambda path: changed.get(path) or read_sql(path))
    assert baseline_digest() == before
    changed["baseline/tenant.sql"] = tenant.replace("CREATE TABLE", "CREATE UNLOGGED TABLE", 1)
    assert baseline_digest() != before
