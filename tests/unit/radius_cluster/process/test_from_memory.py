"""While the database is away (RAD-10): who waits, who is asked for elsewhere, who is dropped, and in which order."""

import asyncio
import json
import time
from datetime import UTC
from types import SimpleNamespace
from typing import Any

import pytest

from infra.radius_text.dialects import dialect_for
from radius_cluster.counters import Counters
from radius_cluster.listen.receive import Request
from radius_cluster.process import access_request
from radius_cluster.process.access_request import Logins
from radius_cluster.process.find_by_spelling import find_by_spelling
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.dialects import encode_octet_limits

NOBODY = {"quota_kind": 0, "bind_port": "", "bind_mac": "", "bind_nas_id": None, "bind_options": None, "state": 1,
          "in_arrears": False, "open_sessions": 0, "max_sessions": 1, "drop_oldest": False, "quota_cut": True,
          "throttle_profile_id": None, "static_ip": None}  # fmt: skip


class Asking:
    """A login as far as the queues look at it."""

    def __init__(self, name: str, eap: Any = None) -> None:
        tenant = SimpleNamespace(id=1, slug="one", stale_seconds=1200.0)
        self.nas = SimpleNamespace(id=1, tenant=tenant, counts={}, touched=False, options={})
        self.packet = SimpleNamespace(text=lambda _kind: "", attributes={}, places={}, number=lambda _kind: 0)
        self.user_name = name
        self.eap = eap
        self.arrived = time.time()
        self.forgotten = False

    def forget(self, reason: str = "") -> None:
        self.forgotten = True


def row(name: str, **rare: Any) -> tuple[Any, ...]:
    return (1, 7, b"", time.time() + 60, 1, False, "", None, json.dumps({**NOBODY, **rare}) if rare else None)


@pytest.fixture
def logins() -> Logins:
    made = Logins("postgresql://nowhere", "main", Counters(), eap=None)  # type: ignore[arg-type]
    made._degraded = True
    made.lanes = []
    return made


def test_whom_nobody_has_seen_waits_where_nobody_can_be_asked(logins: Logins) -> None:
    asking: Any = Asking("alice")
    logins.submit(asking)
    assert list(logins._unknown) == [asking]
    assert not asking.forgotten


@pytest.mark.parametrize("seen", [False, True])
def test_others_are_asked_for_whom_this_process_cannot_decide(logins: Logins, seen: bool) -> None:
    """Whoever never logged in is to be activated by his first login, which must be written down."""
    asked: list[Any] = []
    logins.ask_others = lambda request: asked.append(request) is None
    if seen:
        logins._memory.remember([1], ["alice"], [row("alice", activated=False)])
    asking: Any = Asking("alice")
    logins.submit(asking)
    assert asked == [asking]
    assert asking.forgotten  # whoever decides it answers, and a repeat is a new request
    assert not logins._unknown


def test_a_conversation_is_nobody_elses(logins: Logins) -> None:
    logins.ask_others = lambda _request: pytest.fail("was handed on")
    asking: Any = Asking("alice", eap=object())
    logins.submit(asking)
    assert list(logins._unknown) == [asking]


def test_the_newest_of_too_many_are_dropped(logins: Logins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_request, "_LONGEST_QUEUE", 3)
    asking: list[Any] = [Asking(f"u{number}") for number in range(5)]
    for one in asking:
        logins.submit(one)
    assert list(logins._unknown) == asking[:3]
    assert [one.forgotten for one in asking] == [False] * 3 + [True] * 2
    assert [one.nas.counts for one in asking[3:]] == [{("auth", "dropped:overload"): 1}] * 2


def test_who_waited_too_long_is_dropped_and_the_others_come_first_when_it_is_back(logins: Logins) -> None:
    asking: list[Any] = [Asking(f"u{number}") for number in range(4)]
    for one in asking:
        logins.submit(one)
    asking[0].arrived -= access_request._TOO_OLD_SECONDS + 1
    logins.tick(time.monotonic())
    assert asking[0].forgotten
    assert asking[0].nas.counts == {("auth", "dropped:database_away"): 1}
    later: Any = Asking("later")
    logins._queue.append(later)
    logins._use_database()
    assert list(logins._queue) == [*asking[1:], later]
    assert not logins._unknown
    assert not any(one.forgotten for one in asking[1:])


