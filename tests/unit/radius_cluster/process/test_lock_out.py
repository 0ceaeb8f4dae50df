"""Guessers are counted by all processes of a host together (RAD-9)."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from radius_cluster.process.lock_out import LockOut

NOW = 1_795_000_000.5


def login(name: str = "alice", device: bytes = b"02-01", nas_id: int = 7) -> Any:
    packet = SimpleNamespace(value=lambda _kind: device)
    return SimpleNamespace(user_name=name, nas=SimpleNamespace(id=nas_id), packet=packet)


def test_processes_count_together(tmp_path: Path) -> None:
    here, there = LockOut(tmp_path), LockOut(tmp_path)
    for turn in range(10):
        assert not here.is_locked(login(), NOW)
        (here, there)[turn % 2].failed(login(), NOW + turn)
    for one in (here, there):
        assert one.is_locked(login(), NOW + 10)
        assert not one.is_locked(login(device=b"02-02"), NOW + 10)  # the subscriber's own
        assert not one.is_locked(login(nas_id=8), NOW + 10)
        assert not one.is_locked(login("bob"), NOW + 10)
        assert not one.is_locked(login(), NOW + 72)
    for one in (here, there):
        one.close()


def test_a_list_of_names_locks_the_device(tmp_path: Path) -> None:
    here, there = LockOut(tmp_path), LockOut(tmp_path)
    for turn in range(50):
        (here, there)[turn % 2].failed(login(f"name {turn}"), NOW)
    assert here.is_locked(login("another"), NOW + 1)
    assert not here.is_locked(login("another", b"02-02"), NOW + 1)
    nameless = LockOut(None)
    for turn in range(60):
        nameless.failed(login(f"name {turn}", b""), NOW)
    assert not nameless.is_locked(login("another", b""), NOW + 1)  # or one guesser would lock a whole router


def test_a_right_password_forgives_the_name(tmp_path: Path) -> None:
    here, there = LockOut(tmp_path), LockOut(tmp_path)
    for _ in range(9):
        here.failed(login(), NOW)
    right = login()
    assert not there.is_locked(right, NOW)
    there.succeeded(right)
    for _ in range(9):
        here.failed(login(), NOW)
    assert not there.is_locked(login(), NOW)


def test_others_failures_are_noticed_and_forgotten(tmp_path: Path) -> None:
    here, there = LockOut(tmp_path), LockOut(tmp_path)
    there.tick(NOW)
    assert not there.anybody
    here.failed(login(), NOW)
    assert here.anybody
    there.tick(NOW + 0.5)
    assert there.anybody
    there.tick(NOW + 65)
    assert not there.anybody


@pytest.mark.parametrize("folder", [None, Path("/proc/nothing/can/be/written/here")])
def test_where_nothing_can_be_written_a_process_counts_alone(folder: Path | None) -> None:
    alone = LockOut(folder)
    for _ in range(10):
        alone.failed(login("\udcff\udcfe"), NOW)
    assert alone.is_locked(login("\udcff\udcfe"), NOW)
