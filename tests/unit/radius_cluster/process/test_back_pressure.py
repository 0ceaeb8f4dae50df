"""More work than can be done (RAD-10): what waits keeps its turn, the newest is dropped and counted, nothing grows."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from infra.radius_text.dialects import dialect_for
from radius_cluster.counters import Counters
from radius_cluster.listen.duplicates import mark_of
from radius_cluster.listen.receive import Request
from radius_cluster.process import access_request, accounting_request
from radius_cluster.process.access_request import Logins
from radius_cluster.process.accounting_request import Accounting
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet, parse
from tests.fixtures.steady_load import Isp, Session, login_packet, report_packet

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
LIMIT = 50


class Way:
    """Where answers would go."""

    def __init__(self) -> None:
        self.duplicates = SimpleNamespace(answers={})
        self.sent: list[bytes] = []

    def send(self, reply: bytes, _destination: Any) -> None:
        self.sent.append(reply)


class Nas:
    """A router as far as the queues look at it."""

    def __init__(self) -> None:
        self.id = 1
        self.secret = b"radius-secret"
        self.tenant = SimpleNamespace(id=1, slug="one", stale_seconds=1200.0, day_number=lambda _at: 1)
        self.counts: dict[tuple[str, str], int] = {}
        self.touched = False
        self.stored = 0
        self.invert = False
        self.dialect = dialect_for("mikrotik")


def requests(nas: Nas, way: Way, count: int, *, login: bool) -> list[Request]:
    made = []
    isp = Isp(1, "one-nas1", ())
    for number in range(count):
        name = f"u{number}"
        if login:
            data = login_packet(number % 256, isp.identifier, name)
        else:
            session = Session(isp, f"s{number}", name)
            data = report_packet(number % 256, isp.identifier, name, session.name, codes.ACCT_START, session)
        packet = parse(data)
        assert isinstance(packet, Packet)
        source = ("127.0.0.1", 1000 + number)
        key = mark_of(source) + data[:20]
        way.duplicates.answers[key] = None
        made.append(Request(packet, nas, way, source, key, time.time()))  # type: ignore[arg-type]
    return made


def test_the_newest_logins_are_dropped_and_may_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_request, "_LONGEST_QUEUE", LIMIT)
    nas, way, counters = Nas(), Way(), Counters()
    logins = Logins(NOWHERE, "main", counters, None)  # type: ignore[arg-type]
    asked = requests(nas, way, LIMIT + 20, login=True)
    for request in asked:
        logins.submit(request)
    assert nas.counts == {("auth", "dropped:overload"): 20}
    assert way.sent == []
    assert [request.key in way.duplicates.answers for request in asked] == [True] * LIMIT + [False] * 20
    batch = logins._take()
    assert batch is not None
    assert [one.user_name for one in batch if one is not None] == [f"u{number}" for number in range(LIMIT)]


def test_the_newest_reports_are_dropped_and_may_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounting_request, "_LONGEST_QUEUE", LIMIT)
    nas, way, counters = Nas(), Way(), Counters()
    accounting = Accounting(NOWHERE, "main", counters)
    asked = requests(nas, way, LIMIT + 20, login=False)
    for request in asked:
        accounting.submit(request)
    assert nas.counts == {("acct", "dropped:overload"): 20}
    assert way.sent == []  # nothing is acknowledged before it is stored
    assert [request.key in way.duplicates.answers for request in asked] == [True] * LIMIT + [False] * 20
    kept = sum(len(batch) for batch in iter(accounting._take, None) if isinstance(batch, dict))
    assert kept == LIMIT
    accounting.submit(asked[-1])  # there is room again
    assert nas.counts == {("acct", "dropped:overload"): 20}


@pytest.mark.parametrize(
    ("status", "answered"),
    [(b"", False), (b"\x28\x05\0\0\2", False), (encode.number(codes.ACCT_STATUS_TYPE, 15), True)],
)
def test_a_report_that_does_not_say_what_it_is_gets_no_answer(status: bytes, answered: bool) -> None:
    """It was not stored. Failures and tunnels are nothing of ours, and are acknowledged (RFC 2866, 4.1)."""
    nas, way = Nas(), Way()
    body = status + encode.text(codes.ACCT_SESSION_ID, "s1") + encode.text(codes.USER_NAME, "alice")
    packet = parse(bytes((codes.ACCOUNTING_REQUEST, 1)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)
    assert isinstance(packet, Packet)
    Accounting(NOWHERE, "main", Counters()).submit(Request(packet, nas, way, ("192.0.2.1", 1), b"k", 0.0))  # type: ignore[arg-type]
    assert bool(way.sent) is answered
    assert nas.counts == ({} if answered else {("acct", "dropped:incomplete"): 1})


def test_logins_that_waited_too_long_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The router has asked again or given up: deciding them would only make the next ones late, too."""
    nas, way, counters = Nas(), Way(), Counters()
    logins = Logins(NOWHERE, "main", counters, None)  # type: ignore[arg-type]
    old, new = requests(nas, way, 2, login=True)
    old.arrived -= 60
    logins.submit(old)
    logins.submit(new)
    assert logins._take() == [new]
    assert nas.counts == {("auth", "dropped:too_late"): 1}
    assert encode.text(codes.USER_NAME, "u1") in new.packet.raw


def test_reports_that_come_as_others_are_answered_stay_in_two_equal_halves() -> None:
    accounting, way = Accounting(NOWHERE, "main", Counters()), Way()
    made = iter(requests(Nas(), way, 200, login=False))
    sizes = []
    for arrived in (64, 0, 32, 3, 29, 32):  # how many come while one commit is under way
        for _ in range(arrived):
            accounting.submit(next(made))
        batch = accounting._take()
        assert isinstance(batch, dict)
        sizes.append(len(batch))
    assert sizes == [32, 32, 32, 3, 29, 32]


def test_what_a_lost_connection_gives_back_counts_as_waiting_again() -> None:
    accounting, way = Accounting(NOWHERE, "main", Counters()), Way()
    for request in requests(Nas(), way, 40, login=False):
        accounting.submit(request)
    batch = accounting._take()
    assert batch is not None
    accounting._give_back(batch)
    assert (accounting._waiting, accounting._under_way) == (40, 0)
    assert accounting._take() == batch
