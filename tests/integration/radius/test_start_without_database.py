"""A RADIUS process that starts while the database is away (RAD-10): it knows its routers from the disk."""

import signal
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.settings import Settings
from radius_cluster.routing.on_disk import DirectoryOnDisk, DirectoryRows
from radius_cluster.wire import codes
from tests.fixtures.radius import Client, Processes, World, wait_for
from tests.fixtures.tcp_relay import TcpRelay

SEALED = b"\x00\xffsealed"
ROWS = DirectoryRows("1:1/1:1/0:0", [{"id": 1, "data_key_wrapped": SEALED}], [{"id": 2, "address": None}], [])


@pytest.mark.parametrize("away", [TcpRelay.refuse, TcpRelay.black_hole])
def test_a_process_killed_during_an_outage_comes_back_with_its_routers(
    away, behind_relay: Settings, relay: TcpRelay, processes: Processes, world: World, client: Callable[..., Client]
) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice")
    processes.settings = behind_relay
    stays, dies = processes.start(), processes.start()
    file = behind_relay.data_dir / "spool" / "directory.json"
    wait_for(lambda: file.exists() and identifier in file.read_text())
    seen = client(identifier)
    assert wait_for(lambda: seen.log_in("alice"))

    away(relay)
    dies.send_signal(signal.SIGKILL)
    dies.wait()
    started = processes.start()  # returns when it serves
    assert "directory_from_disk" in processes.logs()
    stays.send_signal(signal.SIGTERM)  # from now on the new one alone
    stays.wait()
    router = client(identifier)
    assert router.account(codes.ACCT_START, "s1", "alice")
    assert router.account(codes.ACCT_STOP, "s1", "alice", seconds=60, octets_in=7)
    assert world.history(tenant) == []
    stranger = client("nobody-knows-me")
    assert stranger.ask(stranger.access("alice"), timeout=0.3) is None

    relay.black_hole(False)
    relay.cut(target=world.connection.info.port)
    [stored] = wait_for(lambda: world.history(tenant), 20)
    assert stored["octets_in"] == 7
    assert wait_for(lambda: router.log_in("alice"))
    assert started.poll() is None


def test_a_router_that_was_added_later_is_kept_too(behind_relay: Settings, processes: Processes, world: World) -> None:
    file = behind_relay.data_dir / "spool" / "directory.json"
    tenant = world.tenant()
    processes.settings = behind_relay
    first = processes.start()
    wait_for(file.exists)
    first.send_signal(signal.SIGTERM)
    first.wait()
    _, identifier = world.nas(tenant, "later")
    assert identifier not in file.read_text()
    processes.start()
    wait_for(lambda: identifier in file.read_text())


def test_what_is_saved_comes_back_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    file = tmp_path / "spool" / "directory.json"
    DirectoryOnDisk(file).save(ROWS)
    assert DirectoryOnDisk(file).load() == ROWS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.stat().st_ino
    DirectoryOnDisk(file).save(ROWS)
    assert file.stat().st_ino == before  # the same state is not written again
    DirectoryOnDisk(file).save(replace(ROWS, fingerprint="other", routers=[]))
    assert DirectoryOnDisk(file).load() == replace(ROWS, fingerprint="other", routers=[])
    assert [path.name for path in file.parent.iterdir()] == ["directory.json"]


HEAD = '{"format": 1, "fingerprint": ""}\n'


@pytest.mark.parametrize(
    "content",
    ["", "{}", "not json\n", HEAD.replace("1", "0"), HEAD + '["tenants"', "[]\n", HEAD + '["others", {}]\n'],
)
def test_a_damaged_file_is_no_file(content: str, tmp_path: Path) -> None:
    file = tmp_path / "directory.json"
    assert DirectoryOnDisk(file).load() is None
    file.write_text(content)
    assert DirectoryOnDisk(file).load() is None
