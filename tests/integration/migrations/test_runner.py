"""The migration runner: safe twice and at once, resumable, canary first, clear about what it lacks."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from infra import clock
from infra.db import Database
from infra.tenant_scope import tenant_scope
from migrations import environment, runner
from migrations.errors import MigrationError
from migrations.scripts import FOLDER
from tenants.kernel.actor import SYSTEM
from tenants.network.add_nas import AddNas, add_nas
from tenants.registry.prepare import ensure_prepared, prepare_database
from tests.fixtures.tenants import MakeTenant

Engines = Callable[..., Database]


def test_an_empty_database_becomes_ready_and_stays_so(empty_database_url: str, make_engines: Engines) -> None:
    database = make_engines(empty_database_url)
    ensure_prepared(database)
    assert prepare_database(database).migrated == []
    with database.owner_connection() as connection:
        assert environment.current_version(connection, "broadloom_meta") == environment.head("registry")
        months = connection.execute(
            text("SELECT count(*) FROM pg_inherits WHERE inhparent = 'aaa.session_history'::regclass")
        ).scalar()
        assert months == 6  # last month to three ahead, and the default partition


def test_data_of_an_older_unreleased_state_are_refused(fresh_database: Database) -> None:
    with fresh_database.owner_connection() as connection:
        connection.execute(text("UPDATE broadloom_meta.baseline SET digest = 'older'"))
    with pytest.raises(MigrationError, match="start with an empty data folder") as caught:
        prepare_database(fresh_database)
    assert caught.value.code == "unreleased_data"


def test_two_processes_start_at_once(empty_database_url: str, make_engines: Engines) -> None:
    databases = [make_engines(empty_database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(prepare_database, databases))
    assert all(report.failed == {} for report in reports)


def test_an_ordinary_user_without_superuser_rights_is_enough(
    empty_database_url: str, make_engines: Engines, make_tenant: MakeTenant
) -> None:
    """With forced row-level security the owner has no way past the walls either."""
    name = empty_database_url.rpartition("/")[2]
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS plain_user")
        connection.execute("CREATE ROLE plain_user LOGIN CREATEROLE PASSWORD 'plain'")
        for role in ("broadloom_app", "broadloom_platform", "broadloom_radius"):
            connection.execute(f"GRANT {role} TO plain_user WITH ADMIN OPTION")
        connection.execute(f'GRANT ALL ON DATABASE "{name}" TO plain_user')
        connection.execute("GRANT CREATE ON SCHEMA public TO plain_user")
    host = empty_database_url.rpartition("@")[2]
    database = make_engines(f"postgresql://plain_user:plain@{host}")
    try:
        prepare_database(database)
        tenant = make_tenant(database=database)
        with tenant_scope(database, tenant) as scope:
            add_nas(scope, AddNas("mikrotik"), actor=SYSTEM, now=clock.now())
        assert prepare_database(database).failed == {}
    finally:
        database.dispose()
        with psycopg.connect(empty_database_url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY plain_user CASCADE")
            connection.execute("DROP ROLE plain_user")


def test_who_may_not_create_roles_is_told_so(
    empty_database_url: str, make_engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS powerless")
        connection.execute("CREATE ROLE powerless LOGIN PASSWORD 'powerless'")
    host = empty_database_url.rpartition("@")[2]
    database = make_engines(f"postgresql://powerless:powerless@{host}")
    with pytest.raises(MigrationError, match='"powerless" may not create roles; grant it CREATEROLE') as caught:
        prepare_database(database)
    assert caught.value.code == "roles_not_allowed"
    database.dispose()
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE powerless")


def test_an_unreachable_database_is_one_sentence(make_engines: Engines) -> None:
    with pytest.raises(MigrationError, match="cannot be reached") as caught:
        prepare_database(make_engines("postgresql://nobody@127.0.0.1:1/none"))
    assert caught.value.code == "database_unreachable"


REVISION = """
from pathlib import Path
import sqlalchemy
revision = "0002"
down_revision = "0001"

def upgrade(op, *, schema):
    if schema in Path({broken!r}).read_text().split():
        raise RuntimeError("the disk is full\\nwith details")
    op.add_column("regions", sqlalchemy.Column("later", sqlalchemy.Integer))  # the search path is the tenant's
    with open({done!r}, "a") as file:
        file.write(schema + " ")
