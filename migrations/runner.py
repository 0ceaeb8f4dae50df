"""Brings every database and every tenant to this version (architecture.md, "Data": own migration runner).

One transaction per database and per tenant; a row per tenant says where it stands, so a stopped run goes on where it
was; the first tenant goes alone (canary), the others several at a time. Code tolerates version N and N-1, therefore
processes may start while this runs.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from infra.db import MAIN_CELL, Database, schema_name
from migrations import environment
from migrations.errors import MigrationError
from migrations.functions import outdated_tenant_schemas, write_shared_functions, write_tenant_functions
from migrations.roles import check_version, ensure_extensions, ensure_roles
from migrations.scripts import (
    BASELINE_REVISION,
    SCHEMA_PLACEHOLDER,
    baseline_digest,
    digest_with_functions,
    read_sql,
    run_script,
)

LOG = structlog.get_logger(__name__)
_LOCK_ATTEMPTS = 3
_LOCK_NOT_AVAILABLE = "55P03"
_MONTHS_BEHIND, _MONTHS_AHEAD = 1, 3  # of session history; the daily sweep goes on with them


@dataclass(frozen=True, slots=True)
class PendingTenant:
    """A tenant whose schema is older than this version."""

    id: int
    slug: str
    cell: str


@dataclass(slots=True)
class UpgradeReport:
    """What a run did; ``failed`` maps the slug to one line of reason."""

    migrated: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    version: str = ""


def upgrade_all(database: Database, *, parallel: int = 4, only: Sequence[int] | None = None) -> UpgradeReport:
    """Upgrade the shared schemas of every cell, then the tenants (all, or ``only`` these ids).

    Two processes may call this at once: the second waits, then finds nothing to do.
    Raises :class:`MigrationError` (nothing of the failed step was kept).
    """
    with _one_at_a_time(database):
        for cell in database.cells:
            upgrade_shared(database, cell)
        _name_cells(database)
        report = _upgrade_tenants(database, parallel, only)
        _renew_tenant_functions(database)
        return report


def upgrade_shared(database: Database, cell: str) -> None:
    """Roles, extensions, ``aaa`` and ``work`` of one cell; ``registry`` too where the cell is the main one."""
    main_cell = cell == MAIN_CELL
    with database.owner_connection(cell) as connection:
        check_version(connection)
        environment.set_timeouts(connection)
        ensure_roles(connection)
        ensure_extensions(connection)
        # Its own schema, made before the first revision, because alembic notes the revision there.
        run_script(connection, "CREATE SCHEMA IF NOT EXISTS broadloom_meta")
        version = environment.current_version(connection, "broadloom_meta")
        environment.upgrade(connection, "registry", "broadloom_meta", main_cell=main_cell)
        _check_baseline(connection, version)
        if write_shared_functions(connection, main_cell=main_cell):
            LOG.info("functions_written", cell=cell)
        connection.execute(text(f"SELECT aaa.keep_history_months({_MONTHS_BEHIND}, {_MONTHS_AHEAD})"))


def _check_baseline(connection: Connection, version_before: str) -> None:
    """Before the first release the baseline changes without revisions: a database made from an older one is refused,
    because its tables would fail later and less clearly. Raises :class:`MigrationError`."""
    digest = baseline_digest()
    run_script(connection, "CREATE TABLE IF NOT EXISTS broadloom_meta.baseline (digest text NOT NULL)")
    known = connection.execute(text("SELECT digest FROM broadloom_meta.baseline")).scalar()
    unreleased = environment.head("registry") == BASELINE_REVISION == environment.head("tenant")
    if version_before == BASELINE_REVISION and unreleased and known not in (digest, digest_with_functions()):
        raise MigrationError(
            "unreleased_data",
            "The data were made by an earlier, unreleased state of Broadloom and do not fit this one; start with an "
            "empty data folder (BROADLOOM_DATA_DIR) or database.",
        )
    if known != digest:
        connection.execute(text("DELETE FROM broadloom_meta.baseline"))
        connection.execute(text("INSERT INTO broadloom_meta.baseline VALUES (:digest)"), {"digest": digest})


def provision_schema(connection: Connection, tenant_id: int) -> str:
    """Make a tenant's schema from the frozen baseline in the caller's (owner) transaction; returns its version."""
    schema = schema_name(tenant_id)
    run_script(connection, read_sql("baseline/tenant.sql").replace(SCHEMA_PLACEHOLDER, schema))
    return _upgrade_schema(connection, schema)


def schema_version(connection: Connection, tenant_id: int) -> str:
    """The version of a tenant's schema, "" when there is none."""
    return environment.current_version(connection, schema_name(tenant_id))


def _upgrade_schema(connection: Connection, schema: str) -> str:
    version = environment.head("tenant")
    if environment.current_version(connection, schema) != version:
        connection.execute(text("SELECT set_config('search_path', :path, true)"), {"path": f"{schema}, public"})
        version = environment.upgrade(connection, "tenant", schema, schema=schema)
    return version


