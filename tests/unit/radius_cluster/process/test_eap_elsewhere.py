"""Requests that another process decides: the router hears one answer, from whom it asked (RAD-2, RAD-10)."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from radius_cluster.counters import Counters
from radius_cluster.listen.duplicates import Duplicates
from radius_cluster.listen.peers import FORWARD, RECALL, REPLY
from radius_cluster.listen.receive import Request
from radius_cluster.process import eap_elsewhere
from radius_cluster.process.eap_elsewhere import Elsewhere, UdpGuests
from radius_cluster.radsec.guests import RadsecGuests
from radius_cluster.routing.directory import Directory
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.md5 import hmac_md5
from radius_cluster.wire.packet import Packet, parse

SECRET, NAS = b"radius-secret", 3
ROUTER = ("203.0.113.1", 1812)


class Way:
    """The router's own way to the process that it asked."""

    def __init__(self) -> None:
        self.duplicates = Duplicates()
        self.sent: list[tuple[bytes, Any]] = []

    def send(self, reply: bytes, destination: Any) -> None:
        self.sent.append((reply, destination))


def login(number: int = 1, code: int = codes.ACCESS_REQUEST, secret: bytes = SECRET) -> bytes:
    body = encode.text(codes.USER_NAME, "alice") + encode.text(codes.NAS_IDENTIFIER, "t-nas1")
    head = bytes((code, number)) + (38 + len(body)).to_bytes(2, "big") + number.to_bytes(16, "big")
    return head + b"\x50\x12" + hmac_md5(secret, head + b"\x50\x12" + bytes(16) + body) + body


class Cluster:
    """Processes that know one router; ``decided`` are requests with the process that was asked."""

    def __init__(self, kind: str, *names: str) -> None:
        self.nas: Any = SimpleNamespace(
            id=NAS, tenant=SimpleNamespace(id=7), identifier=b"t-nas1", secret=SECRET, required=True, seen=7, counts={},
            touched=False, heard=False, last_source=("", 0), options={},
        )  # fmt: skip
        directory: Any = Directory()
        directory.nas[NAS] = directory.by_identifier[b"t-nas1"] = self.nas
        self.decided: list[tuple[str, Request, bool]] = []
        self._under_way: list[tuple[str, str, int, bytes]] = []
        self.processes = {name: self._process(kind, name, directory) for name in names}
        self.way = Way()

    def _process(self, kind: str, name: str, directory: Directory) -> Elsewhere:
        def send(other: str, message: int, body: bytes) -> bool:
            self._under_way.append((other, name, message, body))
            return other in self.processes

        def decide(request: Request) -> None:
            self.decided.append((name, request, getattr(guests, "recalling", False)))

        guests: Any
        if kind == "udp":
            guests = UdpGuests(send, directory, Counters(), {codes.ACCESS_REQUEST: decide})
        else:
            guests = RadsecGuests(send, directory, Counters(), decide)
        return Elsewhere(send, guests)

    def ask(self, others: list[str], data: bytes = b"", kind: int = FORWARD) -> int:
        """The first process asks others."""
        asked = self.processes["one"].ask(others, self.request(data), kind)
        self.deliver()
        return asked

    def deliver(self) -> None:
        while self._under_way:
            other, sender, kind, body = self._under_way.pop(0)
            if other in self.processes:
                self.processes[other].on_message(sender, kind, body)

    def answer(self, number: int, reply: bytes) -> None:
        """Whoever decided this one answers it."""
        self.decided[number][1].answer(reply)
        self.deliver()

    def request(self, data: bytes = b"") -> Request:
        packet = parse(data or login())
        assert isinstance(packet, Packet)
        return Request(packet, self.nas, self.way, ROUTER, packet.raw[:20], time.time())


kinds = pytest.mark.parametrize("kind", ["udp", "radsec"])


@pytest.fixture
def made() -> Iterator[Callable[..., Cluster]]:
    clusters: list[Cluster] = []

    def make(kind: str) -> Cluster:
        clusters.append(Cluster(kind, "one", "two", "three"))
        return clusters[-1]

    yield make
    for cluster in clusters:
        for process in cluster.processes.values():
            if isinstance(process.guests, UdpGuests):
                process.guests.close()


