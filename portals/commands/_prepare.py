"""The step between servers and programs: migrations, then the demonstration tenants.

`broadloom up` runs it as a process of its own, so that the supervisor, which lives for months, stays small.
"""

import sys
from dataclasses import replace
from importlib import import_module

from infra import clock, log
from infra.db import Database
from infra.errors import ServersError
from infra.servers import resolve
from infra.settings import Settings, SettingsError
from migrations.errors import MigrationError
from portals.commands._demo_facts import DemoFacts, Login
from tenants.kernel.errors import BusinessError
from tenants.registry.platform_operators import ensure_first
from tenants.registry.prepare import prepare_database


def prepare(settings: Settings, *, with_demo: bool) -> DemoFacts:
    """Bring all schemas to the newest version and make sure of the demonstration tenants."""
    servers = resolve(settings)
    filled = replace(settings, database_url=servers.database_url, redis_url=servers.redis_url)
    database = Database(servers.database_url, settings.cells())
    try:
        prepare_database(database)
        logins = [_platform_login(database, settings)]
    finally:
        database.dispose()
    if not with_demo:
        return DemoFacts(logins=logins)
    demo = import_module("portals.commands.demo")
    facts: DemoFacts = demo.ensure_demo(filled)
    return replace(facts, logins=[*facts.logins, *logins])


def _platform_login(database: Database, settings: Settings) -> Login:
    """Whoever runs the cloud; a password that was made here is shown this once and never again."""
    try:
        made = ensure_first(database, settings.platform_email, settings.platform_password, now=clock.now())
    except BusinessError as error:
        variable = "BROADLOOM_PLATFORM_EMAIL" if error.field == "email" else "BROADLOOM_PLATFORM_PASSWORD"
        raise SettingsError(f"{variable} cannot be used: {error}") from None
    known = "as set in BROADLOOM_PLATFORM_PASSWORD" if settings.platform_password else "as shown at the first start"
    return Login("platform console", f"{settings.site_url}/platform/", settings.platform_email, made or known)


def main() -> int:
    """Print the facts as one line of JSON on standard output; log lines and failures go to standard error."""
    answer, sys.stdout = sys.stdout, sys.stderr
    try:
        settings = Settings.from_env()
        log.configure(settings, "prepare")
        facts = prepare(settings, with_demo="--demo" in sys.argv)
    except (SettingsError, ServersError, MigrationError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, SettingsError) else 1
    answer.write(facts.as_json() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
