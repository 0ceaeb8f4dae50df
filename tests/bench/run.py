"""``make bench``: Broadloom beside FreeRADIUS, in turn, on one durable PostgreSQL.

Requests per second, latency, bursts, memory, and what Python could do at most.

The machine drifts by 15 to 20 %, so only the ratios of runs made side by side say something; medians of several rounds.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from infra.db import Database
from infra.settings import Settings
from tenants.kernel.errors import BusinessError
from tenants.registry import keys
from tests.bench import broadloom, freeradius, growth
from tests.bench.limits import Limit
from tests.bench.measure import Generator
from tests.bench.provisioning import measure_provisioning
from tests.bench.report import LIMITS, LOGINS, MODES, Report, Results
from tests.bench.strain import bursts, latencies
from tests.bench.tools import Load, Target, build, ensure_packages, resident_megabytes

_PASSES = 3  # logins are held to a server that is nearly as fast: more pairs a round


def main() -> int:
    """Exit code 1 when a target is missed."""
    options = _options()
    ensure_packages()
    with tempfile.TemporaryDirectory(prefix="broadloom-bench-") as temporary:
        folder = Path(options.folder or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        program = build("radload", folder / "tools", "-lcrypto")
        if options.growth:
            return growth.measure(folder, program, options.rounds)
        return _measure(options, folder, program)


def _measure(options: argparse.Namespace, folder: Path, program: Path) -> int:
    load = Load(options.accounts, options.tenants)
    with broadloom.installation(folder, load, before=_provisioning) as world:
        generator = Generator(program, load, world.postmaster)
        ours = world.cluster()
        theirs = freeradius.FreeRadius(folder / "fr-sql", "freeradius-sql")
        in_memory = freeradius.FreeRadius(folder / "fr-files", "freeradius-files", threads=4)
        fr_url = freeradius.load_database(world.admin_url, load)
        results: Results = {}
        try:
            target_sql = theirs.start_sql(world.admin_url, world.socket_folder)
            target_files = in_memory.start_files(load) if options.files else None
            target_ours = ours.start(options.processes)
            idle = [resident_megabytes(pid) for pid in target_ours.pids]
            counts = {target_sql: options.peer_count, target_ours: options.count}
            if target_files is not None:
                counts[target_files] = options.count
            for number in range(options.rounds):
                for window in options.windows:
                    freeradius.reset(fr_url)
                    broadloom.reset(world.admin_url)
                    _round(results, generator, counts, window, number)
            _measure_limits(results, generator, options.windows, options.count)
            report = Report(results, options.windows)
            broadloom.reset(world.admin_url)
            strains = latencies(generator, target_ours, MODES, folder) + bursts(generator, target_ours)
            loaded = [resident_megabytes(pid) for pid in target_ours.pids]
        finally:
            for server in (ours, theirs, in_memory):
                server.stop()
    report.rates()
    report.limits()
    report.strains(strains)
    report.memory(idle, loaded)
    return report.verdict()


def _provisioning(settings: Settings, database: Database) -> None:
    keys.configure(settings.require_secret_key())
    try:
        _say(measure_provisioning(database, tenants=10).line())
    except BusinessError:
        _say("provisioning a tenant: not measured again, the tenants of an earlier run are there")


def _round(results: Results, generator: Generator, counts: dict[Target, int], window: int, number: int) -> None:
    """Load by load, the servers in turn: the machine is another one half a minute later."""
    for target, count in counts.items():
        generator.run(target, "pap", window=64, count=min(2000, count), seed=7)
    for mode in MODES:
        for again in range(_PASSES if mode in LOGINS else 1):
            # Start, Interim and Stop speak of the same sessions, mixed of others
            seed = 1000 * (number + 1) + window + 500 * (mode == "mixed") + 100_000 * again
            for target, count in counts.items():
                run = generator.run(target, mode, window=window, count=count, seed=seed)
                results.setdefault((target.name, mode, window), []).append(run)
                _say(
                    f"{target.name:17s} {mode:12s} window {window:4d}: {run.rate:8.0f}/s  p99 {run.p99_ms:6.1f} ms  CPU"
                    f" {run.server_us:.1f} + {run.database_us:.1f} + {run.generator_us:.1f} us"
                    + (f"  NOT ANSWERED OR REFUSED: {run.lost}" if run.lost else "")
                )


def _measure_limits(results: Results, generator: Generator, windows: list[int], count: int) -> None:
    for name, mode in LIMITS.items():
        limit = Limit(name.removeprefix("python-"))
        try:
            for window in windows:
                runs = [generator.run(limit.target, mode, window=window, count=2 * count, seed=9) for _ in range(3)]
                results[name, mode, window] = runs
        finally:
            limit.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--tenants", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--windows", type=lambda text: [int(part) for part in text.split(",")], default=[64, 256])
    parser.add_argument("--count", type=int, default=30_000, help="requests of one run")
    parser.add_argument("--peer-count", type=int, default=5_000, help="requests of one run of FreeRADIUS with SQL")
    parser.add_argument("--processes", type=int, default=1, help="RADIUS processes of Broadloom")
    parser.add_argument(
        "--no-files", dest="files", action="store_false", help="leave out FreeRADIUS with its users in memory"
    )
    parser.add_argument("--folder", help="keep data here between runs; default: a temporary folder")
    parser.add_argument(
        "--growth",
        action="store_true",
        help="instead: what a request costs with 1,000 to 1,000,000 accounts, 1 to 1,000 tenants, 10 million history"
        " rows (six databases at once: some 6 GB)",
    )
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
