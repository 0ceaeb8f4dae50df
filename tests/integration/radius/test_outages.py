"""RAD-10 case by case, under load: a hanging database, a full disk, a clock that jumps, no Redis, too much work.

Each test ends with the checker: what the routers saw acknowledged is stored, once.
"""

import resource
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.settings import Settings
from radius_cluster.wire import codes
from tests.fixtures.busy_machine import limit
from tests.fixtures.own_installation import spooled_octets
from tests.fixtures.radius import Client, Processes, World, wait_for
from tests.fixtures.steady_load import Isp, SteadyLoad, check, make_isps
from tests.fixtures.tcp_relay import TcpRelay


@pytest.fixture
def isps(world: World) -> list[Isp]:
    return make_isps(world, 2, 60)


def know_everybody(settings: Settings, isps: list[Isp]) -> None:
    """Every subscriber has logged in: the process knows them from now on."""
    for isp in isps:
        router = Client(settings, isp.identifier)
        for username in isp.usernames:
            answer = router.log_in(username)
            assert answer is not None
            assert answer.code == codes.ACCESS_ACCEPT
        router.close()


def counted(world: World, isps: list[Isp], outcome: str) -> int:
    [(packets,)] = world.query(
        "SELECT COALESCE(sum(packets), 0)::int FROM aaa.packet_count WHERE tenant_id = ANY(%s) AND outcome = %s",
        [isp.tenant_id for isp in isps], outcome,
    )  # fmt: skip
    return int(packets)


def test_a_hanging_database_with_hardly_any_traffic(
    behind_relay: Settings, relay: TcpRelay, isps: list[Isp], processes: Processes
) -> None:
    """Idle connections do not show that the database hangs: one slow login must be enough for all of them."""
    processes.settings = behind_relay
    processes.start()
    know_everybody(behind_relay, isps)
    router = Client(behind_relay, isps[0].identifier)
    relay.black_hole()
    first = router.ask(router.access(isps[0].usernames[0]))
    assert first is not None  # answered from memory, once the hang was noticed
    for username in isps[0].usernames[1:6]:
        began = time.monotonic()
        answer = router.log_in(username)
        assert answer is not None
        assert answer.code == codes.ACCESS_ACCEPT
        assert time.monotonic() - began < limit(1.4), username  # nobody else waits for the hang to be noticed
    router.close()
    relay.black_hole(False)
    relay.cut()
    wait_for(lambda: "logins_from_the_database" in processes.logs())


def test_whichever_process_has_seen_an_account_lets_it_in(
    behind_relay: Settings, relay: TcpRelay, isps: list[Isp], processes: Processes
) -> None:
    """The kernel spreads routers' ports over the processes: another one may have seen the subscriber."""
    processes.settings = behind_relay
    processes.start()
    processes.start()
    know_everybody(behind_relay, isps)
    relay.refuse()
    wait_for(lambda: processes.logs().count("logins_from_memory") == 2)
    for username in isps[0].usernames[:12]:
        router = Client(behind_relay, isps[0].identifier)  # from another port each
        answer = router.log_in(username)
        router.close()
        assert answer is not None, username
        assert answer.code == codes.ACCESS_ACCEPT
    router = Client(behind_relay, isps[0].identifier)
    assert router.ask(router.access("nobody has seen me"), timeout=0.5) is None
    router.close()


