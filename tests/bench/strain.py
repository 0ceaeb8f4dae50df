"""What an ISP feels: latency when the cluster is well used, and everybody dialling in at once after a power cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.bench.disk_watch import DiskWatch
from tests.bench.measure import Generator, Run, median
from tests.bench.tools import Target

SHARE_OF_MAXIMUM = 0.8
P99_TARGET_MS = 50.0
BURSTS = ((2_000, 0.3), (20_000, 2.0))  # (logins at once, seconds to answer them all)
_SECONDS = 4.0
_MAXIMUM_WINDOW, _MAXIMUM_COUNT = 256, 30_000
_OPEN_WINDOW = 4_096  # an open loop never waits for answers; so many may be outstanding
# A disk that holds a commit up for 80 ms decides over p99 of one run of 4 s (packet-path.md).
_LATENCY_TRIES, _MOST_LATENCY_TRIES, _ENOUGH = 5, 9, 3
_DISK_KEPT_UP_MS = 20.0
_BURST_TRIES = 3
_START_WINDOW = 256
_seeds = count(700_000)  # sessions that no other run has


@dataclass(frozen=True, slots=True)
class Strain:
    """One line of the report."""

    what: str
    run: Run
    kept: bool  # the target is met


@dataclass(frozen=True, slots=True)
class Latency:
    """One run at 80 %, and how long the disk kept a small write waiting meanwhile."""

    run: Run
    disk_ms: float

    @property
    def undisturbed(self) -> bool:
        """Whether the disk kept up."""
        return self.disk_ms < _DISK_KEPT_UP_MS


def latencies(generator: Generator, target: Target, modes: Sequence[str], folder: Path) -> list[Strain]:
    """An open loop at 80 % of what the server did at most a moment before, by mode; the median of several runs judges.

    A moment before, because the machine is not the same from one second to the next. Where the disk holds commits up,
    no more is seen than that; so it is watched in ``folder``, and runs go on until it has kept up in three of each mode
    or there were enough. Their median judges then; without three, that of all does.
    """
    runs: dict[str, list[Latency]] = {mode: [] for mode in modes}
    for number in range(_MOST_LATENCY_TRIES):
        if number >= _LATENCY_TRIES and all(sum(one.undisturbed for one in of) >= _ENOUGH for of in runs.values()):
            break
        _measure_once(generator, target, folder, runs)
    return [_strain(mode, of) for mode, of in runs.items()]


def _measure_once(generator: Generator, target: Target, folder: Path, runs: dict[str, list[Latency]]) -> None:
    # Start, Interim and Stop speak of the same sessions: one left open would make a later login of its account another
    # kind of login. Those of the maximum are not those of the run.
    maximum_seed, session_seed, sessions = next(_seeds), next(_seeds), 0
    for mode, of in runs.items():
        follows = mode.startswith("acct-")
        maximum = generator.run(
            target, mode, window=_MAXIMUM_WINDOW, count=_MAXIMUM_COUNT, seed=maximum_seed if follows else next(_seeds)
        )
        rate = SHARE_OF_MAXIMUM * maximum.rate
        if not follows or not sessions:
            requests = int(_SECONDS * rate)
            sessions = requests if follows else 0
        with DiskWatch(folder) as disk:
            run = generator.run(
                target,
                mode,
                window=_OPEN_WINDOW,
                count=sessions if follows else requests,
                seed=session_seed if follows else next(_seeds),
                options=["--rate", f"{rate:.0f}"],
            )
        of.append(Latency(run, disk.longest_ms))


def _strain(mode: str, found: Sequence[Latency]) -> Strain:
    quiet = [one.run for one in found if one.undisturbed]
    middle = median(quiet if len(quiet) >= _ENOUGH else [one.run for one in found])
    in_order = sorted(found, key=lambda one: one.run.p99_ms)
    p99s = ", ".join(f"{one.run.p99_ms:.0f}{'' if one.undisturbed else f' ({one.disk_ms:.0f})'}" for one in in_order)
    what = f"{mode} at {middle.rate:.0f}/s: p99 {p99s} (of all {median([one.run for one in found]).p99_ms:.0f})"
    lost = sum(one.run.lost for one in found)
    return Strain(what, middle, middle.p99_ms < P99_TARGET_MS and not lost)


def bursts(generator: Generator, target: Target) -> list[Strain]:
    """So many logins at the same moment, each from the first datagram to the last answer; the slowest of three.

    Then those of devices whose sessions are still open, as after a power failure at their router.
    """
    lines = []
    for opened in (False, True):
        for size, seconds in BURSTS:
            runs = [_burst(generator, target, size, opened=opened) for _ in range(_BURST_TRIES)]
            slowest = max(runs, key=lambda run: (run.lost, run.resent, run.seconds))
            what = f"{size} devices dial again at once" if opened else f"{size} logins at once"
            lines.append(Strain(what, slowest, slowest.seconds < seconds and not slowest.lost))
    return lines


def _burst(generator: Generator, target: Target, size: int, *, opened: bool) -> Run:
    seed = next(_seeds)
    if opened:
        generator.run(target, "acct-start", window=_START_WINDOW, count=size, seed=seed)
    return generator.run(target, "pap", window=size, count=size, seed=seed)
