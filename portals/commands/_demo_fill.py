"""``demo fill``: many made-up accounts at once."""

import time
from concurrent.futures import ThreadPoolExecutor

import click

from infra import clock
from portals.commands._installation import open_installation
from portals.commands._output import emit, wants_json
from tenants.onboarding import fill_demo
from tenants.registry.keys import configure
from tenants.registry.prepare import prepare_database

_WRITERS = 3
_LARGEST_SLICE = 25_000  # accounts per transaction: bounds what a killed run loses, and the memory of the stage


@click.command("fill")
@click.option("--tenants", type=click.IntRange(1, 9999), required=True, help="How many tenants: t0001, t0002, …")
@click.option("--accounts", type=click.IntRange(0, 999_999_999), required=True, help="How many accounts in all.")
@click.option("--nas", type=click.IntRange(0, 1000), default=1, show_default=True, help="Routers of each tenant.")
def fill(tenants: int, accounts: int, nas: int) -> None:
    """Fill tenants with made-up accounts.

    Account n (u000001, password p000001, …) belongs to tenant ((n − 1) mod N) + 1. A second run adds what
    is missing.
    """
    now = clock.now()
    with open_installation() as installation:
        database = installation.database
        configure(installation.settings.require_secret_key())
        prepare_database(database)
        started = time.monotonic()
        refs = [fill_demo.ensure_demo_tenant(database, number, now=now) for number in range(1, tenants + 1)]
        made_nas = sum(fill_demo.ensure_demo_nas(database, tenant, nas) for tenant in refs)
        tenant_seconds = time.monotonic() - started
        started, written = time.monotonic(), 0
        slices = [
            (tenant, numbers[start : start + _LARGEST_SLICE])
            for index, tenant in enumerate(refs)
            for numbers in [range(index + 1, accounts + 1, tenants)]
            for start in range(0, len(numbers), _LARGEST_SLICE)
        ]
        # Three at once: while the database writes two slices, the passwords of the next are sealed here.
        with (
            click.progressbar(length=accounts, label="Accounts", hidden=wants_json()) as progress,
            ThreadPoolExecutor(_WRITERS) as writers,
        ):
            for done, part in writers.map(
                lambda work: (fill_demo.fill_accounts(database, *work, now=now), len(work[1])), slices
            ):
                written += done
                progress.update(part)
        account_seconds = time.monotonic() - started
        fill_demo.analyse(database, refs)
    filled = fill_demo.Filled(tenants, written, made_nas, tenant_seconds, account_seconds)
    rate = filled.accounts_per_second
    emit(
        {
            "tenants": tenants,
            "accounts": written,
            "nas": made_nas,
            "tenant_seconds": round(tenant_seconds, 3),
            "account_seconds": round(account_seconds, 3),
            "accounts_per_second": round(rate),
        },
        f"{tenants} tenants in {tenant_seconds:.1f} s; {written} accounts in {account_seconds:.1f} s ({rate:,.0f}/s).",
    )
