"""How fast due work is handled, and that it costs what is due, not what exists (issue 3, "Due work"; JOB-4).

``python -m tests.bench.due_work`` fills tenants, makes 1 % of their accounts expire while they
are online, and runs the jobs that the due clock would enqueue. It starts its own servers in a temporary folder.
"""

import logging
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy import text

from infra import clock
from infra.db import Database, schema_name
from infra.embedded import ensure_running
from infra.settings import Settings
from infra.tenant_scope import TenantRef, unscoped
from tenants.onboarding import fill_demo
from tenants.registry.keys import configure
from tenants.registry.prepare import prepare_database
from workers.context import open_context
from workers.due_clock import DueClock
from workers.jobs.run_due import run_due

SHARE = 100  # one of so many accounts is due
WORLDS = ((1, 10_000), (1, 100_000), (100, 1_000))  # (tenants, accounts of each)


@dataclass(frozen=True, slots=True)
class Measured:
    """One world: so many tenants with so many accounts each."""

    tenants: int
    accounts: int
    due: int
    seconds: float
    look_milliseconds: float

    def line(self) -> str:
        """For the report."""
        rate = self.due / self.seconds
        return (
            f"{self.tenants:>5} tenants x {self.accounts:>7} accounts: {self.due:>6} due in {self.seconds:6.2f} s "
            f"({rate:7.0f}/s); a look of the due clock with nothing due {self.look_milliseconds:.1f} ms"
        )


def measure(database: Database, redis: object, tenants: list[TenantRef], accounts: int) -> Measured:
    """Make 1 % due and online, and handle it by the jobs, one worker."""
    due = sum(_make_due(database, tenant, accounts // SHARE) for tenant in tenants)
    began = time.perf_counter()
    for tenant in tenants:
        run_due(tenant.id, "billing")
    seconds = time.perf_counter() - began
    hand = DueClock(database, redis)  # type: ignore[arg-type]
    began = time.perf_counter()
    hand.tick(clock.now())
    return Measured(len(tenants), accounts, due, seconds, (time.perf_counter() - began) * 1000)


_MAKE_DUE = (
    """CREATE TEMP TABLE chosen ON COMMIT DROP AS
       SELECT id, username FROM __schema__.accounts ORDER BY random() LIMIT :count""",
    "UPDATE __schema__.accounts SET expires_at = :past WHERE id IN (SELECT id FROM chosen)",
    """UPDATE aaa.subscriber SET valid_until = :past
       WHERE tenant_id = :tenant AND account_id IN (SELECT id FROM chosen)""",
    """UPDATE work.due SET run_at = :past
       WHERE tenant_id = :tenant AND kind = 'account.expire' AND subject_id IN (SELECT id FROM chosen)""",
    """INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at, seconds,
         octets_in, octets_out, packets_in, packets_out)
       SELECT :tenant, 1, 's' || id, username, id, :past, :past, 0, 0, 0, 0, 0 FROM chosen""",
)


def _make_due(database: Database, tenant: TenantRef, count: int) -> int:
    schema = schema_name(tenant.id)
    past = clock.now() - timedelta(seconds=1)
    values = {"tenant": tenant.id, "past": past, "count": count}
    with database.owner_connection() as connection:
        for statement in _MAKE_DUE:
            connection.execute(text(statement.replace("__schema__", schema)), values)
    return count


def main() -> int:
    """Print one line per world."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="broadloom-due-") as folder:
        Path(folder).chmod(0o755)  # the servers may run as another user
        settings = Settings(data_dir=Path(folder) / "data", secret_key="due work is measured with this key", demo=False)
        with ensure_running(settings) as servers:
            filled = replace(settings, database_url=servers.database_url, redis_url=servers.redis_url)
            configure(filled.secret_key)
            known = open_context(filled)
            prepare_database(known.database)
            made = 0
            for count, accounts in WORLDS:
                refs = []
                for _ in range(count):
                    made += 1
                    refs.append(fill_demo.ensure_demo_tenant(known.database, made, now=clock.now()))
                    fill_demo.fill_accounts(known.database, refs[-1], range(1, accounts + 1), now=clock.now())
                fill_demo.analyse(known.database, refs)
                sys.stdout.write(measure(known.database, known.redis, refs, accounts).line() + "\n")
                sys.stdout.flush()
            with unscoped(known.database, reason="count what the bench left") as session:
                waiting = session.execute(text("SELECT count(*) FROM work.outbox WHERE topic = 'radius.disconnect'"))
                sys.stdout.write(f"disconnects written: {waiting.scalar_one()}\n")
            known.database.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
