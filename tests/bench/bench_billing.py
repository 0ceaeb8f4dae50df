"""Random operations in parallel on real PostgreSQL with durable commits: ``python -m tests.bench.bench_billing``.

``--operations N`` random operations (buy for cash, from the balance and on arrears, top-up, pay arrears, hold, resume,
change plan, reverse), each with an idempotency key, by ``--workers`` processes of ``--threads`` threads each over
``--accounts`` accounts of one tenant, then of two and of eight, through what the website's processes use
(``tenants.billing.share``): first as fast as they can, then arriving at random at 80 % of that rate, where the latency
counts from the arrival. Each number of tenants has an installation of its own, so that no key was seen before. Prints
operations/s, latencies, deadlocks and what an operation costs; compares the orders in the books with those that were
acknowledged, and ends with ``ledger check`` of every tenant. Due work: ``python -m tests.bench.due_work``.
"""

import argparse
import gc
import itertools
import multiprocessing
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from infra.db import Database, schema_name
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
from tenants.billing.share import Sharing
from tenants.billing.top_up import TopUp, top_up
from tenants.catalog.add_plan import AddPlan, PlanValues, add_plan, ensure_group
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError
from tenants.onboarding.create_tenant import NewTenant, create_tenant
from tenants.registry import keys
from tenants.registry.prepare import prepare_database
from tenants.subscribers.create_account import CreateAccount
from tests.bench.tools import cpu_seconds, descendants

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
    """What one thread did: milliseconds of each operation, orders acknowledged, refusals by code, deadlocks."""

    milliseconds: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    deadlocks: int = 0


class Arrivals:
    """When the operations of one process arrive: at random, so many a second; None: as soon as a thread is free."""

    def __init__(self, per_second: float | None, seed: str) -> None:
        self._per_second, self._dice, self._lock = per_second, random.Random(seed), threading.Lock()
        self._next = time.perf_counter()

    def wait(self) -> float:
        """Wait for the next one; gives the instant at which it arrived, which is past when all threads were busy."""
        if self._per_second is None:
            return time.perf_counter()
        with self._lock:
            self._next += self._dice.expovariate(self._per_second)
            arrived = self._next
        time.sleep(max(0.0, arrived - time.perf_counter()))
        return arrived


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


