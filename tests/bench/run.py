"""``make bench``: requests per second and p99 of Broadloom beside FreeRADIUS, in turn, on one durable PostgreSQL.

The machine drifts by 15 to 20 %, so only the ratios of runs made side by side say something; medians of several rounds.
"""

import argparse
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from infra.db import Database
from infra.embedded import ensure_running
from infra.ports import choose_free_port
from infra.settings import Settings
from tenants.kernel.errors import BusinessError
from tenants.registry import keys
from tenants.registry.prepare import prepare_database
from tests.bench import broadloom, freeradius
from tests.bench.provisioning import measure_provisioning
from tests.bench.tools import (
    Load,
    Target,
    build,
    cpu_seconds,
    descendants,
    ensure_packages,
    resident_megabytes,
    run_radload,
)

MODES = ("pap", "chap", "acct-start", "acct-interim", "acct-stop", "mixed")
TARGETS = {"pap": 5.0, "chap": 5.0, "acct-start": 3.0, "acct-interim": 3.0, "acct-stop": 3.0, "mixed": 3.0}
Results = dict[tuple[str, str, int], list[dict[str, Any]]]


def main() -> int:
    """Exit code 1 when a target is missed."""
    options = _options()
    ensure_packages()
    with tempfile.TemporaryDirectory(prefix="broadloom-bench-") as temporary:
        folder = Path(options.folder or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        return _measure(options, folder)


def _measure(options: argparse.Namespace, folder: Path) -> int:
    radload = build("radload", folder / "tools", "-lcrypto")
    load = Load(options.accounts, options.tenants)
    settings = Settings(
        data_dir=folder / "data", radius_auth_port=choose_free_port(), radius_acct_port=choose_free_port(), demo=False
    )
    with ensure_running(settings) as servers:
        url = servers.database_socket_url or servers.database_url
        environment = broadloom.environment_for(settings, url, servers.redis_url)
        database = Database(servers.database_url)
        prepare_database(database)
        _say(_provisioning(settings, database))
        database.dispose()
        _say(f"filling {load.accounts} accounts in {load.tenants} tenants")
        broadloom.fill(environment, servers.database_url, load)
        fr_url = freeradius.load_database(servers.database_url, load)
        postmaster = int((settings.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
        ours = broadloom.Broadloom(replace(settings), environment, folder / "radius.log")
        theirs = freeradius.FreeRadius(folder / "fr-sql", "freeradius-sql", (choose_free_port(), choose_free_port()))
        in_memory = freeradius.FreeRadius(
            folder / "fr-files", "freeradius-files", (choose_free_port(), choose_free_port()), threads=4
        )
        results: Results = {}
        try:
            socket_folder = parse_qs(urlsplit(url).query).get("host", [""])[0]
            target_sql = theirs.start_sql(servers.database_url, socket_folder)
            target_files = in_memory.start_files(load) if options.files else None
            target_ours = ours.start(options.processes)
            _say(f"idle memory of a RADIUS process: {resident_megabytes(target_ours.pids[0]):.0f} MB")
            for number in range(options.rounds):
                for window in options.windows:
                    freeradius.reset(fr_url)
                    _round(results, radload, target_sql, load, window, options.peer_count, number, postmaster)
                    if target_files is not None:
                        _round(results, radload, target_files, load, window, options.count, number, postmaster)
                    broadloom.reset(servers.database_url)
                    _round(results, radload, target_ours, load, window, options.count, number, postmaster)
            memory = [resident_megabytes(pid) for pid in target_ours.pids]
        finally:
            for server in (ours, theirs, in_memory):
                server.stop()
    return _print_table(results, options.windows, memory)


def _provisioning(settings: Settings, database: Database) -> str:
    keys.configure(settings.require_secret_key())
    try:
        return measure_provisioning(database, tenants=10).line()
    except BusinessError:
        return "provisioning a tenant: not measured again, the tenants of an earlier run are there"


def _round(
    results: Results, radload: Path, target: Target, load: Load, window: int, count: int, number: int, postmaster: int
) -> None:
    seed = 1000 * (number + 1) + window  # Start, Interim and Stop speak of the same sessions, mixed of others
    run_radload(radload, target, load, "pap", ["--window", "64", "--count", str(min(2000, count)), "--seed", "7"])
    for mode in MODES:
        database, server = cpu_seconds(descendants(postmaster)), cpu_seconds(target.pids)
        own = str(seed + 500 * (mode == "mixed"))
        result = run_radload(
            radload, target, load, mode, ["--window", str(window), "--count", str(count), "--seed", own]
        )
        answered = max(1, result["answered"])
        result["server_us"] = (cpu_seconds(target.pids) - server) / answered * 1e6
        result["database_us"] = (cpu_seconds(descendants(postmaster)) - database) / answered * 1e6
        result["generator_us"] = (result["cpu_user_s"] + result["cpu_sys_s"]) / answered * 1e6
        results.setdefault((target.name, mode, window), []).append(result)
        lost = result["timeout"] + result["invalid"] + (result["reject"] if mode in ("pap", "chap") else 0)
        _say(
            f"{target.name:17s} {mode:12s} window {window:4d}: {result['rps']:8.0f}/s  p99"
            f" {result['latency']['p99_us'] / 1000:6.1f} ms" + (f"  NOT ANSWERED OR REFUSED: {lost}" if lost else "")
        )


def _print_table(results: Results, windows: list[int], memory: list[float]) -> int:
    print(
        "\n| load | window | Broadloom /s | p99 ms | FreeRADIUS-SQL /s | p99 ms | ratio | target | CPU us a request,"
        " server + database | theirs | CPU ratio | ratio to files |\n|---|--:|--:|--:|--:|--:|--:|--:|---|---|--:|--:|"
    )
    missed = 0
    for window in windows:
        for mode in MODES:
            ours, theirs = (_median(results, name, mode, window) for name in ("broadloom", "freeradius-sql"))
            files = _median(results, "freeradius-files", mode, window)
            ratio = ours["rps"] / theirs["rps"]
            missed += ratio < TARGETS[mode]
            print(
                f"| {mode} | {window} | {ours['rps']:.0f} | {ours['p99']:.1f} | {theirs['rps']:.0f} |"
                f" {theirs['p99']:.1f} | {ratio:.1f} x | {TARGETS[mode]:.0f} x | {_cpu(ours)} | {_cpu(theirs)} |"
                f" {_total(theirs) / _total(ours):.1f} x | {_ratio(ours, files)} |"
            )
    print(f"\nMemory of a RADIUS process after the load: {', '.join(f'{size:.0f} MB' for size in memory)}")
    return 1 if missed else 0


def _cpu(of: dict[str, float]) -> str:
    return f"{of['server_us']:.0f} + {of['database_us']:.0f}"


def _total(of: dict[str, float]) -> float:
    return max(1.0, of["server_us"] + of["database_us"])


def _ratio(ours: dict[str, float], theirs: dict[str, float]) -> str:
    return f"{ours['rps'] / theirs['rps']:.2f} x" if theirs else ""


def _median(results: Results, name: str, mode: str, window: int) -> dict[str, float]:
    runs = results.get((name, mode, window))
    if not runs:
        return {}
    values = {
        key: statistics.median(run[key] for run in runs) for key in ("rps", "server_us", "database_us", "generator_us")
    }
    values["p99"] = statistics.median(run["latency"]["p99_us"] / 1000 for run in runs)
    return values


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--tenants", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--windows", type=lambda text: [int(part) for part in text.split(",")], default=[64, 256])
    parser.add_argument("--count", type=int, default=30_000, help="requests of one run")
    parser.add_argument("--peer-count", type=int, default=5_000, help="requests of one run of FreeRADIUS with SQL")
    parser.add_argument("--processes", type=int, default=1, help="RADIUS processes of Broadloom")
    parser.add_argument("--files", action="store_true", help="FreeRADIUS with its users in memory too")
    parser.add_argument("--folder", help="keep data here between runs; default: a temporary folder")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
