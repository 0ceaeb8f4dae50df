"""The copy for the time without a database is bounded, and the newest word counts."""

import pytest

from radius_cluster.process import last_known_good
from radius_cluster.process.last_known_good import LastKnownGood


def remember(memory: LastKnownGood, *said: tuple[int, str, object]) -> None:
    """What the database said, in one batch: (tenant, name, value); the query gives its rows in another order."""
    rows = [(ordinal, value) for ordinal, (_tenant, _name, value) in enumerate(said, 1)]
    memory.remember([tenant for tenant, _, _ in said], [name for _, name, _ in said], rows[::-1])


def recall(memory: LastKnownGood, tenant_id: int, name: str) -> object:
    row = memory.recall(tenant_id, name)
    return None if row is None else row[1]


def test_the_newest_word_counts() -> None:
    memory = LastKnownGood()
    for number in range(25):
        remember(memory, (1, "alice", "old"), (1, f"u{number}", "other"))
    assert recall(memory, 1, "alice") == "old"
    remember(memory, (1, "bob", b"sealed"), (1, "alice", "new"))
    assert recall(memory, 1, "alice") == "new"
    assert recall(memory, 1, "bob") == b"sealed"
    assert recall(memory, 1, "u0") == "other"


def test_names_that_the_database_did_not_know_are_nobodys() -> None:
    memory = LastKnownGood()
    memory.remember([1, 1, 2], ["stranger", "alice", "bob"], [(2, "row of alice")])
    assert recall(memory, 1, "alice") == "row of alice"
    assert recall(memory, 1, "stranger") is None
    assert recall(memory, 2, "bob") is None


def test_tenants_do_not_share_names() -> None:
    memory = LastKnownGood()
    remember(memory, (1, "alice", "first"))
    assert recall(memory, 2, "alice") is None


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_known_good, "_MOST_WITH_EARLIER", 70)
    memory = LastKnownGood()
    for number in range(0, 100, 2):
        remember(memory, (1, f"u{number}", number), (1, f"u{number + 1}", number + 1))
    assert recall(memory, 1, "u29") is None
    assert recall(memory, 1, "u30") == 30
    assert recall(memory, 1, "u99") == 99
    assert len(memory) == 70


def test_what_was_read_is_put_away_and_found_again() -> None:
    memory = LastKnownGood()
    remember(memory, (1, "alice", "first"))
    assert recall(memory, 1, "alice") == "first"
    memory.close()
    assert recall(memory, 1, "alice") == "first"


def test_what_is_long_is_kept_short() -> None:
    memory = LastKnownGood()
    quota = '{"quota_octets": 10000000000, "pack_octets": 0, "bind_mac": ""}' * 10
    remember(memory, *((1, f"u{number}", f"{quota}{number}") for number in range(200)))
    remember(memory, (1, "u7", "plain now"))
    assert sum(len(text) for _, text in memory._batches) < 200 * 60
    assert recall(memory, 1, "u199") == f"{quota}199"
    assert recall(memory, 1, "u7") == "plain now"


def test_devices_that_dial_all_the_time_push_nobody_out() -> None:
    """A thousand accounts logged in once, one 200,000 times since."""
    memory = LastKnownGood()
    remember(memory, *((1, f"u{number}", number) for number in range(1_000)))
    for number in range(200):
        remember(memory, *((1, "flaps", f"{number}/{again}") for again in range(1_000)))
        memory.tick()
    assert [recall(memory, 1, f"u{number}") for number in range(1_000)] == list(range(1_000))
    assert str(recall(memory, 1, "flaps")).startswith("199/")


def test_the_clearing_up_keeps_what_comes_meanwhile_and_forgets_the_oldest_accounts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_known_good, "_MOST_ROWS", 50)
    monkeypatch.setattr(last_known_good, "_CLEAR_UP_AT", 60)
    monkeypatch.setattr(last_known_good, "_ROWS_AT_ONCE", 10)
    memory = LastKnownGood()
    for number in range(61):
        remember(memory, (1, f"u{number}", number), (2, f"u{number}", "other"))
    for number in range(100, 200):
        remember(memory, (1, "flaps", number))
        memory.tick()
    assert len(memory) <= 61
    assert recall(memory, 1, "flaps") == 199
    assert recall(memory, 1, "u60") == 60
    assert recall(memory, 2, "u60") == "other"
    assert recall(memory, 1, "u0") is None


def test_nothing_is_cleared_up_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_known_good, "_CLEAR_UP_AT", 10)
    monkeypatch.setattr(last_known_good, "_ROWS_AT_ONCE", 1)
    memory = LastKnownGood()
    for number in range(12):
        remember(memory, (1, "alice", number))
    memory.tick()
    assert recall(memory, 1, "alice") == 11
    memory.tick()
    assert len(memory) == 12
    memory.close()
    for _ in range(20):
        memory.tick()
    assert len(memory) == 1
    assert recall(memory, 1, "alice") == 11


def test_first_logins_are_each_tenants_own_and_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_known_good, "_MOST_FIRST_LOGINS", 2)
    memory = LastKnownGood()
    memory.note_first_login(1, 7)
    assert memory.has_begun(1, 7)
    assert not memory.has_begun(2, 7)
    memory.note_first_login(2, 8)
    memory.note_first_login(2, 9)
    assert [memory.has_begun(*one) for one in ((1, 7), (2, 8), (2, 9))] == [False, True, True]