def work(sharing: Sharing, shops: list[Shop], operations: int, seed: str, arrivals: Arrivals) -> Done:
    """One thread: random operations, one after the other."""
    done, now = Done(), START + timedelta(days=1)
    wanted = itertools.islice(random_operations(shops, random.Random(seed)), operations)
    for number, (tenant, operation, command) in enumerate(wanted):
        began = arrivals.wait()
        try:
            result = sharing.perform(tenant, operation, command, actor=OWNER, now=now, key=f"{seed}-{number}")
            assert not result.replayed, "a key was used twice: that costs less than an operation"
            done.orders += result.order is not None
        except BusinessError as error:
            done.refused[error.code] += 1
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") != DEADLOCK:
                raise
            done.deadlocks += 1
        done.milliseconds.append((time.perf_counter() - began) * 1000)
    return done


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who operates: processes with threads, as fast as they can or so many operations a second in all."""

    workers: int
    threads: int
    per_second: float | None = None


def _process(url: str, shops: list[Shop], operations: int, crowd: Crowd, seed: int, gates: Any, out: Any) -> None:
    """One process: warmed up (its connections know the statements), then ``operations`` by all its threads."""
    keys.configure(_SECRET)
    gc.freeze()  # as the website does (wsgi.py)
    database = Database(url, pool_size=crowd.threads)
    sharing = Sharing(database)

    def run(name: str, count: int, per_second: float | None) -> list[Done]:
        arrivals = Arrivals(per_second, f"{name}-{seed}")

        def one(thread: int) -> Done:
            return work(sharing, shops, count // crowd.threads, f"{name}-{seed}-{thread}", arrivals)

        with ThreadPoolExecutor(crowd.threads) as pool:
            return list(pool.map(one, range(crowd.threads)))

    warmed = run(f"warm-{crowd.per_second}", 25 * len(shops) * crowd.threads, None)
    begin, end = gates
    begin.wait()
    began, spent = time.perf_counter(), time.process_time()
    found = run(f"run-{crowd.per_second}", operations, crowd.per_second and crowd.per_second / crowd.workers)
    acknowledged = sum(one.orders for one in (*warmed, *found))
    out.put((found, began, time.perf_counter(), time.process_time() - spent, acknowledged))
    end.wait()  # a server process that is gone can no longer be asked what it has spent
    database.dispose()


def measure_operations(
    url: str, postmaster: int, shops: list[Shop], operations: int, crowd: Crowd
) -> tuple[float, int]:
    """All workers at once; prints operations/s and latencies; gives operations/s and the deadlocks."""
    queue: Any = multiprocessing.Queue()
    gates = begin, end = multiprocessing.Barrier(crowd.workers + 1), multiprocessing.Barrier(crowd.workers + 1)
    each = operations // crowd.workers
    processes = [
        multiprocessing.Process(target=_process, args=(url, shops, each, crowd, seed, gates, queue))
        for seed in range(crowd.workers)
    ]
    before = count_orders(url, shops)
    for process in processes:
        process.start()
    begin.wait()
    spent = cpu_seconds(descendants(postmaster))
    results = [queue.get() for _ in processes]
    spent = cpu_seconds(descendants(postmaster)) - spent
    end.wait()
    for process in processes:
        process.join()
    booked, acknowledged = count_orders(url, shops) - before, sum(result[4] for result in results)
    assert booked == acknowledged, f"{booked} orders were booked, {acknowledged} acknowledged"
    done: list[Done] = [one for result in results for one in result[0]]
    # The clock is the machine's: from the first start to the last end.
    seconds = max(result[2] for result in results) - min(result[1] for result in results)
    times = sorted(itertools.chain.from_iterable(one.milliseconds for one in done))
    refused = sum((one.refused for one in done), Counter[str]())
    deadlocks = sum(one.deadlocks for one in done)
    reasons = ", ".join(f"{count} {code}" for code, count in refused.most_common(4))
    how = "as fast as they can" if crowd.per_second is None else f"{crowd.per_second:,.0f}/s arriving at random"
    print(
        f"operations: {len(times):,} by {crowd.workers} processes x {crowd.threads} threads over {len(shops)} tenants"
        f" with {sum(len(shop.accounts) for shop in shops):,} accounts, {how}: {len(times) / seconds:,.0f}/s,"
        f" p50 {times[len(times) // 2]:.1f} ms, p99 {times[len(times) * 99 // 100]:.1f} ms, {deadlocks} deadlocks,"
        f" {refused.total() / len(times):.0%} refused ({reasons}); CPU of an operation: Python"
        f" {sum(result[3] for result in results) / len(times) * 1000:.2f} ms,"
        f" PostgreSQL {spent / len(times) * 1000:.2f} ms",
        flush=True,
    )
    return len(times) / seconds, deadlocks


def count_orders(url: str, shops: list[Shop]) -> int:
    """Orders in the books of all tenants."""
    database = Database(url)
    with database.owner_connection() as owner:
        counts = [f"(SELECT count(*) FROM {schema_name(shop.tenant.id)}.orders)" for shop in shops]
        found: int = owner.execute(text(f"SELECT {' + '.join(counts)}")).scalar_one()
    database.dispose()
    return found


def measure_tenants(tenants: int, accounts: int, operations: int, crowd: Crowd) -> int:
    """An installation of its own with so many tenants: as fast as they can, then at random; gives the deadlocks."""
    folder = Path(tempfile.mkdtemp(prefix="broadloom-bench-"))
    folder.chmod(0o755)
    deadlocks = 0
    try:
        with ensure_running(Settings(data_dir=folder)) as servers:
            keys.configure(_SECRET)
            url = servers.database_socket_url or servers.database_url
            database = Database(url)
            prepare_database(database)
            shops = [make_shop(database, number, accounts // tenants) for number in range(tenants)]
            database.dispose()
            postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
            for _ in range(2):
                found, locked = measure_operations(url, postmaster, shops, operations, crowd)
                crowd, deadlocks = replace(crowd, per_second=found * 0.8), deadlocks + locked
            for shop in shops:
                with tenant_scope(database, shop.tenant) as scope:
                    report = check_ledger(scope)
                    assert report.ok, report.findings
            print(
                "every acknowledged order is in the books, once; ledger check: every tenant's books agree", flush=True
            )
            database.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return deadlocks


def main() -> int:
    """Start PostgreSQL of its own, measure, throw it away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    # Two cores: a process for each, as the website has; a thread is a clerk who waits for his answer.
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--tenants", type=int, nargs="+", default=[1, 2, 8])
    parser.add_argument("--accounts", type=int, default=1600, help="accounts of all tenants that are operated on")
    asked = parser.parse_args()
    crowd = Crowd(asked.workers, asked.threads)
    return 1 if sum(measure_tenants(n, asked.accounts, asked.operations, crowd) for n in asked.tenants) else 0


if __name__ == "__main__":
    sys.exit(main())
