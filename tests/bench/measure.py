"""One run of the load generator against one server: rate, latency, losses, and the CPU that a request costs."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.tools import Load, Target, cpu_seconds, descendants, run_radload


@dataclass(frozen=True, slots=True)
class Run:
    """What one run saw. CPU is user and system time, in microseconds a request."""

    requests: int
    seconds: float
    rate: float  # answers a second
    p50_ms: float
    p99_ms: float
    resent: int
    lost: int  # without an answer after all tries, with a wrong one, or refused where an Accept was due
    server_us: float
    database_us: float
    generator_us: float

    @property
    def cpu_us(self) -> float:
        """CPU of the server and its database."""
        return self.server_us + self.database_us


@dataclass(frozen=True, slots=True)
class Generator:
    """The load generator, and the database whose CPU is counted."""

    program: Path
    load: Load
    postmaster: int

    def run(self, target: Target, mode: str, *, window: int, count: int, seed: int, options: Sequence[str] = ()) -> Run:
        """``count`` requests, ``window`` at once. The same ``seed`` speaks of the same sessions."""
        database, server = cpu_seconds(descendants(self.postmaster)), cpu_seconds(target.pids)
        arguments = ["--window", str(window), "--count", str(count), "--seed", str(seed), *options]
        result = run_radload(self.program, target, self.load, mode, arguments)
        answered = max(1, result["answered"])
        refused = result["reject"] if mode in ("pap", "chap", "mixed") else 0
        latency = result.get("latency", {})
        return Run(
            requests=result["issued"],
            seconds=result["elapsed_s"],
            rate=result["rps"],
            p50_ms=latency.get("p50_us", 0) / 1000,
            p99_ms=latency.get("p99_us", 0) / 1000,
            resent=result["retrans"],
            lost=result["timeout"] + result["invalid"] + refused,
            server_us=(cpu_seconds(target.pids) - server) / answered * 1e6,
            database_us=(cpu_seconds(descendants(self.postmaster)) - database) / answered * 1e6,
            generator_us=(result["cpu_user_s"] + result["cpu_sys_s"]) / answered * 1e6,
        )


def median(runs: Sequence[Run]) -> Run:
    """Each figure's median; losses and repeats add up."""

    def of(name: str) -> float:
        return statistics.median(getattr(run, name) for run in runs)

    return Run(
        requests=sum(run.requests for run in runs),
        seconds=of("seconds"),
        rate=of("rate"),
        p50_ms=of("p50_ms"),
        p99_ms=of("p99_ms"),
        resent=sum(run.resent for run in runs),
        lost=sum(run.lost for run in runs),
        server_us=of("server_us"),
        database_us=of("database_us"),
        generator_us=of("generator_us"),
    )