def test_a_fixed_address_stands_alone_and_a_quota_ends_the_session_here_too(
    logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A router reads the first of two addresses; nobody counts while the database is away but the router itself."""
    answers: list[tuple[bytes, float]] = []
    monkeypatch.setattr(access_request, "accept", lambda *parts: answers.append(parts[3:]))
    monkeypatch.setattr(logins, "_recognise", lambda *_: b"proof")
    quota = {"quota_kind": 1, "quota_epoch": 1, "quota_octets": 5000, "quota_seconds": 40, "pack_octets": 0,
             "pack_seconds": 0, "use": None, "activated": True}  # fmt: skip
    rows = [row("alice", **quota, static_ip="10.0.0.7"), row("bob", **(quota | {"quota_cut": False}))]
    logins._memory.remember([1], ["alice"], [rows[0]])
    logins._memory.remember([1], ["bob"], [rows[1]])
    pool, any_address = encode.text(codes.FRAMED_POOL, "pool1"), bytes((codes.FRAMED_IP_ADDRESS, 6, 255, 255, 255, 254))
    for name in ("alice", "bob"):
        asking: Any = Asking(name)
        asking.note = lambda _reason: None
        asking.nas.replies = {1: (pool + any_address, [], None, 86_400, 0, b"")}
        asking.nas.dialect, asking.nas.invert, asking.nas.tenant.zone = dialect_for("mikrotik"), False, UTC
        logins.submit(asking)
    (alice, seconds), (bob, longer) = answers
    limit = encode_octet_limits(dialect_for("mikrotik"), total_octets=5000)
    assert alice == pool + limit + bytes((codes.FRAMED_IP_ADDRESS, 6, 10, 0, 0, 7)) + b"proof"
    assert seconds == 40
    assert bob == pool + any_address + b"proof"  # his plan slows down: the router is not to end it
    assert 50 < longer <= 60


def test_a_name_is_remembered_as_its_router_writes_it() -> None:
    """It is found in any spelling; while the database is away the name is all there is."""
    names = ["alice", "02-00-00-AA-BB-CC", "020000aabbdd", "Bob@isp", "carol@isp"]
    requests: list[Any] = [request_of(name) for name in names]
    logins = Logins("postgresql://nowhere", "main", Counters(), eap=None)  # type: ignore[arg-type]
    asked: list[Any] = []

    async def fetch(*values: Any) -> list[Any]:
        asked.extend(values)
        return [(7, *row("")[1:]), (3, *row("")[1:]), (6, *row("")[1:])]  # bob's in small letters, too

    async def capitals(_statement: str, tenant_ids: list[int], small: list[str]) -> list[Any]:
        asked_small.append((tenant_ids, small))
        return []

    asked_small: list[Any] = []
    statement, connection = SimpleNamespace(fetch=fetch), SimpleNamespace(fetch=capitals)
    kept = "1:1:", logins._memory.remember
    found = asyncio.run(find_by_spelling(connection, statement, requests, names, range(5), 2_000.0, *kept))
    # Nobody has it so, or letters were changed: is there another with capitals?
    assert asked_small == [([1] * 3, ["alice", "02-00-00-aa-bb-cc", "bob"])]
    ways = ["02:00:00:aa:bb:cc", "02-00-00-aa-bb-cc", "02:00:00:aa:bb:dd", "bob@isp", "Bob", "bob", "carol"]
    assert asked == [[1] * 7, ways, [800.0] * 7, "1:1:"]
    assert {at: who.user_name for at, (_row, who) in found.items()} == {2: "02:00:00:aa:bb:dd", 3: "bob", 4: "carol"}
    for at, (kept_row, _who) in found.items():
        assert logins._memory.recall(1, names[at]) == kept_row
    assert logins._memory.recall(1, "02-00-00-AA-BB-CC") is None


def request_of(name: str) -> Request:
    asking: Any = Asking(name)
    return Request(asking.packet, asking.nas, None, ("", 0), b"", asking.arrived)  # type: ignore[arg-type]
