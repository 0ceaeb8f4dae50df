"""Row-level security and grants (TEN-6): generated from the metadata, so a new table cannot be forgotten."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import ProgrammingError

from infra import clock
from infra.db import APP_ROLE, PLATFORM_ROLE, RADIUS_ROLE, AaaBase, Database, RegistryBase, WorkBase
from infra.radius_text.dialects import dialect_text
from infra.tenant_scope import TenantRef, tenant_scope
from migrations.freeze import load_models
from migrations.walls import REGISTRY_TENANT_COLUMNS
from tenants.kernel.actor import SYSTEM
from tenants.network.add_nas import AddNas, add_nas
from tenants.network.certificates import ensure_certificates
from tenants.network.own_dialects import add_dialect
from tenants.network.radsec_credentials import issue_psk

load_models()
SHARED: list[tuple[Table, str]] = [
    (table, "tenant_id") for base in (AaaBase, WorkBase) for table in base.metadata.sorted_tables
] + [
    (table, REGISTRY_TENANT_COLUMNS[table.name])
    for table in RegistryBase.metadata.sorted_tables
    if table.name in REGISTRY_TENANT_COLUMNS
]
INSTALLATION = [t for t in RegistryBase.metadata.sorted_tables if t.name not in REGISTRY_TENANT_COLUMNS]


def name(table: Table) -> str:
    return f"{table.schema}.{table.name}"


def value_for(column: Any, tenant_id: int) -> object:
    if column.name == "tenant_id":
        return tenant_id
    if isinstance(column.type, JSONB):
        return "{}"
    plain = {int: 31_000, bool: False, bytes: b"x", str: "x"}  # 31,000: no key of a row that the tenant has already
    return plain.get(column.type.python_type, clock.now())


@pytest.fixture
def isps(database: Database, two_isps: tuple[TenantRef, TenantRef]) -> Iterator[tuple[TenantRef, TenantRef]]:
    """Both tenants have a row in every shared table."""
    for isp in two_isps:
        with tenant_scope(database, isp) as scope:
            nas = add_nas(scope, AddNas("mikrotik", name="main"), actor=SYSTEM, now=clock.now())
            ensure_certificates(scope, "localhost", now=clock.now())
            issue_psk(scope, nas.nas_id, actor=SYSTEM, now=clock.now())
            add_dialect(scope, "x", dialect_text("huawei"), actor=SYSTEM, now=clock.now())
        with database.owner_connection() as connection:
            connection.execute(
                text("INSERT INTO registry.hostnames (hostname, tenant_id) VALUES (:h, :t)"),
                {"h": f"{isp.slug}.example", "t": isp.id},
            )
            connection.execute(
                text(
                    "WITH o AS (INSERT INTO registry.platform_operators (email, name, password_hash)"
                    " VALUES (:h, 'P', '') RETURNING id) INSERT INTO registry.support_logins (tenant_id,"
                    " platform_operator_id, operator, reason, started_at, ends_at)"
                    " SELECT :t, id, 'P', 'a good reason', now(), now() + interval '5 minutes' FROM o"
                ),
                {"h": f"platform@{isp.slug}.example", "t": isp.id},
            )
            for table, _column in SHARED:
                if table.schema == "registry":
                    continue
                needed = [
                    c
                    for c in table.columns
                    if (not c.nullable or c.primary_key) and c.server_default is None and c.identity is None
                ]
                columns = ", ".join(c.name for c in needed)
                places = ", ".join(f":{c.name}" for c in needed)
                values = {c.name: value_for(c, isp.id) for c in needed}
                connection.execute(text(f"INSERT INTO {name(table)} ({columns}) VALUES ({places})"), values)
    yield two_isps
    with database.owner_connection() as connection:
        for isp in two_isps:
            for table, _column in SHARED:
                if table.schema in ("aaa", "work"):
                    connection.execute(text(f"DELETE FROM {name(table)} WHERE tenant_id = :t"), {"t": isp.id})
        connection.execute(text("DELETE FROM registry.support_logins"))
        connection.execute(text("DELETE FROM registry.platform_operators"))


@pytest.mark.parametrize(("table", "column"), SHARED, ids=[name(t) for t, _ in SHARED])
def test_security_is_forced(database: Database, table: Table, column: str) -> None:
    with database.owner_connection() as connection:
        flags = connection.execute(
            text("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = CAST(:t AS regclass)"),
            {"t": name(table)},
        ).one()
    assert tuple(flags) == (True, True)


def test_a_tenant_sees_its_own_rows_only(database: Database, isps: tuple[TenantRef, TenantRef]) -> None:
    charlie, alice = isps
    with tenant_scope(database, charlie) as scope:
        for table, column in SHARED:
            seen = set(scope.session.execute(text(f"SELECT {column} FROM {name(table)}")).scalars())
            assert seen == {charlie.id}, name(table)
            foreign = text(f"SELECT count(*) FROM {name(table)} WHERE {column} = :other")
            assert scope.session.execute(foreign, {"other": alice.id}).scalar() == 0


def test_a_tenant_changes_its_own_rows_only(database: Database, isps: tuple[TenantRef, TenantRef]) -> None:
    charlie, alice = isps
    for table, column in SHARED:
        statements = [f"UPDATE {name(table)} SET {column} = {column} WHERE {column} = :other"]
        statements.append(f"DELETE FROM {name(table)} WHERE {column} = :other")
        for statement in statements:
            scope_session = database.session("main", APP_ROLE, tenant_id=charlie.id)
            try:
                assert scope_session.execute(text(statement), {"other": alice.id}).rowcount == 0
            except ProgrammingError as error:
                if "permission denied" not in str(error):  # no such right at all is as good
                    raise
            finally:
                scope_session.rollback()
                scope_session.close()


def test_a_tenant_cannot_give_rows_away_or_plant_them(database: Database, isps: tuple[TenantRef, TenantRef]) -> None:
    charlie, alice = isps
    for table, column in SHARED:
        session = database.session("main", APP_ROLE, tenant_id=charlie.id)
        with pytest.raises(ProgrammingError, match=r"row-level security|permission denied"):
            session.execute(text(f"UPDATE {name(table)} SET {column} = :other"), {"other": alice.id})
        session.rollback()
        # The wall is looked at before what else a row needs.
        with pytest.raises(ProgrammingError, match=r"row-level security|permission denied"):
            session.execute(text(f"INSERT INTO {name(table)} ({column}) VALUES (:other)"), {"other": alice.id})
        session.rollback()
        session.close()


def test_without_a_tenant_nothing_is_seen(database: Database, isps: tuple[TenantRef, TenantRef]) -> None:
    session = database.session("main", APP_ROLE)
    for table, _column in SHARED:
        assert session.execute(text(f"SELECT count(*) FROM {name(table)}")).scalar() == 0, name(table)
    session.rollback()
    session.close()


def test_no_tenant_schema_is_open_to_another(database: Database, isps: tuple[TenantRef, TenantRef]) -> None:
    """Schemas have one owner and are granted to the app role; the wall between them is the scope, tested elsewhere;
    the roles of the platform and of the packet path have no way in at all."""
    charlie, _alice = isps
    for role in (PLATFORM_ROLE, RADIUS_ROLE):
        session = database.session("main", role)
        with pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(text(f"SELECT * FROM t_{charlie.id}.operators"))
        session.rollback()
        session.close()


@pytest.mark.parametrize("table", INSTALLATION, ids=[t.name for t in INSTALLATION])
def test_tables_of_the_installation_are_closed_to_tenants(database: Database, table: Table) -> None:
    readable = {"tiers", "nodes"}
    with database.owner_connection() as connection:
        for right in ("INSERT", "UPDATE", "DELETE", "SELECT"):
            has = connection.execute(
                text("SELECT has_table_privilege(:role, :table, :right)"),
                {"role": APP_ROLE, "table": name(table), "right": right},
            ).scalar()
            assert not has or (right == "SELECT" and table.name in readable), (table.name, right)


def test_who_may_write_what(database: Database) -> None:
    """Whole tables; a right that somebody adds has to be wanted here, too. Nobody but the owner may empty a table."""
    with database.owner_connection() as connection:
        rows = connection.execute(
            text(
                "SELECT CAST(c.oid AS regclass)::text, g.role, string_agg(p.name, ' ' ORDER BY p.name)"
                " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,"
                " unnest(CAST(:roles AS text[])) AS g(role),"
                " unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p(name)"
                " WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('registry', 'aaa', 'work')"
                " AND has_table_privilege(g.role, c.oid, p.name) GROUP BY 1, 2"
            ),
            {"roles": [APP_ROLE, RADIUS_ROLE]},
        )
        found = {(table, role): rights for table, role, rights in rows}
    everything = "DELETE INSERT UPDATE"
    wanted = {
        ("registry.hostnames", APP_ROLE): everything,
        ("registry.dialects", APP_ROLE): everything,
        ("registry.nas", APP_ROLE): "INSERT UPDATE",
        ("registry.tenant_certificates", APP_ROLE): "INSERT UPDATE",
        ("registry.radsec_credentials", APP_ROLE): "INSERT",
        ("registry.nodes", RADIUS_ROLE): everything,
        ("registry.tenant_certificates", RADIUS_ROLE): "INSERT",
        ("registry.cluster_certificates", RADIUS_ROLE): "INSERT UPDATE",
        ("work.outbox", APP_ROLE): everything,
        ("work.due", APP_ROLE): everything,
        ("work.outbox", RADIUS_ROLE): "INSERT UPDATE",
        ("work.due", RADIUS_ROLE): "INSERT UPDATE",
    }
    for table in AaaBase.metadata.sorted_tables:
        wanted[name(table), RADIUS_ROLE] = everything
        if table.name != "packet_count":
            wanted[name(table), APP_ROLE] = everything
    assert found == wanted


def test_the_packet_path_reaches_no_more_than_it_needs(database: Database) -> None:
    with database.owner_connection() as connection:
        rows = connection.execute(
            text(
                "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('registry', 'work')"
                " AND has_any_column_privilege(:role, c.oid, 'SELECT, INSERT, UPDATE')"
            ),
            {"role": RADIUS_ROLE},
        )
        assert {tuple(row) for row in rows} == {
            ("registry", "nas"),
            ("registry", "dialects"),
            ("registry", "tenants"),
            ("registry", "nodes"),
            ("registry", "tenant_certificates"),
            ("registry", "radsec_credentials"),
            ("registry", "cluster_certificates"),
            ("work", "outbox"),
            ("work", "due"),
        }
        for column in ("email", "phone", "suspended_reason"):
            assert not connection.execute(
                text("SELECT has_column_privilege(:r, 'registry.tenants', :c, 'SELECT')"),
                {"r": RADIUS_ROLE, "c": column},
            ).scalar()


@pytest.mark.parametrize(
    ("table", "column", "more", "own", "foreign"),
    [
        ("work.outbox", "topic", {"payload": "{}"}, "radius.disconnect", "mail.send"),
        ("work.outbox", "topic", {"payload": "{}"}, "account.bind", "accounts.import"),
        ("work.due", "kind", {"subject_id": 31_001, "run_at": clock.now()}, "account.learn_address", "tenant.close"),
    ],
)
def test_the_packet_path_sees_and_writes_its_own_tasks_only(
    database: Database, isps: tuple[TenantRef, TenantRef], table: str, column: str, more: dict[str, Any], own: str,
    foreign: str,
) -> None:  # fmt: skip
    """A process that talks to strangers must not be able to have mails sent or money booked."""
    values = {"tenant_id": isps[0].id, **more}
    names, marks = ", ".join((column, *values)), ", ".join(f":{name}" for name in (column, *values))
    insert = text(f"INSERT INTO {table} ({names}) VALUES ({marks})")
    with database.owner_connection() as connection:
        connection.execute(insert, {**values, column: foreign})
    session = database.session("main", RADIUS_ROLE)
    there = {"foreign": foreign, "own": own, "tenant": isps[0].id}
    assert session.execute(text(f"SELECT count(*) FROM {table} WHERE {column} = :foreign"), there).scalar() == 0
    touch = text(f"UPDATE {table} SET {column} = :own WHERE {column} = :foreign AND tenant_id = :tenant")
    assert session.execute(touch, there).rowcount == 0
    session.execute(insert, {**values, column: own})
    give = text(f"UPDATE {table} SET {column} = :foreign WHERE {column} = :own AND tenant_id = :tenant")
    for statement, parameters in ((insert, {**values, column: foreign}), (give, there)):
        point = session.begin_nested()
        with pytest.raises(ProgrammingError, match="row-level security"):
            session.execute(statement, parameters)
        point.rollback()
    session.rollback()
    session.close()


def test_partitions_cannot_be_read_past_the_wall(database: Database) -> None:
    with database.owner_connection() as connection:
        parts = connection.execute(
            text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'aaa.session_history'::regclass")
        ).scalars()
        for part in list(parts):
            for role in (APP_ROLE, RADIUS_ROLE, PLATFORM_ROLE):
                may = text("SELECT has_table_privilege(:r, :t, 'SELECT')")
                assert not connection.execute(may, {"r": role, "t": part}).scalar(), part