def _upgrade_tenants(database: Database, parallel: int, only: Sequence[int] | None) -> UpgradeReport:
    report = UpgradeReport(version=environment.head("tenant"))
    pending = _pending_tenants(database, report.version, only)
    if not pending:
        return report
    LOG.info("migrating_tenants", count=len(pending), version=report.version)
    canary, rest = pending[0], pending[1:]
    _migrate_one(database, canary, report)
    if report.failed:
        raise MigrationError(
            "canary_failed",
            f"Migrating the first tenant, {canary.slug}, failed and was undone; the others were not touched: "
            f"{report.failed[canary.slug]}",
        )
    with ThreadPoolExecutor(max_workers=max(1, parallel)) as pool:
        list(pool.map(lambda tenant: _migrate_one(database, tenant, report), rest))
    return report


def _renew_tenant_functions(database: Database) -> None:
    """Bring tenants' trigger functions to this version: a transaction for each tenant that has others."""
    for cell in database.cells:
        with database.owner_connection(cell) as connection:
            outdated = outdated_tenant_schemas(connection)
        for schema in outdated:
            with database.owner_connection(cell) as connection:
                environment.set_timeouts(connection)
                write_tenant_functions(connection, schema)
        if outdated:
            LOG.info("tenant_functions_written", cell=cell, tenants=len(outdated))


def _pending_tenants(database: Database, version: str, only: Sequence[int] | None) -> list[PendingTenant]:
    with database.owner_connection() as connection:
        rows = connection.execute(
            text(
                "SELECT t.id, t.slug, t.cell FROM registry.tenants t"
                " LEFT JOIN registry.tenant_migrations m ON m.tenant_id = t.id"
                " WHERE t.state IN ('active', 'suspended')"
                " AND (m.version IS DISTINCT FROM :version OR m.state <> 'done')"
                " ORDER BY t.id"
            ),
            {"version": version},
        ).all()
    return [PendingTenant(*row) for row in rows if only is None or row.id in only]


def _migrate_one(database: Database, tenant: PendingTenant, report: UpgradeReport) -> None:
    try:
        _retrying_locks(lambda: _migrate_schema(database, tenant))
        report.migrated.append(tenant.slug)
    except Exception as error:  # one tenant's trouble must not stop the others; it is kept, shown and retried
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        report.failed[tenant.slug] = reason
        LOG.error("tenant_migration_failed", tenant=tenant.slug, reason=reason)
        with database.owner_connection() as connection:
            note_version(connection, tenant.id, "", error=reason)


def _migrate_schema(database: Database, tenant: PendingTenant) -> None:
    with database.owner_connection(tenant.cell) as connection:
        environment.set_timeouts(connection)
        version = _upgrade_schema(connection, schema_name(tenant.id))
        if tenant.cell == MAIN_CELL:
            note_version(connection, tenant.id, version)
    if (
        tenant.cell != MAIN_CELL
    ):  # the schema's own version row is the truth; this note may be late, never wrong for long
        with database.owner_connection() as connection:
            note_version(connection, tenant.id, version)


def note_version(connection: Connection, tenant_id: int, version: str, *, error: str = "") -> None:
    """Write the tenant's row of ``registry.tenant_migrations``; a failure keeps the version it had."""
    connection.execute(
        text(
            "INSERT INTO registry.tenant_migrations AS m (tenant_id, version, state, error, migrated_at)"
            " VALUES (:tenant, :version, :state, :error, now()) ON CONFLICT (tenant_id) DO UPDATE SET"
            " version = CASE WHEN EXCLUDED.state = 'done' THEN EXCLUDED.version ELSE m.version END,"
            " state = EXCLUDED.state, error = EXCLUDED.error, migrated_at = EXCLUDED.migrated_at"
        ),
        {"tenant": tenant_id, "version": version, "state": "failed" if error else "done", "error": error},
    )
    if not error:
        connection.execute(
            text("UPDATE registry.tenants SET schema_version = :version WHERE id = :tenant"),
            {"tenant": tenant_id, "version": version},
        )


def _retrying_locks(work: Callable[[], None]) -> None:
    for attempt in range(1, _LOCK_ATTEMPTS + 1):
        try:
            work()
            return
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE or attempt == _LOCK_ATTEMPTS:
                raise
            time.sleep(attempt)


def _name_cells(database: Database) -> None:
    with database.owner_connection() as connection:
        for cell in database.cells:
            connection.execute(
                text("INSERT INTO registry.cells (name) VALUES (:name) ON CONFLICT DO NOTHING"), {"name": cell}
            )


@contextmanager
def _one_at_a_time(database: Database) -> Iterator[None]:
    """An advisory lock for the length of the run, held outside of any transaction (a long run would idle in it)."""
    try:
        connection = database.engine(MAIN_CELL).connect().execution_options(isolation_level="AUTOCOMMIT")
    except OperationalError as error:
        reason = (str(error.orig).strip().splitlines() or ["no reason given"])[-1]
        raise MigrationError("database_unreachable", f"The database cannot be reached ({reason}).") from None
    with connection:
        connection.execute(text("SELECT pg_advisory_lock(hashtext('broadloom.migrations'))"))
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(hashtext('broadloom.migrations'))"))
