"""Whose sessions began lately: known to all processes of the host."""

from pathlib import Path

import pytest

from radius_cluster.process.recent_starts import RecentStarts

NOW = 1_795_000_000.5


def test_another_device_of_the_name_shortly_after_is_a_second_one(tmp_path: Path) -> None:
    here, there = RecentStarts(tmp_path), RecentStarts(tmp_path)  # two processes
    assert not here.is_second(1, "alice", "s1", NOW, 30)
    assert not there.is_second(1, "alice", "s1", NOW + 2, 30)  # sent again
    assert there.is_second(1, "alice", "s9", NOW + 3, 30)  # another device
    assert here.is_second(1, "alice", "s2", NOW + 33, 30)
    assert not here.is_second(1, "alice", "s3", NOW + 64, 30)
    assert not here.is_second(2, "alice", "s4", NOW + 64, 30)  # another provider's
    assert not here.is_second(1, "\udcff\udcfe", "\udcff", NOW, 30)  # no UTF-8
    here.close()
    assert there.is_second(1, "alice", "s5", NOW + 65, 30)
    there.close()


@pytest.mark.parametrize("folder", [None, Path("/proc/nothing/can/be/written/here")])
def test_where_nothing_can_be_written_a_process_knows_its_own(folder: Path | None) -> None:
    alone = RecentStarts(folder)
    assert not alone.is_second(1, "alice", "s1", NOW, 30)
    assert alone.is_second(1, "alice", "s2", NOW, 30)
    alone.close()
