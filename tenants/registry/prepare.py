"""Brings an installation's databases to this version and seeds what must exist before the first tenant."""

from sqlalchemy import text

from infra.db import Database
from infra.tenant_scope import unscoped
from migrations.runner import UpgradeReport, upgrade_all
from tenants.registry.tiers import ensure_tiers


def ensure_prepared(database: Database) -> None:
    """Prepare a database that nobody has prepared yet (a command line call before the first start)."""
    with database.owner_connection() as connection:
        known = connection.execute(text("SELECT to_regclass('registry.tenants')")).scalar()
    if known is None:
        prepare_database(database)


def prepare_database(database: Database, *, parallel: int = 4) -> UpgradeReport:
    """Migrate all cells and tenants, seed the tiers. Safe to run any number of times and twice at once.

    Raises :class:`migrations.errors.MigrationError`.
    """
    report = upgrade_all(database, parallel=parallel)
    with unscoped(database, reason="seed the service tiers at start") as session:
        ensure_tiers(session)
    return report
