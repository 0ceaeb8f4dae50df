"""``python -m tests.bench.outage``: what routers see, and what is stored, when database or processes go away (RAD-10).

Real node processes, a durable PostgreSQL, and routers that send so many requests a second whatever happens (logins and
accounting mixed), each up to four times. Afterwards a checker compares what was acknowledged with what is stored.
Ends with exit code 1 when anything was lost, doubled or refused, or when serving stopped for more than 5 s.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from infra.settings import Settings
from tests.fixtures.own_installation import OwnInstallation, own_installation
from tests.fixtures.radius import Client, Processes, World, wait_for
from tests.fixtures.standby import Standby
from tests.fixtures.steady_load import Comparison, Isp, SteadyLoad, check, make_isps
from tests.fixtures.tcp_relay import TcpRelay

SERVING_AGAIN_WITHIN_SECONDS = 5.0
_TENANTS, _USERS = 10, 4_000


@dataclass
class Scene:
    """What a fault acts on."""

    own: OwnInstallation
    processes: Processes
    load: SteadyLoad
    relay: TcpRelay
    seconds: float
    stored_at: str
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def settled(self) -> None:
        """Wait until the spools are replayed."""
        wait_for(lambda: self.own.spooled_octets() == 0, 120)


def stop(scene: Scene) -> None:
    """The database is shut down, for ``seconds``."""
    scene.load.mark("database stopped")
    scene.own.stop_database()
    time.sleep(scene.seconds)
    scene.own.start_database()
    scene.load.mark("back, catching up")
    scene.settled()


def hang(scene: Scene) -> None:
    """Every process of the database is frozen: connections stay open, nothing answers."""
    scene.load.mark("database hangs")
    frozen = scene.own.freeze_database()
    time.sleep(scene.seconds)
    scene.own.thaw_database(frozen)
    scene.load.mark("back, catching up")
    scene.settled()


def cable(scene: Scene) -> None:
    """Nothing passes between nodes and database, nothing is reset; then all connections are."""
    scene.load.mark("cable pulled")
    scene.relay.black_hole()
    time.sleep(scene.seconds)
    scene.relay.black_hole(False)
    scene.relay.cut()
    scene.load.mark("back, catching up")
    scene.settled()


def read_only(scene: Scene) -> None:
    """The database takes connections and refuses to write, as after half a fail-over."""
    scene.load.mark("database read-only")
    _alter(scene, "SET default_transaction_read_only = on")
    time.sleep(scene.seconds)
    _alter(scene, "RESET default_transaction_read_only")
    scene.load.mark("back, catching up")
    scene.settled()


def fail_over(scene: Scene) -> None:
    """The primary is killed, its synchronous standby promoted after ``seconds``, the address moves to it."""
    standby = Standby(scene.own)
    standby.start()
    scene.afterwards += [standby.stop, scene.own.start_database]
    scene.load.mark("with a standby")
    time.sleep(3)
    scene.load.mark("primary killed")
    scene.own.kill_database()
    time.sleep(scene.seconds)
    standby.promote()
    scene.relay.cut(target=standby.port)
    scene.load.mark("standby promoted")
    scene.stored_at = standby.url
    scene.settled()


def kill_nodes(scene: Scene) -> None:
    """``kill -9`` of one RADIUS process after the other, started again at once, for ``seconds``."""
    scene.load.mark("processes killed")
    ends, turn = time.monotonic() + scene.seconds, 0
    while time.monotonic() < ends:
        victim = scene.processes.running[-2]
        victim.kill()
        victim.wait()
        scene.processes.start()
        turn += 1
        time.sleep(0.5)
    scene.load.mark(f"{turn} were killed")


def drain(scene: Scene) -> None:
    """A rolling restart: a new process starts, an old one gets SIGTERM, one after the other, for ``seconds``."""
    scene.load.mark("rolling restart")
    ends, turn = time.monotonic() + scene.seconds, 0
    while time.monotonic() < ends:
        old = scene.processes.running[-2]
        scene.processes.start()
        old.send_signal(signal.SIGTERM)
        if old.wait(15):
            raise AssertionError(f"ended with {old.returncode}")
        turn += 1
    scene.load.mark(f"{turn} restarts")


FAULTS: dict[str, Callable[[Scene], None]] = {
    "stop": stop,
    "hang": hang,
    "cable": cable,
    "read-only": read_only,
    "kill-nodes": kill_nodes,
    "drain": drain,
    "fail-over": fail_over,
}


def _alter(scene: Scene, change: str) -> None:
    name = urlsplit(scene.own.settings.database_url).path[1:]
    with psycopg.connect(scene.own.settings.database_url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f'ALTER DATABASE "{name}" {change}')
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )


def run_fault(own: OwnInstallation, name: str, *, rate: float, seconds: float, users: int = _USERS) -> list[str]:
    """One fault on fresh tenants; prints its table, gives what was wrong."""
    world = World(own.settings.database_url, own.settings.secret_key)
    isps = make_isps(world, _TENANTS, users)
    world.connection.close()
    relay = TcpRelay(urlsplit(own.settings.database_url).port or 5432)
    settings = _through(own.settings, relay.port) if name in ("cable", "fail-over") else own.settings
    with tempfile.TemporaryDirectory(prefix="broadloom-fault-log-") as logs:
        processes = Processes(settings, Path(logs) / "process.log")
        processes.start()
        processes.start()
        load = SteadyLoad(settings, isps, rate=rate, tries=4)
        scene = Scene(own, processes, load, relay, seconds, own.settings.database_url)
        try:
            _warm_up(settings, isps)
            load.start()
            time.sleep(3)
            FAULTS[name](scene)
            time.sleep(2)
            load.stop()
            scene.settled()
            world = World(scene.stored_at, own.settings.secret_key)
            compared = check(world, load)
            world.connection.close()
            return _report(compared, load, name)
        finally:
            load.stop()
            processes.stop()
            relay.close()
            for work in scene.afterwards:
                work()


def _report(compared: Comparison, load: SteadyLoad, name: str) -> list[str]:
    print(f"\n{name}: {FAULTS[name].__doc__}")
    for phase in load.phases:
        print("  " + phase.line())
    tries = sum((phase.tries for phase in load.phases), Counter())
    print(f"  answered after so many sendings: {dict(sorted(tries.items()))}")
    print(
        f"  {compared.sessions} sessions, {compared.reports} reports acknowledged: lost {len(compared.lost)},"
        f" doubled {len(compared.doubled)}",
        flush=True,
    )
    wrong = [*compared.lost[:5], *compared.doubled[:5]]
    if load.total("rejected"):
        wrong.append(f"{load.total('rejected')} known subscribers were refused")
    if load.unanswered()["login"]:
        wrong.append(f"{load.unanswered()['login']} logins got no answer")
    worst = max(phase.longest_silence for phase in load.phases)
    if worst > SERVING_AGAIN_WITHIN_SECONDS:
        wrong.append(f"nobody was served for {worst:.1f} s")
    if name == "drain" and max(tries) > 2:
        wrong.append("a request needed more than one repeat")
    return wrong


def _through(settings: Settings, port: int) -> Settings:
    url = urlsplit(settings.database_url)
    netloc = f"{url.username}:{url.password}@127.0.0.1:{port}"
    return replace(settings, database_url=url._replace(netloc=netloc).geturl())


def _warm_up(settings: Settings, isps: list[Isp]) -> None:
    """Every subscriber logs in once: one of the processes knows them from then on."""
    for isp in isps:
        router = Client(settings, isp.identifier)
        for username in isp.usernames:
            if router.log_in(username) is None:
                raise RuntimeError("a login before the fault got no answer")
        router.close()


def main() -> int:
    """Exit code 1 when something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1000, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60, help="how long the first fault lasts; the others a third")
    parser.add_argument("--faults", default=",".join(FAULTS), help="which, separated by commas")
    parser.add_argument("--users", type=int, default=_USERS)
    options = parser.parse_args()
    wrong: list[str] = []
    with own_installation() as own:
        for number, name in enumerate(options.faults.split(",")):
            seconds = options.seconds if number == 0 else options.seconds / 3
            wrong += [
                f"{name}: {text}"
                for text in run_fault(own, name, rate=options.rate, seconds=seconds, users=options.users)
            ]
    print("\n" + ("\n".join(wrong) if wrong else "Everything held."))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
