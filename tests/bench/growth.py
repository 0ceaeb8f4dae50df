"""What a request costs as an installation grows: accounts, tenants, history (``python -m tests.bench --growth``).

Every size is an installation of its own in the same folder, which holds what the packet path reads; all are up
together. Judged by the CPU of server and database, which depends less on what else runs than their rate does, but still
on who else uses the machine's memory: a fifth more or less from one minute to the next. So the sizes of a curve are
measured in turn, each kind of request right after the other size's, and compared with each other in each round.
"""

import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.bench.broadloom import World, installation
from tests.bench.measure import Generator, Run, median
from tests.bench.tools import Load, Target, resident_megabytes

_HISTORY_ROWS = 10_000_000
_HISTORY_DAYS = 45
_MODES = ("pap", "acct-start", "acct-interim", "acct-stop")
_WINDOW = 256
_COUNT = 20_000


@dataclass(frozen=True, slots=True)
class Size:
    """One installation: what it holds."""

    name: str
    load: Load
    history_rows: int = 0


Runs = dict[tuple[str, str], list[Run]]  # of one curve, by size and kind of request, one a round
_ORDINARY = Size("100,000 accounts, 100 tenants", Load(100_000, 100))
_CURVES: tuple[tuple[str, float, tuple[Size, ...]], ...] = (  # title, most that a request may cost more, sizes
    (
        "accounts",
        1.2,
        (
            Size("1,000 accounts, 100 tenants", Load(1_000, 100)),
            _ORDINARY,
            Size("1,000,000 accounts, 100 tenants", Load(1_000_000, 100)),
        ),
    ),
    (
        "tenants",
        1.2,
        (
            Size("100,000 accounts, 1 tenant", Load(100_000, 1)),
            _ORDINARY,
            Size("100,000 accounts, 1,000 tenants", Load(100_000, 1_000)),
        ),
    ),
    (
        "history",
        1.1,
        (_ORDINARY, Size("the same with 10,000,000 closed sessions", _ORDINARY.load, history_rows=_HISTORY_ROWS)),
    ),
)


def measure(folder: Path, program: Path, rounds: int) -> int:
    """Print the curves; exit code 1 when one rises too steeply."""
    sizes = {size.name: size for _, _, curve in _CURVES for size in curve}
    with ExitStack() as stack:
        worlds, targets = {}, dict[str, Target]()
        for name, size in sizes.items():
            print(f"making {name}", file=sys.stderr, flush=True)
            world = stack.enter_context(installation(folder / _folder_name(size), size.load, only_packet_rows=True))
            _make_history(world, size.history_rows)
            cluster = world.cluster()
            stack.callback(cluster.stop)
            worlds[name], targets[name] = world, cluster.start(1)
        generators = {name: Generator(program, sizes[name].load, world.postmaster) for name, world in worlds.items()}
        curves: list[Runs] = [{} for _ in _CURVES]
        for number in range(rounds):
            for at, (title, _, curve) in enumerate(_CURVES):
                print(f"round {number + 1}: {title}", file=sys.stderr, flush=True)
                names = [size.name for size in curve][:: -1 if number % 2 else 1]
                for name in names:
                    _clear(worlds[name])
                    generators[name].run(targets[name], "pap", window=64, count=2_000, seed=7)
                for mode in _MODES:
                    for name in names:
                        seed = 100 * (at + 1) + number
                        run = generators[name].run(targets[name], mode, window=_WINDOW, count=_COUNT, seed=seed)
                        curves[at].setdefault((name, mode), []).append(run)
        memory = {name: resident_megabytes(target.pids[0]) for name, target in targets.items()}
    steep = [
        title
        for (title, most, curve), runs in zip(_CURVES, curves, strict=True)
        if not _print_curve(title, most, curve, runs, memory)
    ]
    return 1 if steep else 0


def _folder_name(size: Size) -> str:
    return f"growth-{size.load.accounts}-{size.load.tenants}-{size.history_rows}"


