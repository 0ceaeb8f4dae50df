"""Compare the product with the reference for as long as one likes: ``python -m tests.reference.billing SEED SECONDS``.

Starts PostgreSQL for itself. Each story has a seed of its own, ``SEED-number``; one that disagrees is printed with all
its steps and told again by ``python -m tests.reference.billing SEED-number``.
"""

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from infra import clock
from infra.db import Database
from infra.embedded import ensure_running
from infra.settings import Settings
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.onboarding.create_tenant import NewTenant, create_tenant
from tenants.registry import keys
from tenants.registry.prepare import prepare_database
from tests.reference.billing.product import Names
from tests.reference.billing.shop import furnish
from tests.reference.billing.stock import ZONES
from tests.reference.billing.story import Disagreement, Tally, tell

STEPS = 30
Shops = list[tuple[TenantRef, Names]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed", nargs="?", default=secrets.token_hex(3))
    parser.add_argument("seconds", nargs="?", type=float, default=60)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--most", type=int, default=10, help="stop after so many disagreements")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="broadloom-reference-"))
    folder.chmod(0o755)  # the servers run as another user when this runs as root
    try:
        with ensure_running(Settings(data_dir=folder, embedded_fsync=False)) as servers:
            database = Database(servers.database_url)
            prepare_database(database)
            keys.configure("a secret key for a reference, long enough")
            failed = _run(database, options)
            database.dispose()
            return failed
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(database: Database, options: argparse.Namespace) -> int:
    shops = open_shops(database)
    tally, disagreements = Tally(), 0
    until, number = time.monotonic() + options.seconds, 0
    alone = "-" in options.seed
    while time.monotonic() < until and disagreements < options.most:
        seed = options.seed if alone else f"{options.seed}-{number}"
        tenant, names = shops[int(seed.rpartition("-")[2]) % len(shops)]
        with tenant_scope(database, tenant) as scope:
            try:
                tell(scope, names, seed, options.steps, tally)
            except Disagreement as found:
                disagreements += 1
                print(found, end="\n\n", flush=True)
            finally:
                scope.rollback()  # the next story begins with the same shop
        number += 1
        if alone:
            break
    print(f"{tally}; {disagreements} disagreed")
    return 1 if disagreements else 0


def open_shops(database: Database) -> Shops:
    """A tenant for each zone."""
    shops = []
    for number, zone in enumerate(ZONES):
        new = NewTenant(
            slug=f"shop{number}",
            name=zone,
            email=f"owner@shop{number}.example",
            password="long-enough-7391",
            timezone=zone,
        )
        tenant = create_tenant(database, new, now=clock.now()).tenant
        with tenant_scope(database, tenant) as scope:
            shops.append((tenant, furnish(scope)))
    return shops


if __name__ == "__main__":
    sys.exit(main())
