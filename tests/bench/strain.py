"""What an ISP feels: latency when the cluster is well used, and everybody dialling in at once after a power cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from tests.bench.measure import Generator, Run, median
from tests.bench.tools import Target

SHARE_OF_MAXIMUM = 0.8
P99_TARGET_MS = 50.0
BURSTS = ((2_000, 0.3), (20_000, 2.0))  # (logins at once, seconds to answer them all)
_SECONDS = 4.0
_MAXIMUM_WINDOW, _MAXIMUM_COUNT = 256, 30_000
_OPEN_WINDOW = 4_096  # an open loop never waits for answers; so many may be outstanding
_LATENCY_TRIES = 5  # a disk that holds a commit up for 80 ms decides over p99 of one run of 4 s (packet-path.md)
_BURST_TRIES = 3
_START_WINDOW = 256
_seeds = count(700_000)  # sessions that no other run has


@dataclass(frozen=True, slots=True)
class Strain:
    """One line of the report."""

    what: str
    run: Run
    kept: bool  # the target is met


def latencies(generator: Generator, target: Target, modes: Sequence[str]) -> list[Strain]:
    """An open loop at 80 % of what the server did at most a moment before, by mode; the median of several runs judges.

    A moment before, because the machine is not the same from one second to the next.
    """
    runs: dict[str, list[Run]] = {mode: [] for mode in modes}
    for _ in range(_LATENCY_TRIES):
        # Start, Interim and Stop speak of the same sessions: one left open would make a later login of its account
        # another kind of login. Those of the maximum are not those of the run.
        maximum_seed, session_seed, sessions = next(_seeds), next(_seeds), 0
        for mode in modes:
            follows = mode.startswith("acct-")
            maximum = generator.run(
                target,
                mode,
                window=_MAXIMUM_WINDOW,
                count=_MAXIMUM_COUNT,
                seed=maximum_seed if follows else next(_seeds),
            )
            rate = SHARE_OF_MAXIMUM * maximum.rate
            if not follows or not sessions:
                requests = int(_SECONDS * rate)
                sessions = requests if follows else 0
            run = generator.run(
                target,
                mode,
                window=_OPEN_WINDOW,
                count=sessions if follows else requests,
                seed=session_seed if follows else next(_seeds),
                options=["--rate", f"{rate:.0f}"],
            )
            runs[mode].append(run)
    lines = []
    for mode in modes:
        middle, p99s = median(runs[mode]), sorted(run.p99_ms for run in runs[mode])
        what = f"{mode} at {middle.rate:.0f}/s (p99 {', '.join(f'{p99:.0f}' for p99 in p99s)})"
        lines.append(Strain(what, middle, middle.p99_ms < P99_TARGET_MS and not middle.lost))
    return lines


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
