"""Random operations in parallel on real PostgreSQL with durable commits: ``python -m tests.bench.bench_billing``.

``--operations N`` random operations (buy for cash, from the balance and on arrears, top-up, pay arrears, hold, resume,
change plan, reverse), each a transaction of its own with an idempotency key, by ``--workers`` processes of
``--threads`` threads each over all accounts of ``--tenants`` tenants. Prints operations/s, latencies, deadlocks and
what an operation costs; ends with ``ledger check`` of every tenant. Due work: ``python -m tests.bench.due_work``.
"""

import argparse
import itertools
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

from infra.db import Database
from infra.embedded import ensure_running
from infra.settings import Settings
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.billing.buy import Buy, buy
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.hold import Hold, hold
from tenants.billing.open_account import OpenAccount, open_account
from tenants.billing.pay_arrears import PayArrears, pay_arrears
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
DEADLOCK = "40P01"
_SECRET = "a secret key for benchmarks only, long"
_WEIGHTS = {
    "buy": 40,
    "top-up": 20,
    "buy from balance": 10,
    "buy on arrears": 4,
    "pay arrears": 4,
    "hold": 4,
    "resume": 4,
    "change plan": 6,
    "reverse": 8,
}


@dataclass(frozen=True)
class Shop:
    """A tenant with two plans of one group and its accounts."""

    tenant: TenantRef
    plans: list[int]
    accounts: list[int]


@dataclass
class Done:
    """What one thread did: milliseconds of each operation, refusals by code, deadlocks."""

    milliseconds: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    deadlocks: int = 0


def make_shop(database: Database, number: int, accounts: int) -> Shop:
    """A tenant with two plans and some accounts."""
    asked = NewTenant(f"bench{number}", "Bench", f"bench{number}@bench.example", "long-enough-7391")
    tenant = create_tenant(database, asked, now=START).tenant
    with tenant_scope(database, tenant) as scope:
        group = ensure_group(scope, "2M", 2_000_000, 2_000_000, None, actor=OWNER, now=START)
        plans = []
        for name, price in (("A", "50.00"), ("B", "60.00")):
            values = PlanValues(name=f"month {name}", kind="month", price=price)
            plans.append(add_plan(scope, AddPlan(group.id, values), actor=OWNER, now=START).id)
        opened = [
            open_account(scope, OpenAccount(CreateAccount(f"u{i}", "pw"), plans[0]), actor=OWNER, now=START).account_id
            for i in range(accounts)
        ]
    return Shop(tenant, plans, opened)


def random_operations(shops: list[Shop], dice: random.Random) -> Iterator[tuple[TenantRef, Any, Any]]:
    """Endless (tenant, operation, command). Who was held is resumed, who owes pays, who bought is reversed."""
    names, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    held: list[tuple[Shop, int]] = []
    owing: list[tuple[Shop, int]] = []
    bought: list[tuple[Shop, int]] = []
    while True:
        name = dice.choices(names, weights)[0]
        shop = dice.choice(shops)
        account, plan = dice.choice(shop.accounts), shop.plans[0]
        if name == "top-up":
            yield shop.tenant, top_up, TopUp(account, Decimal(60))
        elif name == "buy from balance":
            yield shop.tenant, buy, Buy(account, plan, method="balance")
        elif name == "buy on arrears":
            owing.append((shop, account))
            yield shop.tenant, buy, Buy(account, plan, method="arrears")
        elif name == "hold":
            held.append((shop, account))
            yield shop.tenant, hold, Hold(account)
        elif name == "change plan":
            yield shop.tenant, change_plan, ChangePlan(account, shop.plans[1])
        elif name == "pay arrears" and owing:
            shop, account = owing.pop(0)
            yield shop.tenant, pay_arrears, PayArrears(account)
        elif name == "resume" and held:
            shop, account = held.pop(0)
            yield shop.tenant, resume, Resume(account)
        elif name == "reverse" and bought:
            shop, account = bought.pop()
            yield shop.tenant, reverse, Reverse(account)
        else:
            bought = [*bought[-50:], (shop, account)]
            yield shop.tenant, buy, Buy(account, plan)


