"""Faults under load (RAD-10; issue 2, "Must show"): what was acknowledged is stored, and serving goes on within 5 s."""

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.settings import Settings
from radius_cluster.wire import codes
from tests.fixtures.busy_machine import limit
from tests.fixtures.own_installation import OwnInstallation, own_installation, spooled_octets
from tests.fixtures.radius import Client, Processes, World, WorldTenant, wait_for


class Traffic:
    """Routers that report without a pause, each repeating a report until it is acknowledged; keeps what was."""

    def __init__(self, settings: Settings, identifier: str, routers: int = 6) -> None:
        self.acknowledged: dict[tuple[str, str], int] = {}  # (session, user) → octets of the last acknowledged report
        self.answers = [0] * routers  # of each router
        self.last_answer = 0.0
        self.longest_silence = 0.0
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(Client(settings, identifier), number)) for number in range(routers)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, router: Client, number: int) -> None:
        try:
            self._report(router, number)
        finally:
            router.close()

    def _report(self, router: Client, number: int) -> None:
        turn = 0
        while not self._stop.is_set():
            turn += 1
            session, user = f"r{number}-{turn // 4}", f"u{number}"
            step = turn % 4  # Start, Interim, Interim, Stop
            kind = (codes.ACCT_START, codes.ACCT_INTERIM, codes.ACCT_INTERIM, codes.ACCT_STOP)[step]
            octets = step * 1000
            request = router.accounting(kind, session, user, seconds=step, octets_in=octets, octets_out=octets)
            while router.ask(request, timeout=0.4) is None:
                if self._stop.is_set():
                    return
            now = time.monotonic()
            if self.last_answer:
                self.longest_silence = max(self.longest_silence, now - self.last_answer)
            self.last_answer = now
            self.acknowledged[session, user] = octets
            self.answers[number] += 1

    def go_on(self, reports: int, *, within: float = 30.0) -> None:
        """Wait until each router had so many more reports acknowledged."""
        wanted = [count + reports for count in self.answers]
        wait_for(lambda: all(count >= least for count, least in zip(self.answers, wanted, strict=True)), within)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def check_stored(world: World, nas_id: int, traffic: Traffic) -> None:
    """Every acknowledged report is in the database, once."""
    rows = world.query(
        "SELECT session_id, username, octets_in FROM aaa.session WHERE nas_id = %s UNION ALL"
        " SELECT session_id, username, octets_in FROM aaa.session_history WHERE nas_id = %s",
        nas_id, nas_id,
    )  # fmt: skip
    stored = {(session, user): octets for session, user, octets in rows}
    assert len(stored) == len(rows), "a session stands twice"
    assert len(traffic.acknowledged) > 20
    for key, octets in traffic.acknowledged.items():
        assert stored.get(key, -1) >= octets, key
    [(used,)] = world.query(
        "SELECT COALESCE(sum(octets_in), 0)::bigint FROM aaa.usage u JOIN registry.nas n ON n.tenant_id = u.tenant_id"
        " WHERE n.id = %s", nas_id,
    )  # fmt: skip
    assert used == sum(stored.values()), "usage and sessions disagree"


def populate(world: World, routers: int = 6, tenant: WorldTenant | None = None) -> tuple[int, str]:
    tenant = tenant or world.tenant()
    for number in range(routers):
        world.subscriber(tenant, f"u{number}", max_sessions=0)
    return world.nas(tenant)


def test_killed_processes_lose_nothing(world: World, processes: Processes) -> None:
    nas_id, identifier = populate(world)
    running = [processes.start() for _ in range(2)]
    traffic = Traffic(processes.settings, identifier)
    try:
        for victim in range(3):
            traffic.go_on(30)
            running[victim % 2].kill()
            running[victim % 2] = processes.start()
        traffic.go_on(30)
    finally:
        traffic.stop()
    assert traffic.longest_silence < limit(5)
    check_stored(world, nas_id, traffic)


def test_a_drained_process_answers_all_it_took(world: World, processes: Processes) -> None:
    nas_id, identifier = populate(world)
    first, _ = processes.start(), processes.start()
    traffic = Traffic(processes.settings, identifier)
    try:
        traffic.go_on(30)
        first.send_signal(signal.SIGTERM)
        first.wait(10)
        traffic.go_on(30)
    finally:
        traffic.stop()
    assert first.returncode == 0
    assert not world.query("SELECT 1 FROM registry.nodes WHERE pid = %s AND kind = 'radius'", first.pid)
    check_stored(world, nas_id, traffic)


