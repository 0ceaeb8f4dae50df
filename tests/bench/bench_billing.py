"""Operations per second and due work, on real PostgreSQL with durable commits: ``python -m tests.bench.bench_billing``.

``--operations N`` random operations (buy, top-up, hold, resume, change, reverse) by ``--workers`` processes over
``--tenants`` tenants; then ``--due`` accounts per tenant of which 1 % fall due in one minute. Prints one line each.
"""

import argparse
import itertools
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text

from infra.db import Database, schema_name
from infra.embedded import ensure_running
from infra.settings import Settings
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.billing.buy import Buy, buy
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.due import run_due
from tenants.billing.hold import Hold, hold
from tenants.billing.open_account import OpenAccount, open_account
from tenants.billing.resume import Resume, resume
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.top_up import TopUp, top_up
from tenants.catalog.add_plan import AddPlan, PlanValues, add_plan, ensure_group
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError
from tenants.onboarding.create_tenant import NewTenant, create_tenant
from tenants.registry import keys
from tenants.registry.prepare import prepare_database
from tenants.subscribers.create_account import CreateAccount

OWNER = Actor("operator", 1, "owner", everything=True)
START = datetime(2026, 1, 31, 2, tzinfo=UTC)
_SECRET = "a secret key for benchmarks only, long"


def make_shop(database: Database, number: int, accounts: int) -> tuple[TenantRef, list[int], list[int]]:
    """A tenant with two plans and some accounts."""
    asked = NewTenant(f"bench{number}", "Bench", f"bench{number}@bench.example", "long-enough-7391")
    tenant = create_tenant(database, asked, now=START).tenant
    with tenant_scope(database, tenant) as scope:
        plans = []
        for name, price, kind in (("A", "50.00", "month"), ("B", "60.00", "month"), ("C", "50.00", "prepaid-month")):
            group = ensure_group(scope, name, 2_000_000, 2_000_000, None, actor=OWNER, now=START)
            values = PlanValues(name=f"month {name}", kind=kind, price=price)
            plans.append(add_plan(scope, AddPlan(group.id, values), actor=OWNER, now=START).id)
        opened = [
            open_account(scope, OpenAccount(CreateAccount(f"u{i}", "pw"), plans[0]), actor=OWNER, now=START).account_id
            for i in range(accounts)
        ]
    return tenant, plans, opened


def work(url: str, shops: list[Any], operations: int, seed: int, out: Any) -> None:
    """One process: random operations, each in its own transaction; times in milliseconds."""
    keys.configure(_SECRET)
    database, dice, times, refused = Database(url), random.Random(seed), [], 0
    now = START + timedelta(days=1)
    for number in range(operations):
        tenant, plans, accounts = dice.choice(shops)
        account = dice.choice(accounts)
        operation, command = dice.choices(
            [
                (buy, Buy(account, plans[0])),
                (top_up, TopUp(account, Decimal(60))),
                (buy, Buy(account, plans[0], method="balance")),
                (hold, Hold(account)),
                (resume, Resume(account)),
                (change_plan, ChangePlan(account, plans[1])),
                (reverse, Reverse(account)),
            ],
            weights=[40, 20, 10, 5, 10, 5, 10],
        )[0]
        began = time.perf_counter()
        try:
            with tenant_scope(database, tenant) as scope:
                operation(scope, command, actor=OWNER, now=now, key=f"{seed}-{number}")
        except BusinessError:
            refused += 1
        times.append((time.perf_counter() - began) * 1000)
    out.put((times, refused))


def measure_operations(url: str, shops: list[Any], operations: int, workers: int) -> None:
    """All workers at once; prints operations/s and latencies."""
    queue: Any = multiprocessing.Queue()
    each = operations // workers
    processes = [multiprocessing.Process(target=work, args=(url, shops, each, seed, queue)) for seed in range(workers)]
    began = time.perf_counter()
    for process in processes:
        process.start()
    results = [queue.get() for _ in processes]
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    times = sorted(itertools.chain.from_iterable(times for times, _ in results))
    refused = sum(refused for _, refused in results)
    print(
        f"operations: {len(times)} ({refused} refused) by {workers} processes over {len(shops)} tenants:"
        f" {len(times) / seconds:,.0f}/s, p50 {times[len(times) // 2]:.1f} ms,"
        f" p99 {times[len(times) * 99 // 100]:.1f} ms"
    )