def _print_curve(title: str, most: float, curve: tuple[Size, ...], runs: Runs, memory: dict[str, float]) -> bool:
    """Whether the largest size costs no more than ``most`` times the smallest, over all kinds of request."""
    print(f"\nCPU of a request in µs, server + database ({title}):\n")
    print(f"| | {' | '.join(_MODES)} | times the first | each round | /s, PAP | MB of the process |")
    print("|---|" + "--:|" * (len(_MODES) + 4))
    factor = 1.0
    for size in curve:
        found = [median(runs[size.name, mode]) for mode in _MODES]
        ratios = [_ratios(runs[size.name, mode], runs[curve[0].name, mode]) for mode in _MODES]
        factor = statistics.geometric_mean(statistics.median(of_mode) for of_mode in ratios)
        rounds = " ".join(f"{statistics.geometric_mean(of_round):.2f}" for of_round in zip(*ratios, strict=True))
        cells = " | ".join(f"{run.server_us:.0f} + {run.database_us:.0f}" for run in found)
        print(f"| {size.name} | {cells} | {factor:.2f} | {rounds} | {found[0].rate:,.0f} | {memory[size.name]:.0f} |")
    print(f"\n{'met' if factor <= most else 'MISSED'}: {factor:.2f} times, at most {most} wanted")
    return factor <= most


def _ratios(runs: Sequence[Run], first: Sequence[Run]) -> list[float]:
    """What a request cost against the smallest size's in the same round."""
    return [run.cpu_us / before.cpu_us for run, before in zip(runs, first, strict=True)]


def _clear(world: World) -> None:
    """No sessions, no usage; the history stays."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("TRUNCATE aaa.session, aaa.usage, aaa.packet_count")
        for table in ("aaa.session", "aaa.usage", "aaa.subscriber"):
            connection.execute(f"VACUUM ANALYZE {table}")
        # As in an installation that runs since yesterday: who logs in has been looked up before, whatever the size.
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET enable_bitmapscan = off")
        connection.execute("SELECT count(password_sealed) FROM aaa.subscriber WHERE tenant_id > 0 AND username > ''")
        connection.execute("SELECT count(password_sealed) FROM aaa.subscriber WHERE tenant_id > 0 AND account_id > 0")
        connection.execute("CHECKPOINT")


def _make_history(world: World, rows: int) -> None:
    """Closed sessions of the last weeks, made once by the database itself."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        [(known, accounts)] = connection.execute(
            "SELECT (SELECT count(*) FROM aaa.session_history), (SELECT count(*) FROM aaa.subscriber)"
        ).fetchall()
        if known >= rows:
            return
        indexes = connection.execute(
            "SELECT format('%I.%I', schemaname, indexname), indexdef FROM pg_indexes"
            " WHERE schemaname = 'aaa' AND tablename = 'session_history'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(
            "INSERT INTO aaa.session_history (tenant_id, nas_id, session_id, username, account_id, framed_ip, mac,"
            " called, nas_port, started_at, updated_at, seconds, octets_in, octets_out, packets_in, packets_out,"
            " ended_at, cause)"
            " SELECT u.tenant_id, u.tenant_id, 'old-' || i, 'old' || u.username, u.account_id, '100.64.0.1'::inet + i,"
            "  '02:00:00:00:00:01', 'pppoe-service1', i, e.at - interval '6 hours', e.at, 21600, i * 1000::bigint,"
            "  i * 30000::bigint, 1, 1, e.at, 1"
            " FROM (SELECT tenant_id, username, account_id, row_number() OVER () AS n FROM aaa.subscriber) u,"
            f"  LATERAL (SELECT u.n + k * {accounts} AS i FROM generate_series(0, {rows // accounts - 1}) k) s,"
            f"  LATERAL (SELECT now() - i * interval '1 second' * {_HISTORY_DAYS * 86400 / rows} AS at) e"
        )
        for _, definition in indexes:
            connection.execute(definition.replace(" ON ONLY ", " ON "))  # the partitions, too
        connection.execute("VACUUM ANALYZE aaa.session_history")
        connection.execute("CHECKPOINT")
