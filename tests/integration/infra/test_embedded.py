"""The embedded servers: started and stopped as whoever runs the tests, killed, moved, refused."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import redis

from infra.data_folder import DataFolder, is_owned
from infra.embedded import ServersError, ensure_running
from infra.embedded.huge_pages import container_allows, read_huge_pages
from infra.embedded.process import process_exists, wait_until
from infra.ports import choose_free_port
from infra.servers import ServersNotRunning, check_versions, resolve
from infra.settings import Settings, SettingsError
from tests.fixtures.busy_machine import limit

OWNER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
from pathlib import Path
from infra.embedded import ensure_running
from infra.settings import Settings
with ensure_running(Settings(data_dir=Path(sys.argv[1]))):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def installation() -> Iterator[Settings]:
    """Settings of an installation of its own, without servers yet; durable, as in production."""
    with tempfile.TemporaryDirectory(prefix="broadloom-embedded-") as folder:
        yield Settings(data_dir=Path(folder) / "data", demo=False)


def test_data_addresses_and_passwords_stay_between_runs(installation: Settings) -> None:
    with ensure_running(installation) as first:
        with psycopg.connect(first.database_url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        with redis.Redis.from_url(first.redis_url) as connection:
            connection.set("kept", "1")
        assert resolve(installation) == first  # another process of this installation finds them
    with pytest.raises(ServersNotRunning):
        resolve(installation)
    with ensure_running(installation) as second:
        assert second == first
        with psycopg.connect(second.database_url) as connection:
            assert connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)
        with redis.Redis.from_url(second.redis_url) as connection:
            assert connection.get("kept") == b"1"


def test_the_servers_ask_for_the_password(installation: Settings) -> None:
    with ensure_running(installation) as servers:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(servers.database_url.replace("broadloom:", "broadloom:x"))
        without = "redis://" + servers.redis_url.partition("@")[2]
        with redis.Redis.from_url(without) as connection, pytest.raises(redis.AuthenticationError):
            connection.ping()


def test_it_works_below_a_folder_that_others_may_not_enter(installation: Settings) -> None:
    home = installation.data_dir.parent
    assert stat.S_IMODE(home.stat().st_mode) == 0o700  # as /root is
    with ensure_running(installation) as servers, psycopg.connect(servers.database_url) as connection:
        owner = (installation.data_dir / "postgres").stat().st_uid
        assert (owner != 0) if os.geteuid() == 0 else (owner == os.geteuid())
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_unix_socket_is_offered_where_it_can_be_reached(installation: Settings) -> None:
    installation.data_dir.parent.chmod(0o755)
    with ensure_running(installation) as servers, psycopg.connect(servers.database_socket_url) as connection:
        assert connection.info.host.endswith("/run/pg")


def test_a_killed_owner_takes_its_servers_along_and_the_next_start_recovers(installation: Settings) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(installation.data_dir)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"up\n"
    with psycopg.connect(resolve(installation).database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    pid = int((installation.data_dir / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert wait_until(lambda: not process_exists(pid), 30)
    assert not is_owned(DataFolder(installation.data_dir))
    with ensure_running(installation) as servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


def test_a_pid_file_that_names_a_stranger_is_no_hindrance(installation: Settings) -> None:
    with ensure_running(installation):
        pass
    # After a kill -9 in a container the same number may belong to any process, here to ours.
    pid_file = installation.data_dir / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n{installation.data_dir}/postgres\n1\n5432\n\n127.0.0.1\n  1 2\nready   \n")
    with ensure_running(installation) as servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_interrupted_creation_is_begun_anew(installation: Settings) -> None:
    unfinished = installation.data_dir / "postgres.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with ensure_running(installation):
        assert not unfinished.exists()


def test_a_chosen_port_that_was_taken_meanwhile_is_replaced(installation: Settings) -> None:
    with ensure_running(installation) as first:
        port = int(first.database_url.rpartition(":")[2].partition("/")[0])
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        with ensure_running(installation) as second:
            assert f":{port}/" not in second.database_url


def test_a_demanded_port_that_is_taken_is_refused_by_its_setting(installation: Settings) -> None:
    port = choose_free_port()
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", port))
        thief.listen()
        with (
            pytest.raises(SettingsError, match="BROADLOOM_REDIS_PORT"),
            ensure_running(replace(installation, redis_port=port)),
        ):
            pass
    assert not is_owned(DataFolder(installation.data_dir))


def test_two_commands_at_once_each_get_servers(installation: Settings) -> None:
    command = OWNER.replace("time.sleep(600)", "time.sleep(0.5)")
    both = [
        subprocess.Popen([sys.executable, "-c", command, str(installation.data_dir)], stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [process.wait(60) for process in both] == [0, 0]


def test_a_folder_that_cannot_be_written_is_refused(installation: Settings) -> None:
    installation.data_dir.write_text("a file in place of the folder")
    with pytest.raises(SettingsError, match="cannot be written"), ensure_running(installation):
        pass


def test_own_servers_are_checked(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(database_url=database_url, redis_url=redis_url)
    check_versions(settings)
    monkeypatch.setattr("infra.servers.OLDEST_POSTGRES", 99)
    with pytest.raises(ServersError, match="needs 99 or newer") as caught:
        check_versions(settings)
    assert caught.value.code == "database_too_old"
    assert ":broadloom@" not in str(caught.value)


def test_own_servers_that_do_not_answer_are_named_without_their_passwords() -> None:
    port = choose_free_port()
    for settings in (
        Settings(database_url=f"postgresql://me:secret-word@127.0.0.1:{port}/x"),
        Settings(redis_url=f"redis://:secret-word@127.0.0.1:{port}/0"),
    ):
        with pytest.raises(ServersError, match=f"127.0.0.1:{port} cannot be reached") as caught:
            check_versions(settings)
        assert "secret-word" not in str(caught.value)


def test_a_warm_start_and_a_stop_are_quick(installation: Settings) -> None:
    with ensure_running(installation):
        pass
    started_at = time.monotonic()
    with ensure_running(installation):
        up_at = time.monotonic()
    assert up_at - started_at < limit(3)  # 0.3 s on an idle machine
    assert time.monotonic() - up_at < limit(3)
    assert not (installation.data_dir / "run" / "servers.json").exists()


def test_the_signal_that_stops_a_command_stops_its_servers_too(installation: Settings) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(installation.data_dir)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"up\n"
    owner.send_signal(signal.SIGINT)
    owner.wait(60)
    owner.stdout.close()
    assert not (installation.data_dir / "postgres" / "postmaster.pid").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may raise the limit of huge pages")
@pytest.mark.parametrize("wanted", [True, False])
def test_the_database_gets_huge_pages_where_that_is_wanted_and_possible(installation: Settings, wanted: bool) -> None:
    with ensure_running(replace(installation, huge_pages=wanted)) as servers:
        configured = (installation.data_dir / "postgres" / "broadloom.conf").read_text()
        with psycopg.connect(servers.database_url) as connection:
            [(setting, status)] = connection.execute(
                "SELECT current_setting('huge_pages'), current_setting('huge_pages_status')"
            ).fetchall()
    assert f"huge_pages = {setting}\n" in configured
    if not wanted:
        assert (setting, status) == ("off", "off")
        return
    [buffers] = re.findall(r"shared_buffers = (\d+)MB", configured)
    pages = read_huge_pages(Path("/proc/meminfo").read_text())
    if pages is None or pages.limit_for(2 * int(buffers) * 2**20) is None:
        pytest.skip("the machine has no huge pages, or too little memory for them")
    if not os.access("/proc/sys/vm/nr_overcommit_hugepages", os.W_OK) or not container_allows(2**40, pages.size):
        pytest.skip("root may not raise the limit of huge pages here")
    assert setting == "try"
    if status == "off":
        pytest.skip("Linux found no room for so many huge pages")
