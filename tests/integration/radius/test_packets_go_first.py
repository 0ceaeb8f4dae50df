"""The packet path's backends have the priority of its process, others do not; a server elsewhere is left alone."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from infra.settings import Settings
from radius_cluster.listen.raise_backend import raise_backend
from radius_cluster.process.access_request import LANES
from tests.fixtures.radius import Client, Processes, World, wait_for

_LANES = """
SELECT pid FROM pg_stat_activity WHERE client_addr IS NULL
  AND (application_name LIKE 'broadloom radius main login %' OR application_name = 'broadloom radius main accounting')
"""


def _socket_url(database_url: str, world: World) -> str:
    [(folder,)] = world.query("SHOW unix_socket_directories")
    address, _, database = database_url.rpartition("/")
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[0]}@/{database}?host={folder}&port={parts.port}"


def _priorities(world: World, backends: str) -> dict[int, int]:
    """Those of backends, by their numbers; one that ends meanwhile is not there any more."""
    found = {}
    for (pid,) in world.query(backends):
        with suppress(ProcessLookupError):
            found[pid] = os.getpriority(os.PRIO_PROCESS, pid)
    return found


def _session_priority(pid: int) -> int | None:
    """That of the session that a process leads; None where the system has none."""
    group = Path(f"/proc/{pid}/autogroup")
    return int(group.read_text().split()[-1]) if group.exists() else None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may raise a priority")
def test_backends_of_packets_have_their_process_s_priority_also_after_a_reconnect(
    settings: Settings, processes: Processes, world: World, client: Callable[..., Client]
) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice")
    processes.settings = replace(settings, database_url=_socket_url(settings.database_url, world))
    process = processes.start()
    ours = os.getpriority(os.PRIO_PROCESS, process.pid)
    assert ours < 0

    def all_raised() -> dict[int, int]:
        found = _priorities(world, _LANES)
        return found if len(found) == LANES + 1 and set(found.values()) == {ours} else {}

    first = wait_for(all_raised)
    for pid in first:
        world.query("SELECT pg_terminate_backend(%s)", pid)
    again = wait_for(lambda: {} if first.keys() & _priorities(world, _LANES).keys() else all_raised())
    others = _priorities(world, "SELECT pid FROM pg_stat_activity")
    assert {pid for pid, nice in others.items() if nice < 0} == again.keys()
    assert {_session_priority(pid) for pid in again} <= {ours, None}
    assert client(identifier).log_in("alice")


def test_a_process_of_packets_interrupts_nobody(processes: Processes) -> None:
    assert os.sched_getscheduler(processes.start().pid) == os.SCHED_BATCH


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://broadloom@127.0.0.1:5432/broadloom",
        "postgresql://broadloom@/broadloom?host=/nowhere&port=5432",
        "postgresql://broadloom@/broadloom?host={socket}&port=5999",
    ],
)
def test_a_process_that_is_no_backend_of_this_server_is_left_alone(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number may be of another host or container: here it would be ours, and its parent is not the server."""
    (tmp_path / ".s.PGSQL.5999.lock").write_text("1\n/data\n")
    raised: list[object] = []
    monkeypatch.setattr(os, "getpriority", lambda *_: -10)
    monkeypatch.setattr(os, "setpriority", lambda *what: raised.append(what))
    connection = SimpleNamespace(get_server_pid=os.getpid)
    assert not raise_backend(url.format(socket=tmp_path), connection)
    assert not raised
