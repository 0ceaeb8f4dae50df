"""Guessers are counted by all processes of a host together (RAD-9)."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from radius_cluster.process.lock_out import LockOut, device_mark
from radius_cluster.wire.mac_address import normalise_mac

NOW = 1_795_000_000.5


def login(name: str = "alice", device: bytes = b"02-01", nas_id: int = 7) -> Any:
    packet = SimpleNamespace(value=lambda _kind: device, text=lambda _kind: device.decode(), places={})
    nas = SimpleNamespace(id=nas_id, tenant=SimpleNamespace(id=3, cell="main"))
    return SimpleNamespace(user_name=name, nas=nas, packet=packet)


def guess(lock_out: LockOut, times: int, request: Any = None, now: float = NOW) -> None:
    for _ in range(times):
        lock_out.failed(request or login(), now, 71)


def test_processes_count_together(tmp_path: Path) -> None:
    here, there = LockOut(tmp_path), LockOut(tmp_path)
    for turn in range(10):
        assert not here.is_locked(login(), NOW)
        (here, there)[turn % 2].failed(login(), NOW + turn, 71)
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
        (here, there)[turn % 2].failed(login(f"name {turn}"), NOW, 71)
    assert here.is_locked(login("another"), NOW + 1)
    assert not here.is_locked(login("another", b"02-02"), NOW + 1)
    nameless = LockOut(None)
    for turn in range(60):
        nameless.failed(login(f"name {turn}", b""), NOW, 71)
    assert not nameless.is_locked(login("another", b""), NOW + 1)  # or one guesser would lock a whole router


def test_a_right_password_forgives_the_name(tmp_path: Path) -> None:
    here, there = LockOut(tmp_path), LockOut(tmp_path)
    for _ in range(9):
        here.failed(login(), NOW, 71)
    right = login()
    assert not there.is_locked(right, NOW)
    there.succeeded(right)
    for _ in range(9):
        here.failed(login(), NOW, 71)
    assert not there.is_locked(login(), NOW)


def test_others_failures_are_noticed_and_forgotten(tmp_path: Path) -> None:
    here, there = LockOut(tmp_path), LockOut(tmp_path)
    there.tick(NOW)
    assert not there.anybody
    here.failed(login(), NOW, 71)
    assert here.anybody
    there.tick(NOW + 0.5)
    assert there.anybody
    there.tick(NOW + 65)
    assert not there.anybody


@pytest.mark.parametrize("folder", [None, Path("/proc/nothing/can/be/written/here")])
def test_where_nothing_can_be_written_a_process_counts_alone(folder: Path | None) -> None:
    alone = LockOut(folder)
    for _ in range(10):
        alone.failed(login("\udcff\udcfe"), NOW, 71)
    assert alone.is_locked(login("\udcff\udcfe"), NOW)


NOTATIONS = (
    b"02-00-00-AA-BB-01", b"02:00:00:aa:bb:01", b"0200.00aa.bb01", b"020000-AABB01", b"020000AABB01", b"2:0:0:aa:bb:1",
    b"02-00-00-AA-BB-01:Cafe", b"1:2:0:0:aa:bb:1", b"01:02:00:00:aa:bb:01", b" 02-00-00-AA-BB-01",
)  # fmt: skip


def test_a_device_is_one_however_its_address_is_written() -> None:
    alone = LockOut(None)
    for device in NOTATIONS:
        alone.failed(login(device=device), NOW, 71)
    assert all(alone.is_locked(login(device=device), NOW) for device in NOTATIONS)
    assert not alone.is_locked(login(device=b"02-00-00-AA-BB-02"), NOW)
    [(locked, tries)] = alone.noted(NOW)
    assert (locked.device, locked.mac, tries) == (b"020000aabb01", "02:00:00:aa:bb:01", 10)
    for turn in range(50):
        alone.failed(login(f"name {turn}", NOTATIONS[turn % 10]), NOW, turn + 1)
    assert [locked.username for locked, _tries in alone.noted(NOW)] == ["alice", ""]
    alone.unlock(7, "alice", b"020000aabb01")
    alone.unlock(7, "", b"020000aabb01")
    assert not any(alone.is_locked(login(device=device), NOW) for device in NOTATIONS)


@pytest.mark.parametrize(("one", "other"), [(b"ge-1/0/3.100", b"ge-1/0/31.00"), (b"12-345-678", b"12.345.678")])
def test_what_is_no_address_is_taken_as_it_is(one: bytes, other: bytes) -> None:
    alone = LockOut(None)
    guess(alone, 10, login(device=one))
    assert alone.is_locked(login(device=one), NOW)
    assert not alone.is_locked(login(device=other), NOW)


@given(st.text("0123456789abcdefABCDEF:-. ", max_size=24) | st.text("01:2a", min_size=9, max_size=20))
@example("1:2:00:00:0a:0b:0c")  # twelve digits, and a DHCP client's identifier
def test_the_short_way_to_a_device_finds_what_the_long_one_does(called: str) -> None:
    packet = login(device=called.encode()).packet
    assert device_mark(packet) == (normalise_mac(called).replace(":", "") or called).encode()


def test_staff_are_told_of_whom_it_is(tmp_path: Path) -> None:
    here, there = LockOut(tmp_path), LockOut(tmp_path)
    assert here.name == there.name != LockOut(None).name
    guess(here, 5)
    guess(there, 5)
    assert list(here.noted(NOW)) == []  # the other one saw it begin
    [(locked, tries)] = there.noted(NOW + 1)
    assert (locked.tenant_id, locked.cell, locked.nas_id, locked.username) == (3, "main", 7, "alice")
    assert (locked.device, locked.mac, locked.account_id, locked.locked_at) == (b"02-01", "02-01", 71, NOW)
    assert (tries, locked.until) == (10, int(NOW) + 61)
    here.refused(login())  # a try while it is locked out counts, and makes it no longer
    assert [tries for _locked, tries in there.noted(NOW + 1)] == [11]
    assert here.is_locked(login(), NOW + 60)
    assert list(there.noted(NOW + 61)) == []
    assert not here.is_locked(login(), NOW + 61)


def test_a_device_with_any_name_is_told_without_one(tmp_path: Path) -> None:
    here = LockOut(tmp_path)
    for turn in range(50):
        here.failed(login(f"name {turn}", b"020000000001"), NOW, turn + 1)
    [(locked, tries)] = here.noted(NOW)
    assert (locked.username, locked.account_id, locked.mac, tries) == ("", None, "02:00:00:00:00:01", 50)
    here.unlock(7, "", b"020000000001")
    assert not here.is_locked(login("another", b"020000000001"), NOW)


def test_unlocking_is_about_one_way_in_and_heard_by_all(tmp_path: Path) -> None:
    here, there = LockOut(tmp_path), LockOut(tmp_path)
    others = [login("bob"), login(device=b"02-02"), login(nas_id=8)]
    for request in (login(), *others):
        guess(here, 10, request)
    there.unlock(7, "alice", b"02-01")
    for one in (here, there):
        assert not one.is_locked(login(), NOW)
        assert all(one.is_locked(other, NOW) for other in others)
    ended = [locked for locked, tries in here.noted(NOW) if not tries]
    assert [(locked.username, locked.device, locked.nas_id) for locked in ended] == [("alice", b"02-01", 7)]
    here.forget(ended[0])
    assert len(list(here.noted(NOW))) == 3
    guess(here, 9)
    assert not here.is_locked(login(), NOW)  # ten new tries
    guess(here, 1)
    assert here.is_locked(login(), NOW)
    there.unlock(7, "nobody", b"02-01")
    there.unlock(7, "", b"")


def test_an_attack_fills_no_memory() -> None:
    alone = LockOut(None)
    for turn in range(300):
        guess(alone, 10, login(f"name {turn}", b""))
    assert len(list(alone.noted(NOW))) == 200  # of one provider
    guess(alone, 10, login("late", b""), NOW + 61)
    assert [locked.username for locked, _tries in alone.noted(NOW + 61)] == ["late"]
