"""The copy for the time without a database is bounded, and the newest word counts."""

import pytest

from radius_cluster.process import last_known_good
from radius_cluster.process.last_known_good import LastKnownGood


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> LastKnownGood:
    monkeypatch.setattr(last_known_good, "_MOST_OF_A_GENERATION", 10)
    monkeypatch.setattr(last_known_good, "_GENERATIONS", 8)
    return LastKnownGood()


def test_the_newest_word_counts(memory: LastKnownGood) -> None:
    for number in range(25):
        memory.remember([(1, "alice")], ["old"])
        memory.remember([(1, f"u{number}")], ["other"])
    memory.remember([(1, "alice")], ["new"])
    assert memory.recall(1, "alice") == "new"


def test_tenants_do_not_share_names(memory: LastKnownGood) -> None:
    memory.remember([(1, "alice")], ["first"])
    assert memory.recall(2, "alice") is None


def test_the_oldest_are_forgotten(memory: LastKnownGood) -> None:
    for number in range(100):
        memory.remember([(1, f"u{number}")], [number])
    assert memory.recall(1, "u0") is None  # 8 generations of 10, the youngest of them empty
    assert memory.recall(1, "u35") == 35
    assert memory.recall(1, "u99") == 99
    assert len(memory) == 70
