"""Who is shown which packets, and how many (RAD-7)."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from radius_cluster.listen.duplicates import Duplicates
from radius_cluster.listen.receive import Request
from radius_cluster.watch import tell
from radius_cluster.watch.request import WatchedRequest
from radius_cluster.watch.watches import MOST_OF_A_TENANT, LiveWatch, Watches
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet, parse
from tenants.network.packet_watch import LIVES_SECONDS, MOST_PACKETS, PacketWatch, name_key, opened
from tests.fixtures.busy_machine import limit

NOW = 1_795_000_000.0
TENANT = 7


def packet_of(name: str, *more: bytes) -> Packet:
    body = encode.text(codes.USER_NAME, name) + b"".join(more)
    found = parse(bytes((1, 7)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)
    assert isinstance(found, Packet)
    return found


def router(nas_id: int = 3, tenant_id: int = TENANT) -> Any:
    return SimpleNamespace(id=nas_id, tenant=SimpleNamespace(id=tenant_id))


class Way:
    def __init__(self) -> None:
        self.duplicates = Duplicates()
        self.sent: list[bytes] = []

    def send(self, reply: bytes, destination: tuple[Any, ...]) -> None:
        self.sent.append(reply)


def watching(**about: Any) -> tuple[Watches, LiveWatch]:
    watches = Watches()
    watches.hear(PacketWatch("token", TENANT, **about).announcement(300))
    [live] = watches
    return watches, live


def take(watches: Watches, packet: Packet, nas: Any = None, at: float = NOW) -> Request:
    return watches.request(packet, nas or router(), Way(), ("10.0.0.1", 1645), b"key", at)


def test_a_watched_request_tells_its_answer_and_the_reason() -> None:
    watches, live = watching(nas_id=3)
    request = take(watches, packet_of("alice"))
    request.note("expired")
    request.answer(b"\x03reply")
    [seen] = live.seen
    assert (seen.reason, seen.reply, seen.source) == ("expired", b"\x03reply", ("10.0.0.1", 1645))
    assert request.receiver.sent == [b"\x03reply"]  # type: ignore[attr-defined]


def test_one_that_another_process_answers_is_told_there() -> None:
    watches, live = watching(nas_id=3)
    take(watches, packet_of("alice")).forget()
    assert live.seen == []
    take(watches, packet_of("alice")).forget("overload")
    assert [seen.reason for seen in live.seen] == ["overload"]


def test_only_the_tenants_own_packets() -> None:
    watches, live = watching(name="alice")
    assert type(take(watches, packet_of("alice"), router(3, TENANT + 1))) is Request
    watches.dropped(TENANT + 1, router(3, TENANT + 1), packet_of("alice"), b"", ("", 0), "wrong_secret", NOW)
    assert live.seen == []


@pytest.mark.parametrize("written", ["02-AA-BB-CC-DD-EE", "02aa.bbcc.ddee", "02:aa:bb:cc:dd:ee"])
def test_a_name_in_any_writing(written: str) -> None:
    watches, _live = watching(name=name_key("02AABBCCDDEE"))
    assert type(take(watches, packet_of(written))) is WatchedRequest
    assert type(take(watches, packet_of("02-AA-BB-CC-DD-EF"))) is Request
    assert name_key(" Alice ") == name_key("aLICE")


@pytest.mark.parametrize("written", ["Alice@isp", "ISP\\alice", " alice @isp"])
def test_a_name_with_a_realm(written: str) -> None:
    """Its account is found by it, so whoever watches the account wants to see it."""
    watches, live = watching(name="alice")
    assert type(take(watches, packet_of(written))) is WatchedRequest
    assert watches.asked(router(), written, ("10.0.0.1", 3799)) is not None
    tunnel = packet_of("anonymous", encode.octets(codes.EAP_MESSAGE, b"\x02\x01\x00\x06\x19\x00"))
    request = take(watches, tunnel)
    request.eap = SimpleNamespace(user_name=written)
    request.answer(b"\x02")
    assert [seen.raw for seen in live.seen] == [tunnel.raw]
    assert type(take(watches, packet_of("alice.b@isp"))) is Request
    exact, _ = watching(name="alice@isp")
    assert type(take(exact, packet_of("alice@isp"))) is WatchedRequest
    assert type(take(exact, packet_of("alice"))) is Request


def test_a_router_and_a_name_mean_both() -> None:
    watches, _live = watching(nas_id=3, name="alice")
    assert type(take(watches, packet_of("alice"))) is WatchedRequest
    assert type(take(watches, packet_of("bob"))) is Request
    assert type(take(watches, packet_of("alice"), router(4))) is Request


def test_an_accounts_reports_are_known_by_their_class() -> None:
    watches, _live = watching(name="alice", account_id=1001)
    assert type(take(watches, packet_of("anonymous", encode.octets(codes.CLASS, b"00007.00001001")))) is WatchedRequest
    assert type(take(watches, packet_of("anonymous", encode.octets(codes.CLASS, b"00007.00001002")))) is Request


def test_a_name_inside_a_tunnel_is_known_in_the_end() -> None:
    watches, live = watching(name="alice")
    for inner in ("alice", "bob"):
        request = take(watches, packet_of("anonymous", encode.octets(codes.EAP_MESSAGE, b"\x02\x01\x00\x06\x19\x00")))
        request.eap = SimpleNamespace(user_name=inner)
        request.answer(b"\x02")
    assert len(live.seen) == 1


def test_packets_of_no_router_are_shown_to_whom_the_prefix_names() -> None:
    watches, live = watching(name="alice")
    watches.dropped(TENANT, None, packet_of("alice"), b"", ("10.0.0.1", 1), "unknown_nas", NOW)
    watches.dropped(TENANT, None, packet_of("bob"), b"", ("10.0.0.1", 1), "unknown_nas", NOW)
    assert [seen.reason for seen in live.seen] == ["unknown_nas"]


def test_a_flood_is_cut_and_counted() -> None:
    watches, live = watching(nas_id=3)
    packet = packet_of("alice")
    for number in range(5_000):  # in a second
        take(watches, packet, at=NOW + number / 5_000).answer(b"\x02")
    assert 50 <= len(live.seen) <= 61
    assert len(live.seen) + live.left_out == 5_000
    for number in range(100_000):
        take(watches, packet, at=NOW + 1 + number / 50).answer(b"\x02")
    assert len(live.seen) == MOST_PACKETS


def test_a_watch_ends_with_its_time_with_its_viewer_and_when_told_so() -> None:
    watches = Watches()
    about = PacketWatch("token", TENANT, 3)
    now = time.monotonic()
    watches.hear(about.announcement(300))
    assert watches.forget_ended(now + LIVES_SECONDS - 1) == []
    assert len(watches.forget_ended(now + LIVES_SECONDS + 1)) == 1  # nobody said it again
    assert watches.by_tenant == {}
    watches.hear(about.announcement(2))
    assert len(watches.forget_ended(time.monotonic() + 2)) == 1
    watches.hear(about.announcement(300))
    watches.hear(about.announcement(0))
    assert len(watches.forget_ended(time.monotonic())) == 1
    watches.hear(about.announcement(0))
    assert watches.by_tenant == {}


def test_a_tenant_has_only_so_many_at_once() -> None:
    watches = Watches()
    for number in range(9):
        watches.hear(PacketWatch(f"token {number}", TENANT, 3).announcement(300))
    assert len(list(watches)) == MOST_OF_A_TENANT


@pytest.mark.parametrize("text", ["", "{", "[]", '{"watch": {}, "left": 3}', '{"watch": {"token": "x"}}', "7"])
def test_whatever_is_announced_breaks_nothing(text: str) -> None:
    watches = Watches()
    watches.hear(text)
    assert watches.by_tenant == {}


def test_what_lies_in_redis_is_read_with_its_token_only() -> None:
    sealed = PacketWatch("token", TENANT).seal({"name": "alice"})
    assert b"alice" not in sealed
    assert opened("token", sealed) == {"name": "alice"}
    assert opened("another", sealed) is None
    assert opened("token", b"") is None
    assert "token" not in PacketWatch("token", TENANT).key()


def test_a_packet_that_cannot_be_shown_keeps_no_watch_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else every packet of the provider would be looked at for a watch that has long ended."""
    told: list[Any] = []

    async def send(commands: list[Any]) -> None:
        told.extend(command[0] for command in commands)

    async def watch() -> None:
        teller = tell.Teller("redis://nowhere", "radius")
        monkeypatch.setattr(teller._line, "send", send)
        monkeypatch.setattr(tell, "document_of", lambda *_: 1 // 0)
        about = PacketWatch("token", TENANT, nas_id=3)
        teller.watches.hear(about.announcement(300))
        take(teller.watches, packet_of("alice")).answer(b"\x03reply")
        async with asyncio.timeout(limit(20)):
            while next(iter(teller.watches)).seen:
                await asyncio.sleep(0.01)
            teller.watches.hear(about.announcement(0))
            while teller.watches.by_tenant:
                await asyncio.sleep(0.01)
        teller.close()

    asyncio.run(watch())
    assert "RPUSH" not in told


def test_a_packet_that_cannot_be_shown_hides_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    watches, live = watching(nas_id=3)
    for name in ("alice", "bob", "carol"):
        take(watches, packet_of(name)).answer(b"\x03reply")
    shown = tell.document_of

    def document_of(seen: Any, node: str) -> dict[str, Any]:
        assert b"bob" not in seen.raw
        return shown(seen, node)

    monkeypatch.setattr(tell, "document_of", document_of)
    commands = asyncio.run(tell.Teller("redis://nowhere", "radius")._commands(live))
    [push] = [command for command in commands if command[0] == "RPUSH"]
    told = [opened("token", sealed) for sealed in push[2:]]  # type: ignore[arg-type]
    assert [packet["request"]["attributes"][0][2] for packet in told if packet] == ["alice", "carol"]
    assert [command[2] for command in commands if command[0] == "INCRBY"] == [1]  # counted as left out
