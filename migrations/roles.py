"""The three roles that sessions switch to, and what the database must offer (architecture.md, "Data": three walls)."""

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from infra.db import APP_ROLE, PLATFORM_ROLE, RADIUS_ROLE
from migrations.errors import MigrationError

OLDEST_POSTGRES = 18  # RETURNING old/new, used by the accounting statement
EXTENSIONS = ("pg_trgm", "btree_gist")


def check_version(connection: Connection) -> None:
    """Raises :class:`MigrationError` for a server that is too old."""
    number = connection.execute(text("SELECT current_setting('server_version_num')::int")).scalar_one()
    if number < OLDEST_POSTGRES * 10000:
        raise MigrationError(
            "database_too_old",
            f"The database is PostgreSQL {number // 10000}.{number % 10000}, but Broadloom needs "
            f"{OLDEST_POSTGRES} or newer; upgrade it.",
        )


def ensure_roles(connection: Connection) -> None:
    """Make the roles and let the connecting user switch to them.

    The connecting user inherits only the platform role: it owns the tables, and forced row-level security holds for
    owners too, so without that role migrations and provisioning would see nothing. Raises :class:`MigrationError`.
    """
    try:
        for role in (APP_ROLE, PLATFORM_ROLE, RADIUS_ROLE):
            connection.execute(text(_CREATE_ROLE.format(role=role, inherit=str(role == PLATFORM_ROLE).upper())))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != "42501":  # insufficient_privilege
            raise
        user = connection.engine.url.username
        raise MigrationError(
            "roles_not_allowed",
            f'The database user "{user}" may not create roles; grant it CREATEROLE, or create the roles {APP_ROLE}, '
            f"{PLATFORM_ROLE} and {RADIUS_ROLE} yourself and grant them to it.",
        ) from None


# Two installations in one cluster may do this at once: roles belong to the cluster, so losing the race is fine.
_CREATE_ROLE = """
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('broadloom.roles'));
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    BEGIN
      CREATE ROLE {role} NOLOGIN NOBYPASSRLS;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END IF;
  IF NOT pg_has_role(current_user, '{role}', 'SET')
     OR {inherit} AND NOT pg_has_role(current_user, '{role}', 'USAGE') THEN
    EXECUTE format('GRANT {role} TO %I WITH INHERIT {inherit}, SET TRUE', current_user);
  END IF;
END $$
"""


def ensure_extensions(connection: Connection) -> None:
    """Trigram search and exclusion constraints. Raises :class:`MigrationError` naming what is missing."""
    for name in EXTENSIONS:
        try:
            connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA public"))
        except DBAPIError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise MigrationError(
                "extension_missing",
                f"The PostgreSQL extension {name} cannot be created ({reason}); install the contrib package or let an "
                f"administrator run CREATE EXTENSION {name}.",
            ) from None
