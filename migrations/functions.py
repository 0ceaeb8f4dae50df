"""Functions of the shared schemas and of tenants' triggers: those of this version, in every database, at every start.

They hold no data, so they need no revisions. They are written only where they differ: replacing a trigger, however
briefly, waits for the writers of its table.
"""

import hashlib
import re
from typing import Final

from psycopg.errors import InvalidFunctionDefinition
from sqlalchemy import text
from sqlalchemy.engine import Connection

from migrations.scripts import SCHEMA_PLACEHOLDER, TENANT_FUNCTION, read_folder, run_script

_NAMED: Final = re.compile(r"^CREATE OR REPLACE FUNCTION ([a-z_]+)\.([a-z_0-9]+)\(", re.MULTILINE)

_PRESENT: Final = """
SELECT md5(coalesce(string_agg(pg_get_functiondef(p.oid), '' ORDER BY n.nspname COLLATE "C", p.proname COLLATE "C",
  pg_get_function_identity_arguments(p.oid) COLLATE "C"), ''))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('aaa', 'registry') AND p.prokind = 'f'
"""
_OUTDATED: Final = """
SELECT n.nspname FROM pg_namespace n JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = ANY(:names)
WHERE n.nspname ~ '^t_[0-9]+$' GROUP BY n.nspname
HAVING md5(string_agg(p.proname || replace(p.prosrc, n.nspname || '.', :placeholder || '.'), ''
  ORDER BY p.proname COLLATE "C")) <> :wanted ORDER BY n.nspname
"""


def write_shared_functions(connection: Connection, *, main_cell: bool) -> bool:
    """Write the functions of ``aaa`` (and ``registry``) unless the database has just these; whether they were written.

    Compared with what the database really has: one that was restored, or changed by hand, is put right, too.
    """
    scripts = read_folder("registry/functions") + (read_folder("registry/main_functions") if main_cell else [])
    wanted = hashlib.sha256("\n".join(scripts).encode()).hexdigest()
    run_script(connection, "CREATE TABLE IF NOT EXISTS broadloom_meta.functions (wanted text, present text)")
    known = connection.execute(text("SELECT wanted, present FROM broadloom_meta.functions")).all()
    if [tuple(row) for row in known] == [(wanted, _present(connection))]:
        return False
    for sql in scripts:
        _write(connection, sql)
    connection.execute(text("DELETE FROM broadloom_meta.functions"))
    connection.execute(
        text("INSERT INTO broadloom_meta.functions VALUES (:wanted, :present)"),
        {"wanted": wanted, "present": _present(connection)},
    )
    return True


def outdated_tenant_schemas(connection: Connection) -> list[str]:
    """The tenants' schemas of the connection's database whose trigger functions are not those of this version."""
    bodies = {name: body for sql in read_folder("tenant/triggers") for name, body in TENANT_FUNCTION.findall(sql)}
    wanted = hashlib.md5(
        "".join(name + bodies[name] for name in sorted(bodies)).encode(), usedforsecurity=False
    ).hexdigest()
    values = {"names": list(bodies), "placeholder": SCHEMA_PLACEHOLDER, "wanted": wanted}
    return list(connection.execute(text(_OUTDATED), values).scalars())


def write_tenant_functions(connection: Connection, schema: str) -> None:
    """Write a tenant's trigger functions again. The triggers themselves change by revisions."""
    for sql in read_folder("tenant/triggers"):
        for found in TENANT_FUNCTION.finditer(sql):
            replacing = found[0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
            run_script(connection, replacing.replace(SCHEMA_PLACEHOLDER, schema))


def _present(connection: Connection) -> str:
    return str(connection.execute(text(_PRESENT)).scalar_one())


def _write(connection: Connection, sql: str) -> None:
    """One script. A function that now gives something else, or names its arguments otherwise, must go first; programs
    of the version before find the new one by its name."""
    try:
        with connection.begin_nested():
            run_script(connection, sql)
    except InvalidFunctionDefinition:
        for schema, name in sorted(set(_NAMED.findall(sql))):
            _drop(connection, schema, name)
        run_script(connection, sql)


def _drop(connection: Connection, schema: str, name: str) -> None:
    found = connection.execute(
        text(
            "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = :schema AND p.proname = :name AND p.prokind = 'f'"
        ),
        {"schema": schema, "name": name},
    )
    for signature in found.scalars().all():
        connection.exec_driver_sql(f"DROP FUNCTION {signature}")