"""


class TestTenants:
    """A later version with a real revision: one more column in every tenant's schema."""

    @pytest.fixture
    def newer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Version 0002 of the tenant branch; the file ``done`` tells in which order schemas were upgraded."""
        folder = tmp_path / "tenant"
        shutil.copytree(FOLDER / "tenant" / "versions", folder / "versions")
        (tmp_path / "broken").touch()
        (tmp_path / "done").touch()
        text_of_revision = REVISION.format(broken=str(tmp_path / "broken"), done=str(tmp_path / "done"))
        (folder / "versions" / "0002_later.py").write_text(text_of_revision)
        newer = ScriptDirectory(str(folder))
        original, today = environment.scripts, environment.head
        monkeypatch.setattr(environment, "scripts", lambda branch: newer if branch == "tenant" else original(branch))
        monkeypatch.setattr(environment, "head", lambda branch: "0002" if branch == "tenant" else today(branch))
        return tmp_path

    def versions(self, database: Database) -> dict[int, tuple[str, str]]:
        with database.owner_connection() as connection:
            rows = connection.execute(text("SELECT tenant_id, version, state FROM registry.tenant_migrations"))
            return {row[0]: (row[1], row[2]) for row in rows}

    def test_all_are_upgraded_the_first_alone(
        self, fresh_database: Database, make_tenant: MakeTenant, newer: Path
    ) -> None:
        isps = self.make(fresh_database, make_tenant, 5)
        report = runner.upgrade_all(fresh_database, parallel=3)
        done = (newer / "done").read_text().split()
        assert done[0] == f"t_{isps[0]}"
        assert sorted(done) == sorted(f"t_{i}" for i in isps)
        with fresh_database.owner_connection() as connection:
            for isp in isps:
                assert connection.execute(text(f"SELECT count(later) FROM t_{isp}.regions")).scalar() == 0
        assert len(report.migrated) == 5
        assert set(self.versions(fresh_database).values()) == {("0002", "done")}
        assert runner.upgrade_all(fresh_database).migrated == []

    def test_one_that_fails_stops_nobody_and_is_retried(
        self, fresh_database: Database, make_tenant: MakeTenant, newer: Path
    ) -> None:
        isps = self.make(fresh_database, make_tenant, 3)
        (newer / "broken").write_text(f"t_{isps[1]}")
        report = runner.upgrade_all(fresh_database)
        assert list(report.failed.values()) == ["the disk is full"]
        assert self.versions(fresh_database)[isps[1]] == ("0001", "failed")
        (newer / "broken").write_text("")
        assert len(runner.upgrade_all(fresh_database).migrated) == 1
        assert self.versions(fresh_database)[isps[1]] == ("0002", "done")

    def test_a_new_tenant_gets_what_came_after_the_baseline(
        self, fresh_database: Database, make_tenant: MakeTenant, newer: Path
    ) -> None:
        isp = make_tenant(database=fresh_database)
        assert self.versions(fresh_database)[isp.id] == ("0002", "done")
        with fresh_database.owner_connection() as connection:
            connection.execute(text(f"SELECT later FROM t_{isp.id}.regions"))

    def test_a_failing_canary_keeps_the_others_untouched(
        self, fresh_database: Database, make_tenant: MakeTenant, newer: Path
    ) -> None:
        isps = self.make(fresh_database, make_tenant, 3)
        (newer / "broken").write_text(f"t_{isps[0]}")
        with pytest.raises(MigrationError, match="the others were not touched: the disk is full"):
            runner.upgrade_all(fresh_database)
        assert (newer / "done").read_text() == ""
        assert set(self.versions(fresh_database).values()) == {("0001", "done"), ("0001", "failed")}

    def test_a_locked_table_is_retried_not_waited_for(
        self, fresh_database: Database, make_tenant: MakeTenant, newer: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        [isp] = self.make(fresh_database, make_tenant, 1)
        monkeypatch.setattr(environment, "LOCK_TIMEOUT", "100ms")
        blocker = psycopg.connect(fresh_database.url())
        blocker.execute(f"LOCK TABLE t_{isp}.regions")
        attempts: list[float] = []

        def sleep(seconds: float) -> None:
            attempts.append(seconds)
            if len(attempts) == 2:
                blocker.rollback()

        monkeypatch.setattr(runner.time, "sleep", sleep)
        report = runner.upgrade_all(fresh_database)
        blocker.close()
        assert len(attempts) == 2
        assert len(report.migrated) == 1

    @staticmethod
    def make(database: Database, make_tenant: MakeTenant, count: int) -> list[int]:
        # Born before the newer version came.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(environment, "head", lambda branch: "0001")
            return [make_tenant(database=database).id for _ in range(count)]


def test_history_that_came_before_its_month_moves_into_it(fresh_database: Database) -> None:
    """Late or early records land in the default partition and are never lost (RAD-4)."""
    insert = text(
        "INSERT INTO aaa.session_history (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at,"
        " seconds, octets_in, octets_out, packets_in, packets_out, ended_at, cause)"
        " VALUES (1, 1, 's', 'u', 1, :at, :at, 1, 1, 1, 1, 1, :at, 1)"
    )
    early = datetime(2031, 5, 17, tzinfo=UTC)
    session = fresh_database.session("main", "broadloom_radius")
    session.execute(insert, {"at": early})
    session.commit()
    session.close()
    with fresh_database.owner_connection() as connection:
        assert connection.execute(text("SELECT aaa.ensure_history_month('2031-05-03')")).scalar() is True
        assert connection.execute(text("SELECT aaa.ensure_history_month('2031-05-30')")).scalar() is False
        where = connection.execute(text("SELECT tableoid::regclass::text FROM aaa.session_history")).scalars().all()
    assert where == ["aaa.session_history_2031_05"]
