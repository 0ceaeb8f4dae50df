"""The spool by itself: order, repeats until done, damage, heirs."""

from pathlib import Path

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


def test_an_unfinished_line_is_passed_over(tmp_path: Path) -> None:
    dead = Spool(tmp_path, "main")
    dead.append([[[1]], [[2]]])
    dead.close()
    [path] = tmp_path.glob("*.spool")
    path.write_bytes(path.read_bytes()[:-4])
    assert Spool(tmp_path, "main").next_lines(100.0) == [[[1]]]


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
