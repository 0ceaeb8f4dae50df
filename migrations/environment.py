"""How alembic is used here: two branches, revisions that take their operations as an argument, and no hanging.

Alembic's ``op`` and ``context`` are one per process; tenants migrate in threads. So the runner builds a
``MigrationContext`` per connection and hands each revision its own ``Operations``.
"""

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import text
from sqlalchemy.engine import Connection

from migrations.scripts import FOLDER

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

logging.getLogger("alembic").setLevel(logging.WARNING)  # it announces each of its plug-ins

Branch = Literal["registry", "tenant"]
VERSION_TABLE = "schema_version"
LOCK_TIMEOUT = "5s"  # a migration that waits longer for a lock would queue everybody behind it
STATEMENT_TIMEOUT = "15min"


@cache
def scripts(branch: Branch) -> "ScriptDirectory":
    """The revisions of one branch."""
    from alembic.script import ScriptDirectory  # late: the web processes import this module and seldom migrate

    return ScriptDirectory(str(FOLDER / branch))


@cache
def head(branch: Branch) -> str:
    """The newest revision of one branch, by the file names: making a tenant must not load the migration library."""
    return max(path.name[:4] for path in (FOLDER / branch / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def set_timeouts(connection: Connection) -> None:
    """Statement and lock timeouts for the length of the connection's transaction."""
    connection.execute(
        text("SELECT set_config('lock_timeout', :lock, true), set_config('statement_timeout', :statement, true)"),
        {"lock": LOCK_TIMEOUT, "statement": STATEMENT_TIMEOUT},
    )


def current_version(connection: Connection, schema: str) -> str:
    """The revision that ``schema`` stands at, "" when it has none."""
    found = connection.execute(text("SELECT to_regclass(:name)"), {"name": f"{schema}.{VERSION_TABLE}"}).scalar()
    if found is None:
        return ""
    return connection.execute(text(f"SELECT version_num FROM {schema}.{VERSION_TABLE}")).scalar() or ""


def upgrade(connection: Connection, branch: Branch, version_schema: str, **arguments: Any) -> str:
    """Run what is missing in the connection's transaction; returns the revision reached."""
    target = head(branch)
    if current_version(connection, version_schema) == target:
        return target
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    directory = scripts(branch)
    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": VERSION_TABLE,
            "version_table_schema": version_schema,
            # The same call that alembic's own "upgrade" command makes.
            "fn": lambda revision, _context: directory._upgrade_revs("head", revision),
        },
    )
    context.run_migrations(op=Operations(context), **arguments)
    return target