@kinds
def test_the_answer_goes_back_the_way_that_the_request_came(made: Callable[..., Cluster], kind: str) -> None:
    cluster = made(kind)
    assert cluster.ask(["two"]) == 1
    [(name, there, _)] = cluster.decided
    assert (name, there.nas.id, there.packet.raw) == ("two", NAS, login())
    cluster.answer(0, b"challenge")
    assert cluster.way.sent == [(b"challenge", ROUTER)]


@kinds
def test_a_repeat_is_answered_again_and_decided_once(made: Callable[..., Cluster], kind: str) -> None:
    """A second wrong password, or an EAP step out of turn, would come of it."""
    cluster = made(kind)
    cluster.ask(["two"])
    cluster.ask(["two"])  # still under way
    cluster.answer(0, b"challenge")
    cluster.ask(["two"])
    assert len(cluster.decided) == 1
    assert [reply for reply, _ in cluster.way.sent] == [b"challenge"] * 2
    cluster.ask(["two"], login(2))
    assert len(cluster.decided) == 2


@kinds
def test_of_several_that_are_asked_the_first_answers(made: Callable[..., Cluster], kind: str) -> None:
    cluster = made(kind)
    assert cluster.ask(["two", "three", "gone"], kind=RECALL) == 2
    for number in range(2):
        cluster.answer(number, b"%d" % number)
    assert [reply for reply, _ in cluster.way.sent] == [b"0"]


@kinds
@pytest.mark.parametrize("data", [login(secret=b"another"), login(code=codes.ACCOUNTING_REQUEST), b"\x01\x01\0\x14"])
def test_what_does_not_verify_is_decided_nowhere(made: Callable[..., Cluster], kind: str, data: bytes) -> None:
    cluster = made(kind)
    described = cluster.processes["one"].guests.describe(cluster.request())
    cluster.processes["two"].on_message("one", FORWARD, bytes(8) + described + b"\n" + data)
    cluster.deliver()
    assert cluster.decided == []
    assert cluster.way.sent == []


def test_a_router_that_is_not_known_there_is_nobodys(made: Callable[..., Cluster]) -> None:
    cluster = made("radsec")
    cluster.processes["two"].on_message("one", FORWARD, bytes(8) + b"99\n" + login())
    assert cluster.decided == []


def test_one_that_is_asked_what_it_may_remember_asks_nobody_in_turn(made: Callable[..., Cluster]) -> None:
    """Else processes would send it round for ever. Requests of its own routers go on asking."""
    cluster = made("udp")
    cluster.ask(["two"], kind=RECALL)
    assert [getattr(process.guests, "recalling", None) for process in cluster.processes.values()] == [False] * 3
    cluster.ask(["two"], login(2))
    assert [recalling for _, _, recalling in cluster.decided] == [True, False]


def test_an_answer_that_comes_too_late_or_to_nothing_is_not_sent(
    made: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = made("udp")
    one = cluster.processes["one"]
    one.on_message("two", REPLY, bytes(8) + b"to nothing")
    for number in (1, 2):
        cluster.ask(["two"], login(number))
        one.tick(time.monotonic() + (5.5 if number == 1 else 6.5))
        cluster.answer(-1, b"%d" % number)
    assert [reply for reply, _ in cluster.way.sent] == [b"1"]
    monkeypatch.setattr(eap_elsewhere, "_MOST_ASKED", 2)
    assert [cluster.ask(["two"], login(number)) for number in (3, 4, 5)] == [1, 1, 0]


@kinds
def test_what_was_decided_for_others_is_not_kept_for_ever(made: Callable[..., Cluster], kind: str) -> None:
    cluster = made(kind)
    cluster.ask(["two"])
    cluster.answer(0, b"challenge")
    two = cluster.processes["two"]
    for seconds in (0, 1, 6):
        assert len(two.guests.duplicates.answers) == 1
        two.tick(time.monotonic() + seconds)
    assert two.guests.duplicates.answers == {}


def test_what_nobody_was_there_for_takes_no_room(made: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eap_elsewhere, "_MOST_ASKED", 1)
    cluster = made("udp")
    assert [cluster.ask(["gone"], login(number)) for number in (1, 2)] == [0, 0]
    assert cluster.ask(["two"], login(3)) == 1
