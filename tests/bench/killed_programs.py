"""``python -m tests.bench.killed_programs``: ``kill -9`` of every kind of process under ``broadloom up``, under load.

Each is killed several times in turn, while routers log in and report through two RADIUS processes. Printed is how long
it took until the supervisor had a new one, until it worked (said so in the registry, or answered), and what the routers
saw; afterwards the checker compares. Ends with exit code 1 when something was lost, doubled, or away for over 5 s.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg

from infra.settings import Settings
from tests.fixtures.installation import PROGRAMS, Installation
from tests.fixtures.radius import Client, World, wait_for
from tests.fixtures.steady_load import SteadyLoad, check, make_isps

_WITHIN_SECONDS = 5.0


def main() -> int:
    """Exit code 1 when something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=500, help="requests a second")
    parser.add_argument("--times", type=int, default=2, help="how often each kind is killed")
    parser.add_argument("--users", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="broadloom-killed-") as folder:
        Path(folder).chmod(0o755)
        installation = Installation(Path(folder), DEMO="0", RADIUS_PROCESSES="2")
        installation.start()
        try:
            return _measure(installation, options)
        finally:
            installation.stop()


def _measure(installation: Installation, options: argparse.Namespace) -> int:
    settings = Settings.from_env(installation.environment)
    settings = replace(settings, secret_key=settings.require_secret_key())
    world = World(installation.database_url(), settings.secret_key)
    isps = make_isps(world, 5, options.users)
    world.connection.close()
    for isp in isps:
        router = Client(settings, isp.identifier)
        for username in isp.usernames:
            wait_for(lambda router=router, username=username: router.log_in(username))
        router.close()
    load = SteadyLoad(settings, isps, rate=options.rate).start()
    wrong: list[str] = []
    try:
        time.sleep(2)
        for _ in range(options.times):
            for word in PROGRAMS:
                wrong += _kill(installation, load, word)
                time.sleep(3)
    finally:
        load.stop()
    spool = installation.folder / "data" / "spool"
    wait_for(lambda: not any(path.stat().st_size for path in spool.glob("*.spool")), 60)
    world = World(installation.database_url(), settings.secret_key)
    compared = check(world, load)
    world.connection.close()
    print(
        f"{compared.sessions} sessions, {compared.reports} reports acknowledged: lost {len(compared.lost)}, doubled"
        f" {len(compared.doubled)}; logins accepted {load.total('accepted')}, refused {load.total('rejected')};"
        f" given up {dict(load.unanswered())}"
    )
    wrong += [*compared.lost[:5], *compared.doubled[:5]]
    if load.total("rejected"):
        wrong.append(f"{load.total('rejected')} known subscribers were refused")
    print("\n".join(wrong) or "Everything held.")
    return 1 if wrong else 0


def _kill(installation: Installation, load: SteadyLoad, word: str) -> list[str]:
    before = installation.programs()[word]
    phase = load.mark(word)
    began = time.monotonic()
    os.kill(before[0], signal.SIGKILL)

    def heirs() -> list[int]:
        return [pid for pid in installation.programs().get(word, []) if pid not in before]

    replaced = _seconds(began, lambda: bool(heirs()))
    works = _seconds(began, lambda: _works(installation, word, heirs()))
    served = max(phase.longest_silence, 0.0)
    print(
        f"{word:<22} new process after {replaced:4.1f} s, at work after {works:4.1f} s; routers: longest silence"
        f" {served:4.2f} s, repeats {phase.repeats}, given up {sum(phase.unanswered.values())}",
        flush=True,
    )
    late = max(replaced, works, served) > _WITHIN_SECONDS
    return [f"{word}: away for {max(replaced, works, served):.1f} s"] if late else []


def _seconds(began: float, condition: Callable[[], bool]) -> float:
    while not condition() and time.monotonic() - began < 30:
        time.sleep(0.05)
    return time.monotonic() - began


def _works(installation: Installation, word: str, heirs: list[int]) -> bool:
    """The website answers, or the new process has said in the registry that it works (it does so every few seconds)."""
    if not word.startswith(("radius_cluster", "workers")):
        return installation.web_answers()
    with psycopg.connect(installation.database_url(), autocommit=True) as registry:
        beats = "SELECT 1 FROM registry.nodes WHERE pid = ANY(%s) AND state <> 'draining'"
        return registry.execute(beats, [heirs]).fetchone() is not None


if __name__ == "__main__":
    sys.exit(main())
