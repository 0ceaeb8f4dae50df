"""How fast due work is handled, and that it costs what is due, not what exists (issue 3, "Due work"; JOB-4).

``python -m tests.bench.due_work [TENANTSxACCOUNTS …]`` fills tenants and makes 1 % of their accounts due within one
minute, first as expiries of who is online, then as renewals from the balance. Two worker processes run the job that
the due clock enqueues (``workers.jobs.run_due``), one tenant at a time each, as two RQ workers would; the queue itself
is left out. One line for each world: how long, what a due row costs (wall clock and CPU of the workers), and a look of
the due clock with nothing due. It starts its own servers in a temporary folder, or in ``--folder``, which keeps what is
filled for the next run; ``--fill-only`` stops there.
"""

import argparse
import logging
import multiprocessing
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

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
from workers.context import context, open_context
from workers.due_clock import DueClock
from workers.jobs.run_due import run_due

SHARE = 100  # one of so many accounts is due
WORKERS = 2
WORLDS = ("1x10000", "1x100000", "1x1000000", "1000x1000")


@dataclass(frozen=True, slots=True)
class Measured:
    """One kind of due work in one world: so many tenants with so many accounts each."""

    tenants: int
    accounts: int
    kind: str
    due: int
    seconds: float
    worker_cpu_seconds: float
    look_milliseconds: float

    def line(self) -> str:
        """For the report."""
        each, spent = self.seconds / self.due * 1000, self.worker_cpu_seconds / self.due * 1000
        return (
            f"{self.tenants:>5} tenants x {self.accounts:>9,} accounts: {self.due:>6,} {self.kind} in"
            f" {self.seconds:6.2f} s ({self.due / self.seconds:7,.0f}/s); a due row {each:.2f} ms, {spent:.2f} ms of"
            f" the workers' CPU; a look of the due clock with nothing due {self.look_milliseconds:.1f} ms"
        )


def measure(
    database: Database, redis: object, tenants: list[TenantRef], accounts: int, kind: str, pool: Any
) -> Measured:
    """Make 1 % due and online, and handle it by the jobs of all workers."""
    due = sum(_make_due(database, tenant, max(1, accounts // SHARE), kind) for tenant in tenants)
    began = time.perf_counter()
    results = pool.map(_work, [tenant.id for tenant in tenants], chunksize=1)
    seconds = time.perf_counter() - began
    done = "renewed" if kind == "renewals" else "expired"
    handled = sum(total[done] for total, _ in results)
    assert handled >= due, f"{kind}: {handled} of {due} were done"  # more: of a million some expire by themselves
    hand = DueClock(database, redis)  # type: ignore[arg-type]
    began = time.perf_counter()
    hand.tick(clock.now())
    look = (time.perf_counter() - began) * 1000
    return Measured(len(tenants), accounts, kind, handled, seconds, sum(spent for _, spent in results), look)


def _work(tenant_id: int) -> tuple[dict[str, int], float]:
    spent = time.process_time()
    return run_due(tenant_id, "billing"), time.process_time() - spent


def _start_worker(settings: Settings) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    configure(settings.secret_key)
    open_context(settings)


_MAKE_DUE = (
    """CREATE TEMP TABLE chosen ON COMMIT DROP AS
       SELECT id, username FROM __schema__.accounts WHERE expires_at > :now ORDER BY random() LIMIT :count""",
    """UPDATE __schema__.accounts SET expires_at = :past, activated_at = coalesce(activated_at, opened_at),
         state = 'active', auto_renew = :renews, balance = CASE WHEN :renews THEN 100000 ELSE balance END
       WHERE id IN (SELECT id FROM chosen)""",
    """UPDATE aaa.subscriber SET valid_until = :past
       WHERE tenant_id = :tenant AND account_id IN (SELECT id FROM chosen)""",
    """INSERT INTO work.due (tenant_id, kind, subject_id, run_at)
       SELECT :tenant, 'account.expire', id, CAST(:past AS timestamptz) - random() * interval '59 seconds' FROM chosen
       ON CONFLICT (tenant_id, kind, subject_id) DO UPDATE SET run_at = excluded.run_at""",
    """INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at, seconds,
         octets_in, octets_out, packets_in, packets_out)
       SELECT :tenant, 1, 's' || id, username, id, :past, :past, 0, 0, 0, 0, 0 FROM chosen ON CONFLICT DO NOTHING""",
)


def _make_due(database: Database, tenant: TenantRef, count: int, kind: str) -> int:
    now = clock.now()
    values = {"tenant": tenant.id, "now": now, "past": now - timedelta(seconds=1), "count": count}
    with database.owner_connection() as connection:
        for statement in _MAKE_DUE:
            sql = text(statement.replace("__schema__", schema_name(tenant.id)))
            connection.execute(sql, {**values, "renews": kind == "renewals"})
    return count


def _fill(number: int, accounts: int) -> TenantRef:
    """One tenant, made and filled unless it is there."""
    database, now = context().database, clock.now()
    tenant = fill_demo.ensure_demo_tenant(database, number, now=now)
    with unscoped(database, reason="what an earlier run filled") as session:
        there = session.execute(text("SELECT count(*) FROM aaa.subscriber WHERE tenant_id = :t"), {"t": tenant.id})
        missing = there.scalar_one() < accounts
    if missing:
        fill_demo.fill_accounts(database, tenant, range(1, accounts + 1), now=now)
        fill_demo.analyse(database, [tenant])
    return tenant


def run_worlds(settings: Settings, worlds: list[tuple[int, int]], *, fill_only: bool) -> None:
    """Fill and measure one world after the other; prints two lines for each."""
    known, made = open_context(settings), 0
    prepare_database(known.database)
    for count, accounts in worlds:
        known.database.dispose()  # no connection may be inherited
        with multiprocessing.Pool(WORKERS, _start_worker, (settings,)) as pool:
            began = time.perf_counter()
            tenants = pool.starmap(_fill, [(made + n, accounts) for n in range(1, count + 1)], chunksize=1)
            made += count
            _say(f"filled {count:,} x {accounts:,} in {time.perf_counter() - began:.0f} s")
            for kind in () if fill_only else ("expiries", "renewals"):
                _say(measure(known.database, known.redis, tenants, accounts, kind, pool).line())
    with unscoped(known.database, reason="count what the bench left") as session:
        waiting = session.execute(text("SELECT count(*) FROM work.outbox WHERE topic = 'radius.disconnect'"))
        _say(f"disconnects written: {waiting.scalar_one():,}")
    known.database.dispose()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Print two lines per world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="*", default=WORLDS, help="TENANTSxACCOUNTS")
    parser.add_argument("--folder", type=Path, help="keep the data here")
    parser.add_argument("--fill-only", action="store_true")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    tenants_and_accounts = [world.split("x") for world in asked.worlds]
    worlds = [(int(tenants), int(accounts)) for tenants, accounts in tenants_and_accounts]
    with tempfile.TemporaryDirectory(prefix="broadloom-due-") as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # the servers may run as another user
        settings = Settings(data_dir=folder / "data", secret_key="due work is measured with this key", demo=False)
        with ensure_running(settings) as servers:
            filled = replace(settings, database_url=servers.database_url, redis_url=servers.redis_url)
            configure(filled.secret_key)
            run_worlds(filled, worlds, fill_only=asked.fill_only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