def work(database: Database, shops: list[Shop], operations: int, seed: str) -> Done:
    """One thread: random operations, each a unit of work of its own."""
    done, now = Done(), START + timedelta(days=1)
    wanted = itertools.islice(random_operations(shops, random.Random(seed)), operations)
    for number, (tenant, operation, command) in enumerate(wanted):
        began = time.perf_counter()
        try:
            with tenant_scope(database, tenant) as scope:
                operation(scope, command, actor=OWNER, now=now, key=f"{seed}-{number}")
        except BusinessError as error:
            done.refused[error.code] += 1
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") != DEADLOCK:
                raise
            done.deadlocks += 1
        done.milliseconds.append((time.perf_counter() - began) * 1000)
    return done


def _process(url: str, shops: list[Shop], operations: int, threads: int, seed: int, start: Any, out: Any) -> None:
    """One process: warmed up (its connections know the statements), then ``operations`` by all its threads."""
    keys.configure(_SECRET)
    database = Database(url, pool_size=threads)

    def run(name: str, count: int) -> list[Done]:
        def one(thread: int) -> Done:
            return work(database, shops, count // threads, f"{name}-{seed}-{thread}")

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(one, range(threads)))

    run("warm", 25 * len(shops) * threads)
    start.wait()
    began, spent = time.perf_counter(), time.process_time()
    found = run("run", operations)
    out.put((found, began, time.perf_counter(), time.process_time() - spent))
    database.dispose()


def measure_operations(url: str, shops: list[Shop], operations: int, workers: int, threads: int) -> int:
    """All workers at once; prints operations/s and latencies; gives the deadlocks."""
    queue: Any = multiprocessing.Queue()
    start, each = multiprocessing.Barrier(workers), operations // workers
    processes = [
        multiprocessing.Process(target=_process, args=(url, shops, each, threads, seed, start, queue))
        for seed in range(workers)
    ]
    for process in processes:
        process.start()
    results = [queue.get() for _ in processes]
    for process in processes:
        process.join()
    done: list[Done] = [one for result in results for one in result[0]]
    # The clock is the machine's: from the first start to the last end.
    seconds = max(result[2] for result in results) - min(result[1] for result in results)
    times = sorted(itertools.chain.from_iterable(one.milliseconds for one in done))
    refused = sum((one.refused for one in done), Counter[str]())
    deadlocks = sum(one.deadlocks for one in done)
    cost = sum(result[3] for result in results) / len(times) * 1000
    reasons = ", ".join(f"{count} {code}" for code, count in refused.most_common(4))
    print(
        f"operations: {len(times):,} by {workers} processes x {threads} threads over {len(shops)} tenants with"
        f" {sum(len(shop.accounts) for shop in shops):,} accounts: {len(times) / seconds:,.0f}/s,"
        f" p50 {times[len(times) // 2]:.1f} ms, p99 {times[len(times) * 99 // 100]:.1f} ms, {deadlocks} deadlocks,"
        f" {refused.total() / len(times):.0%} refused ({reasons}); Python {cost:.2f} ms of CPU each",
        flush=True,
    )
    return deadlocks


def main() -> int:
    """Start PostgreSQL of its own, measure, throw it away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--tenants", type=int, default=8)
    parser.add_argument("--accounts", type=int, default=200, help="accounts per tenant that are operated on")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="broadloom-bench-"))
    folder.chmod(0o755)
    deadlocks = 0
    try:
        with ensure_running(Settings(data_dir=folder)) as servers:
            keys.configure(_SECRET)
            database = Database(servers.database_url)
            prepare_database(database)
            shops = [make_shop(database, number, asked.accounts) for number in range(asked.tenants)]
            database.dispose()
            deadlocks = measure_operations(servers.database_url, shops, asked.operations, asked.workers, asked.threads)
            for shop in shops:
                with tenant_scope(database, shop.tenant) as scope:
                    report = check_ledger(scope)
                    assert report.ok, report.findings
            print("ledger check: every tenant's books agree")
            database.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if deadlocks else 0


if __name__ == "__main__":
    sys.exit(main())