def fill_due(
    database: Database, tenant: TenantRef, plan_id: int, accounts: int, due_at: datetime, prefix: str, balance: int
) -> None:
    """``accounts`` rows by SQL, 1 % of which expire within the minute after ``due_at``."""
    schema = schema_name(tenant.id)
    with database.owner_connection() as connection:
        connection.execute(
            text(
                f"INSERT INTO {schema}.accounts (customer_id, username, password_sealed, plan_id, region_id, opened_at,"
                " activated_at, expires_at, balance, first_due_at)"
                " SELECT (SELECT min(id) FROM {s}.customers), :prefix || i, '\\x00', :plan,"
                " (SELECT min(id) FROM {s}.regions), :start, :start, CASE WHEN i % 100 = 0 THEN"
                " CAST(:due AS timestamptz) + (i % 60) * interval '1 second' ELSE :due + interval '20 days' END,"
                " :balance, :due"
                " FROM generate_series(1, :n) i".replace("{s}", schema)
            ),
            {
                "plan": plan_id,
                "start": START,
                "due": due_at,
                "n": accounts,
                "prefix": prefix,
                "balance": balance,
            },
        )
        connection.execute(
            text(
                "INSERT INTO work.due (tenant_id, kind, subject_id, run_at) SELECT :t, 'account.expire', id, expires_at"
                f" FROM {schema}.accounts WHERE username LIKE :prefix"
            ),
            {"t": tenant.id, "prefix": prefix + "%"},
        )


def measure_due(url: str, shops: list[Any], accounts: int, what: str) -> None:
    """Fill, then handle what is due; prints how long after the minute everything was handled."""
    keys.configure(_SECRET)
    database = Database(url)
    due_at = START + timedelta(days=40)
    for tenant, plans, _ in shops:
        if what == "renewals":
            fill_due(database, tenant, plans[2], accounts, due_at, "r", 500)
        else:
            fill_due(database, tenant, plans[0], accounts, due_at, "d", 0)
    with database.owner_connection() as connection:
        connection.execute(text("ANALYZE work.due"))
    handled, began = 0, time.perf_counter()
    for tenant, _, _ in shops:
        while True:
            with tenant_scope(database, tenant) as scope:
                report = run_due(scope, now=due_at + timedelta(minutes=1), limit=2000)
            handled += report.handled
            if not report.more:
                break
    seconds = time.perf_counter() - began
    print(
        f"due {what}: {handled:,} of {accounts * len(shops):,} accounts in {len(shops)} tenants"
        f" handled in {seconds:.2f} s ({handled / max(seconds, 0.001):,.0f}/s)"
    )


def main() -> int:
    """Start PostgreSQL of its own, measure, throw it away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--tenants", type=int, default=8)
    parser.add_argument("--accounts", type=int, default=50, help="accounts per tenant that are operated on")
    parser.add_argument("--due", type=int, default=0, help="accounts per tenant for the due work; 0 = leave out")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="broadloom-bench-"))
    folder.chmod(0o755)
    try:
        with ensure_running(Settings(data_dir=folder)) as servers:
            keys.configure(_SECRET)
            database = Database(servers.database_url)
            prepare_database(database)
            shops = [make_shop(database, number, asked.accounts) for number in range(asked.tenants)]
            database.dispose()
            if asked.operations:
                measure_operations(servers.database_url, shops, asked.operations, asked.workers)
                with tenant_scope(database, shops[0][0]) as scope:
                    assert check_ledger(scope).ok
            if asked.due:
                for what in ("expiries", "renewals"):
                    measure_due(servers.database_url, shops, asked.due, what)
            database.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
