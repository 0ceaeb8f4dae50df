"""The bench's tables, and which targets were missed."""

import statistics
from collections.abc import Sequence

from tests.bench.measure import Run, median
from tests.bench.strain import Strain

MODES = ("pap", "chap", "acct-start", "acct-interim", "acct-stop", "mixed")
LOGINS = ("pap", "chap")
OURS, SQL, FILES = "broadloom", "freeradius-sql", "freeradius-files"
LIMITS = {"python-echo": "echo", "python-md5": "pap"}  # server → mode of the generator
MOST_MEGABYTES = 150.0
_SQL_TARGETS = {
    **{mode: {64: 10.0, 256: 10.0} for mode in LOGINS},
    **{mode: {64: 4.0, 256: 5.0} for mode in ("acct-start", "acct-interim", "acct-stop")},
}
_FILES_TARGET = 1.0
Results = dict[tuple[str, str, int], list[Run]]  # (server, mode, window)


class Report:
    """Prints tables; ``missed`` gathers what did not reach its target."""

    def __init__(self, results: Results, windows: Sequence[int]) -> None:
        self._results = results
        self._windows = windows
        self.missed: list[str] = []

    def rates(self) -> None:
        """Requests per second beside FreeRADIUS."""
        print(
            "\n| load | window | Broadloom /s | p99 ms | FreeRADIUS-SQL /s | p99 ms | × SQL | target |"
            " FreeRADIUS-files /s | × files | CPU µs a request: ours | FreeRADIUS-SQL | CPU ratio |\n"
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
        )
        for window in self._windows:
            for mode in MODES:
                self._rate(mode, window)

    def _rate(self, mode: str, window: int) -> None:
        ours, theirs = self._of(OURS, mode, window), self._of(SQL, mode, window)
        files = self._find(FILES, mode, window)
        ratio, target = self._times(SQL, mode, window), _SQL_TARGETS.get(mode, {}).get(window)
        times_files = None if files is None else self._times(FILES, mode, window)
        name = f"{mode} at window {window}"
        if target is not None and ratio < target:
            self.missed.append(f"{name}: {ratio:.1f} × FreeRADIUS-SQL, wanted {target:.0f} ×")
        if times_files is not None and mode in LOGINS and times_files < _FILES_TARGET:
            self.missed.append(f"{name}: {times_files:.2f} × FreeRADIUS-files, wanted {_FILES_TARGET:.0f} ×")
        if ours.lost:
            self.missed.append(f"{name}: {ours.lost} requests lost")
        print(
            f"| {mode} | {window} | {ours.rate:,.0f} | {ours.p99_ms:.1f} | {theirs.rate:,.0f} | {theirs.p99_ms:.1f} |"
            f" {ratio:.1f} | {'' if target is None else f'{target:.0f}'} | {_rate_of(files)} |"
            f" {'' if times_files is None else f'{times_files:.2f}'} | {ours.server_us:.0f} +"
            f" {ours.database_us:.0f} | {theirs.server_us:.0f} + {theirs.database_us:.0f} |"
            f" {theirs.cpu_us / max(1.0, ours.cpu_us):.1f} |"
        )

    def limits(self) -> None:
        """What Python could do at most."""
        print("\n| window | UDP echo in Python /s | MD5 sums only /s | Broadloom PAP /s | of the MD5 limit |")
        print("|--:|--:|--:|--:|--:|")
        for window in self._windows:
            echo, md5 = (self._of(name, mode, window) for name, mode in LIMITS.items())
            ours = self._of(OURS, "pap", window)
            print(f"| {window} | {echo.rate:,.0f} | {md5.rate:,.0f} | {ours.rate:,.0f} | {ours.rate / md5.rate:.0%} |")

    def strains(self, lines: Sequence[Strain]) -> None:
        """Latency at 80 % and bursts."""
        print("\np99 of each run; in parentheses how long the disk kept a small write waiting, where that was long.")
        print("\n| load | answered in s | p50 ms | p99 ms | sent again | lost | target met |")
        print("|---|--:|--:|--:|--:|--:|---|")
        for line in lines:
            run = line.run
            print(
                f"| {line.what} | {run.seconds:.2f} | {run.p50_ms:.1f} | {run.p99_ms:.1f} | {run.resent} | {run.lost} |"
                f" {'yes' if line.kept else 'NO'} |"
            )
            if not line.kept:
                self.missed.append(f"{line.what}: {run.seconds:.2f} s, p99 {run.p99_ms:.1f} ms, {run.lost} lost")

    def memory(self, idle: Sequence[float], loaded: Sequence[float]) -> None:
        """Resident megabytes of each RADIUS process."""
        print(f"\nMemory of a RADIUS process: idle {_sizes(idle)}; after the load {_sizes(loaded)}")
        if max(loaded) > MOST_MEGABYTES:
            self.missed.append(f"memory of a RADIUS process: {max(loaded):.0f} MB, wanted {MOST_MEGABYTES:.0f} MB")

    def verdict(self) -> int:
        """Says what was missed; the exit code."""
        print("\nTargets missed:" if self.missed else "\nAll targets met.")
        for line in self.missed:
            print(f"- {line}")
        return 1 if self.missed else 0

    def _of(self, server: str, mode: str, window: int) -> Run:
        return median(self._results[server, mode, window])

    def _times(self, server: str, mode: str, window: int) -> float:
        """How many times as many as that server: the median of the ratios of runs that followed each other."""
        pairs = zip(self._results[OURS, mode, window], self._results[server, mode, window], strict=True)
        return statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)

    def _find(self, server: str, mode: str, window: int) -> Run | None:
        runs = self._results.get((server, mode, window))
        return median(runs) if runs else None


def _rate_of(run: Run | None) -> str:
    return "" if run is None else f"{run.rate:,.0f}"


def _sizes(megabytes: Sequence[float]) -> str:
    return ", ".join(f"{size:.0f} MB" for size in megabytes)
