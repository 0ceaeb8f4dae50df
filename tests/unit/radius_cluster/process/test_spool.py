"""The spool by itself: order, repeats until done, damage, heirs."""

import fcntl
import os
from pathlib import Path

import pytest

from radius_cluster.process.spool import Spool


def test_lines_come_back_in_order_until_they_are_done(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", "main")
    spool.append([[[1, "a"]], ["close", 1]])
    spool.append([[[2, None]]])
    assert spool.next_lines(0.0) == [[[1, "a"]], ["close", 1], [[2, None]]]
    assert spool.next_lines(0.0) == [[[1, "a"]], ["close", 1], [[2, None]]]  # not done: the same again
    spool.done()
    assert spool.next_lines(0.0) == []
    assert spool.is_empty
    spool.append([[[3, 1.5]]])
    assert spool.next_lines(0.0) == [[[3, 1.5]]]
    spool.close()


def test_an_heir_takes_the_file_of_a_dead_process_but_not_of_another_cell(tmp_path: Path) -> None:
    for cell in ("main", "main-2"):
        dead = Spool(tmp_path, cell)
        dead.append([[[cell]]])
        dead.close()  # not empty: the file stays, unlocked
    heir = Spool(tmp_path, "main")
    assert heir.next_lines(100.0) == [[["main"]]]
    heir.done()
    assert heir.next_lines(101.0) == []
    assert [path.name.partition("@")[0] for path in tmp_path.glob("*.spool")] == ["main-2"]


def test_a_living_owners_file_is_left_alone(tmp_path: Path) -> None:
    owner = Spool(tmp_path, "main")
    owner.append([[[1]]])
    assert Spool(tmp_path, "main").next_lines(100.0) == []
    owner.close()


def test_a_file_that_is_just_being_made_is_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All processes of a host make theirs at one moment, and look for those of the dead: what is taken for one is
    unlinked when it is replayed, and what its owner acknowledges afterwards would be lost with him."""
    owner, heir = Spool(tmp_path, "main"), Spool(tmp_path, "main")
    lock, seen = fcntl.flock, []

    def look(fd: int, kind: int) -> None:
        if kind == fcntl.LOCK_EX:  # the owner's, just before he has it
            monkeypatch.setattr(fcntl, "flock", lock)
            seen.append(heir.next_lines(100.0))
        lock(fd, kind)

    monkeypatch.setattr(fcntl, "flock", look)
    owner.append([[[1]]])
    assert seen == [[]]
    owner.close()  # dies
    assert Spool(tmp_path, "main").next_lines(200.0) == [[[1]]]


def test_of_two_heirs_one_replays_what_the_dead_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead, first, second = (Spool(tmp_path, "main") for _ in range(3))
    dead.append([[[1]]])
    dead.close()
    lock = fcntl.flock

    def after_the_first(fd: int, kind: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        assert first.next_lines(100.0) == [[[1]]]
        first.done()
        assert first.next_lines(100.0) == []
        lock(fd, kind)

    monkeypatch.setattr(fcntl, "flock", after_the_first)
    assert second.next_lines(100.0) == []


def test_where_no_file_can_be_made_nothing_is_left_and_the_next_try_may_succeed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, "main")

    def full(fd: int) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        spool.append([[[1]]])
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    spool.append([[[2]]])
    assert spool.next_lines(0.0) == [[[2]]]
    spool.close()


def test_the_dead_are_found_behind_the_living(tmp_path: Path) -> None:
    owner, dead = Spool(tmp_path, "main"), Spool(tmp_path, "main")
    owner.append([[[1]]])
    dead.append([[[2]]])
    dead.close()
    heir = Spool(tmp_path, "main")
    assert heir.next_lines(100.0) == [[[2]]]
    assert heir.backlog_octets == sum(path.stat().st_size for path in tmp_path.glob("*.spool")) // 2
    heir.done()
    assert heir.backlog_octets == 0
    assert heir.next_lines(101.0) == []
    assert len(list(tmp_path.glob("*.spool"))) == 1
    owner.close()


def test_a_line_longer_than_a_read_comes_whole(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "main")
    spool.append([[["x" * 100]], [[2]]])
    assert spool.next_lines(0.0, most_octets=50) == [[["x" * 100]], [[2]]]
    spool.done()
    assert spool.is_empty
    spool.close()


def test_an_unfinished_line_is_passed_over(tmp_path: Path) -> None:
    dead = Spool(tmp_path, "main")
    dead.append([[[1]], [[2]]])
    dead.close()
    [path] = tmp_path.glob("*.spool")
    path.write_bytes(path.read_bytes()[:-4])
    assert Spool(tmp_path, "main").next_lines(100.0) == [[[1]]]


@pytest.mark.parametrize("alive", [True, False])
def test_damage_loses_nothing_of_what_follows_it(tmp_path: Path, alive: bool) -> None:
    owner = reader = Spool(tmp_path, "main")
    owner.append([[["x" * 100, number]] for number in range(9)])
    [path] = tmp_path.glob("*.spool")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 3].replace(b"x", b"y") + raw[len(raw) // 3 :])
    if not alive:
        owner.close()
        reader = Spool(tmp_path, "main")
    seen = []
    while lines := reader.next_lines(100.0, most_octets=150):  # one line at a time
        seen += [line[0][1] for line in lines]
        reader.done()
    assert seen == [3, 4, 5, 6, 7, 8]
    assert reader.is_empty
    assert reader.backlog_octets == 0
    reader.close()
    assert list(tmp_path.glob("*.spool")) == []


def test_what_was_not_written_whole_is_not_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full after some octets: its reports get no answer, and those before and after are whole."""
    spool = Spool(tmp_path, "main")
    spool.append([[[1]]])
    write = os.pwrite

    def half(fd: int, data: bytes, at: int) -> int:
        if len(data) < 1000:
            raise OSError("no space")
        return write(fd, data[: len(data) // 2], at)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError):
        spool.append([[["x" * 1500]]])
    monkeypatch.undo()
    assert spool.backlog_octets == sum(path.stat().st_size for path in tmp_path.glob("*.spool"))
    spool.append([[[3]]])
    assert spool.next_lines(0.0) == [[[1]], [[3]]]
    spool.close()


def test_a_file_that_is_written_just_now_does_not_shrink(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "main")
    spool.append([[[1]]])
    spool.next_lines(0.0)
    spool.appending = True  # in another thread, behind what is replayed
    spool.done()
    spool.append([[[2]]])
    spool.appending = False
    assert spool.next_lines(0.0) == [[[2]]]
    spool.done()
    assert [path.stat().st_size for path in tmp_path.glob("*.spool")] == [0]
    spool.close()
    assert list(tmp_path.glob("*.spool")) == []


def test_much_is_read_in_pieces_of_whole_lines(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "main")
    spool.append([[["x" * 100, number]] for number in range(100)])
    seen = []
    while lines := spool.next_lines(0.0, most_octets=1000):
        assert len(lines) < 10
        seen += [line[0][1] for line in lines]
        spool.done()
    assert seen == list(range(100))
    spool.close()
