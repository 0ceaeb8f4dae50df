"""How long the list of subscribers takes at the server (SUB-6: < 100 ms at 1,000,000 accounts).

``python -m tests.bench.list_pages [accounts …]`` fills one tenant, signs its owner in and asks for whole pages: the
first, later ones, every order, tabs, searches. It starts its own servers in a temporary folder.
"""

import re
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from urllib.parse import quote

from flask.testing import FlaskClient

from infra import clock, log
from infra.db import Database
from infra.embedded import ensure_running
from infra.settings import Settings
from portals.app import create_app
from tenants.onboarding.create_tenant import NewTenant, create_tenant
from tenants.onboarding.fill_demo import analyse, fill_accounts
from tenants.registry.keys import configure
from tenants.registry.prepare import prepare_database

_SECRET = "a secret key for benchmarks only, long"
_PASSWORD = "a password for benchmarks"
_SLICE = 25_000
_TIMES = 7
PAGES = (
    ("first page", ""),
    ("by expiry", "sort=expires"),
    ("by balance, falling", "sort=-balance"),
    ("expired", "state=expired"),
    ("expiring, by expiry", "state=expiring&sort=expires"),
    ("one user name", "q=u000777"),
    ("beginning of a name", "q=u0007"),
    ("a telephone number", "q=1380000"),
    ("nobody", "q=" + quote("无此人")),
    ("online", "online=yes"),
    ("200 rows", "size=200"),
)


def main() -> int:
    """Print the median milliseconds of each page for each size."""
    sizes = [int(word) for word in sys.argv[1:]] or [100_000]
    folder = Path(tempfile.mkdtemp(prefix="broadloom-lists-"))
    folder.chmod(0o755)
    settings = Settings(data_dir=folder, secret_key=_SECRET, embedded_fsync=False, demo=False, log_level="error")
    log.configure(settings, "bench")
    try:
        with ensure_running(settings) as servers:
            _measure(replace(settings, database_url=servers.database_url, redis_url=servers.redis_url), sizes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _measure(settings: Settings, sizes: list[int]) -> None:
    configure(settings.require_secret_key())
    database = Database(settings.database_url)
    prepare_database(database)
    order = NewTenant("lists", "Lists", "owner@lists.example", _PASSWORD, locale="en")
    tenant = create_tenant(database, order, now=clock.now()).tenant
    client = _signed_in(settings)
    done = 0
    for size in sizes:
        for start in range(done + 1, size + 1, _SLICE):
            fill_accounts(database, tenant, range(start, min(start + _SLICE, size + 1)), now=clock.now())
        done = max(done, size)
        analyse(database, [tenant])
        sys.stdout.write(f"{size:,} accounts\n")
        for name, query in PAGES:
            sys.stdout.write(f"  {name:<24}{_milliseconds(client, query):8.1f} ms\n")
        deep = _later(client, 40)
        sys.stdout.write(f"  {'40 pages further':<24}{_milliseconds(client, deep):8.1f} ms\n")
        sys.stdout.flush()
    database.dispose()


def _signed_in(settings: Settings) -> FlaskClient:
    client = create_app(settings).test_client()
    login = "/t/lists/admin/login"
    token = client.get(login).get_data(as_text=True).split('name="csrf-token" content="')[1].split('"')[0]
    client.post(login, data={"csrf_token": token, "username": "admin", "password": _PASSWORD})
    return client


def _milliseconds(client: FlaskClient, query: str) -> float:
    taken = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        answer = client.get(f"/t/lists/admin/accounts/?{query}")
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.status_code
    return median(taken)


def _later(client: FlaskClient, pages: int) -> str:
    query = ""
    for _ in range(pages):
        page = client.get(f"/t/lists/admin/accounts/?{query}").get_data(as_text=True)
        found = re.search(r'rel="next" href="[^"?]*\?([^"]*)"', page)
        if found is None:
            break
        query = found.group(1).replace("&amp;", "&")
    return query


if __name__ == "__main__":
    raise SystemExit(main())
