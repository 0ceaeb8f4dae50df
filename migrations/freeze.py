"""Writes the frozen baselines from the models: ``broadloom dev freeze-baseline`` or ``python -m migrations.freeze``.

New installations and new tenants are made from these files, not by replaying migrations; a test keeps them equal to
the models. Until release 0.1 a changed model means a new freeze; afterwards it means a revision *and* a new freeze.
"""

import importlib
import pkgutil

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

import infra.outbox
import tenants
from infra.db import AaaBase, RegistryBase, TenantBase, WorkBase
from migrations.scripts import BASELINE_REVISION, FOLDER, SCHEMA_PLACEHOLDER, read_folder
from migrations.walls import aaa_walls, registry_walls, tenant_grants, work_walls

_HEADER = "-- Made by `broadloom dev freeze-baseline` from the models; do not edit.\n"
VERSION_TABLE = "schema_version"


def load_models() -> None:
    """Import every ``models`` module, so that the metadata is complete."""
    assert infra.outbox
    for package in pkgutil.iter_modules(tenants.__path__):
        name = f"tenants.{package.name}.models"
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise


def render_all() -> dict[str, str]:
    """File name → content of each baseline."""
    load_models()
    registry, aaa, work = (
        sorted(t.name for t in base.metadata.tables.values()) for base in (RegistryBase, AaaBase, WorkBase)
    )
    return {
        "cluster.sql": _HEADER
        + "CREATE SCHEMA aaa;\nCREATE SCHEMA work;\n"
        + _tables(AaaBase.metadata)
        + _tables(WorkBase.metadata)
        + aaa_walls(aaa)
        + work_walls(work),
        "registry.sql": _HEADER
        + "CREATE SCHEMA registry;\n"
        + _tables(RegistryBase.metadata)
        + registry_walls(registry),
        "tenant.sql": _HEADER + _tenant_baseline(),
    }


def _tenant_baseline() -> str:
    schema = SCHEMA_PLACEHOLDER
    return (
        f"CREATE SCHEMA {schema};\n"
        + _tables(TenantBase.metadata)
        + tenant_grants(schema)
        + "".join(text.rstrip() + "\n" for text in read_folder("tenant/triggers"))
        + f"CREATE TABLE {schema}.{VERSION_TABLE} (version_num varchar(32) PRIMARY KEY);\n"
        + f"INSERT INTO {schema}.{VERSION_TABLE} VALUES ('{BASELINE_REVISION}');\n"
    )


def _tables(metadata: MetaData) -> str:
    return "".join(_table(table) for table in metadata.sorted_tables)


def _table(table: Table) -> str:
    statements = [_sql(CreateTable(table))]
    statements += [_sql(CreateIndex(index)) for index in sorted(table.indexes, key=lambda i: str(i.name))]
    return "".join(_tidy(statement) + ";\n" for statement in statements)


def _sql(element: CreateTable | CreateIndex) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    schemas = {"tenant": SCHEMA_PLACEHOLDER}
    return str(element.compile(dialect=dialect, schema_translate_map=schemas, render_schema_translate=True)).strip()


def _tidy(statement: str) -> str:
    return "\n".join(line.rstrip().replace("\t", "  ") for line in statement.splitlines() if line.strip())


def freeze() -> list[str]:
    """Write the files; returns the names of those that changed."""
    changed = []
    for name, content in render_all().items():
        path = FOLDER / "baseline" / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
            changed.append(name)
    return changed


if __name__ == "__main__":
    freeze()