def test_who_logged_in_for_the_first_time_just_before_is_let_in_again(
    behind_relay: Settings, relay: TcpRelay, world: World, processes: Processes
) -> None:
    """What is kept is from before the first login; one that nobody could write down still has to wait."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    far = datetime(2100, 1, 1, tzinfo=UTC)
    for name in ("alice", "bob"):
        world.subscriber(tenant, name, activated=False, valid_until=far, max_sessions=0)
    processes.settings = behind_relay
    processes.start()
    router = Client(behind_relay, identifier)

    def code_of(username: str, password: str = "secret") -> int:
        answer = router.log_in(username, password)
        assert answer is not None
        return answer.code

    assert code_of("alice") == codes.ACCESS_ACCEPT
    assert code_of("bob", "wrong") == codes.ACCESS_REJECT
    relay.refuse()
    wait_for(lambda: "logins_from_memory" in processes.logs())
    assert code_of("alice") == codes.ACCESS_ACCEPT
    assert code_of("alice", "wrong") == codes.ACCESS_REJECT
    assert router.ask(router.access("bob"), timeout=0.5) is None
    router.close()


def test_a_full_disk_and_room_again(
    behind_relay: Settings, relay: TcpRelay, isps: list[Isp], processes: Processes, world: World
) -> None:
    processes.settings = behind_relay
    process = processes.start()
    know_everybody(behind_relay, isps)
    load = SteadyLoad(behind_relay, isps, rate=500, login_share=0.2, repeat_seconds=0.5, tries=4).start()
    try:
        relay.refuse()
        wait_for(lambda: spooled_octets(behind_relay.data_dir) > 40_000)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (spooled_octets(behind_relay.data_dir) + 3_000, hard))
        wait_for(lambda: "spool_not_written" in processes.logs())
        full = load.mark("disk full")
        wait_for(lambda: full.unanswered["report"] > 20 and full.accepted > 20)  # logins need no disk
        assert process.poll() is None
        assert full.rejected == full.unanswered["login"] == 0
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        again = load.mark("room again")
        wait_for(lambda: again.acknowledged > 100)
        relay.cut(target=world.connection.info.port)
    finally:
        load.stop()
    wait_for(lambda: spooled_octets(behind_relay.data_dir) == 0, 30)
    check(world, load).must_hold()
    assert wait_for(lambda: counted(world, isps, "dropped:spool_full"))


def test_the_registry_says_in_what_state_a_process_is(
    settings: Settings, relay: TcpRelay, fresh_database_url: str, tmp_path: Path
) -> None:
    """Of two cells one is away, so that the process can still say so: what the platform's page shows."""
    east = urlsplit(fresh_database_url)
    east = east._replace(netloc=f"{east.username}:{east.password}@127.0.0.1:{relay.port}")
    settings = replace(settings, database_url=fresh_database_url, cell_database_urls=f"east={east.geturl()}")
    world, processes = World(fresh_database_url, settings.secret_key), Processes(settings, tmp_path / "process.log")
    world.run("INSERT INTO registry.cells (name) VALUES ('east')")
    isps = make_isps(world, 1, 40, cell="east")
    process = processes.start()
    load = SteadyLoad(settings, isps, rate=100, login_share=0.0).start()

    def state() -> str:
        return str(world.query("SELECT max(state) FROM registry.nodes WHERE pid = %s", process.pid)[0][0])

    try:
        wait_for(lambda: state() == "running")
        relay.refuse()
        wait_for(lambda: state() == "degraded")
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (spooled_octets(settings.data_dir) + 1_000, hard))
        wait_for(lambda: state() == "spool_full")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        wait_for(lambda: state() == "degraded")
        relay.cut(target=world.connection.info.port)
        wait_for(lambda: state() == "running")
    finally:
        load.stop()
        processes.stop()
    check(world, load).must_hold()
    world.connection.close()


def test_a_clock_that_jumps(
    settings: Settings, isps: list[Isp], processes: Processes, world: World, tmp_path: Path, monkeypatch
) -> None:
    shift = tmp_path / "shift"
    shift.write_text("0")
    monkeypatch.setenv("SHIFT_FILE", str(shift))
    processes.start("tests.fixtures.radius_with_shifted_clock")
    load = SteadyLoad(settings, isps, rate=300, repeat_seconds=0.5).start()
    try:
        for seconds in (0, 3600, -3600, 0):
            new = shift.with_suffix(".new")
            new.write_text(str(seconds))
            new.replace(shift)
            phase = load.mark(f"clock off by {seconds} s")
            wait_for(lambda phase=phase: phase.acknowledged > 150 and phase.accepted > 60)
            assert phase.first_answer < limit(3)
    finally:
        load.stop()
    assert load.total("rejected") == 0
    assert not load.unanswered()
    check(world, load).must_hold()


def test_redis_is_not_needed(settings: Settings, isps: list[Isp], processes: Processes, world: World) -> None:
    processes.settings = replace(settings, redis_url="redis://127.0.0.1:1/0")
    processes.start()
    load = SteadyLoad(settings, isps, rate=300).start()
    wait_for(lambda: load.total("acknowledged") > 100 and load.total("accepted") > 50)
    load.stop()
    assert not load.unanswered()
    assert load.total("rejected") == 0
    check(world, load).must_hold()


def test_a_rolling_restart_costs_nobody_more_than_one_repeat(
    settings: Settings, isps: list[Isp], processes: Processes, world: World
) -> None:
    processes.start()
    processes.start()
    load = SteadyLoad(settings, isps, rate=300, repeat_seconds=4.0).start()
    try:
        wait_for(lambda: load.total("acknowledged") > 50)
        for old in list(processes.running):
            processes.start()
            old.send_signal(signal.SIGTERM)
            assert old.wait(10) == 0
    finally:
        load.stop()
    assert not load.unanswered()
    assert load.total("rejected") == 0
    assert max(max(phase.tries, default=1) for phase in load.phases) <= 2
    check(world, load).must_hold()