@pytest.fixture(scope="module")
def own() -> Iterator[OwnInstallation]:
    """An installation of these tests alone, durable, whose database may be killed."""
    with own_installation() as made:
        yield made


@pytest.mark.slow
def test_killed_database_loses_nothing(own: OwnInstallation, tmp_path: Path) -> None:
    world = World(own.settings.database_url, own.settings.secret_key)
    nas_id, identifier = populate(world)
    world.connection.close()
    processes = Processes(own.settings, tmp_path / "process.log")
    process = processes.start()
    traffic = Traffic(own.settings, identifier)
    try:
        for _ in range(2):
            traffic.go_on(30)
            own.kill_database()
            wait_for(own.spooled_octets)  # it is away while they report
            own.start_database()
            traffic.go_on(1, within=limit(5))
        wait_for(lambda: own.spooled_octets() == 0, 30)
    finally:
        traffic.stop()
        alive = process.poll() is None
        processes.stop()
    assert alive
    world = World(own.settings.database_url, own.settings.secret_key)
    check_stored(world, nas_id, traffic)
    world.connection.close()


@pytest.mark.slow
def test_database_away(own: OwnInstallation, tmp_path: Path) -> None:
    """Known subscribers keep logging in, accounting is acknowledged from the spool and stored once, also by an heir."""
    world = World(own.settings.database_url, own.settings.secret_key)
    tenant = world.tenant()
    nas_id, identifier = populate(world, tenant=tenant)
    world.profile(tenant, 2)
    world.subscriber(tenant, "other", profile_id=2, max_sessions=0)
    processes = Processes(own.settings, tmp_path / "process.log")
    process = processes.start()
    router = Client(own.settings, identifier)
    assert router.log_in("u1").code == codes.ACCESS_ACCEPT
    # His profile is written, and the process hears of it by a login that is not his.
    world.run("UPDATE aaa.profile SET version = version + 1 WHERE tenant_id = %s AND profile_id = 1", tenant.id)
    assert router.log_in("other").code == codes.ACCESS_ACCEPT
    world.connection.close()
    traffic = Traffic(own.settings, identifier)
    try:
        traffic.go_on(30)
        own.kill_database()
        wait_for(own.spooled_octets)
        accept = router.log_in("u1")
        assert accept.code == codes.ACCESS_ACCEPT
        assert accept.vendor(codes.VENDOR_MIKROTIK, 8) == b"10M/50M"  # the last known
        assert router.log_in("u1", "wrong").code == codes.ACCESS_REJECT
        assert router.ask(router.access("nobody"), timeout=0.5) is None  # nothing is known of him
        traffic.go_on(5)
        process.kill()  # with acknowledged accounting only in its spool
        process.wait()
        assert own.spooled_octets()
        own.start_database()
        process = processes.start()
        traffic.go_on(1, within=limit(5))
        wait_for(lambda: own.spooled_octets() == 0, 45)
    finally:
        traffic.stop()
        router.close()
        processes.stop()
    assert not list((own.settings.data_dir / "spool").glob("*.spool"))
    world = World(own.settings.database_url, own.settings.secret_key)
    check_stored(world, nas_id, traffic)
    world.connection.close()


def test_a_database_that_became_read_only(settings: Settings, fresh_database_url: str, tmp_path: Path) -> None:
    """A fail-over may leave a server that takes connections and refuses the work: accounting goes to the spool."""
    settings = replace(settings, database_url=fresh_database_url)
    world = World(settings.database_url, settings.secret_key)
    nas_id, identifier = populate(world)
    name = fresh_database_url.rpartition("/")[2]
    kick = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    processes = Processes(settings, tmp_path / "process.log")
    processes.start()
    traffic = Traffic(settings, identifier, routers=2)
    try:
        traffic.go_on(10)
        world.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        world.run(kick)
        wait_for(lambda: spooled_octets(settings.data_dir))
        traffic.go_on(10)
        router = Client(settings, identifier)
        assert router.log_in("u1").code == codes.ACCESS_ACCEPT  # reading goes on
        router.close()
        world.run(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        world.run(kick)
        wait_for(lambda: spooled_octets(settings.data_dir) == 0, 45)
    finally:
        traffic.stop()
        processes.stop()
    assert "accounting_goes_to_the_spool" in (tmp_path / "radius_cluster-0.log").read_text()
    check_stored(world, nas_id, traffic)
    world.connection.close()
