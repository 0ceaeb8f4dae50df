"""What waits for each router: its own pace, three tries, and nothing kept of routers that are asked no more."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from radius_cluster.coa import exchange as module
from radius_cluster.coa.exchange import RADSEC, TRY_AFTER_SECONDS, Exchange
from radius_cluster.wire.coa import DynamicReply, encode_dynamic_response
from radius_cluster.wire.codes import DISCONNECT_ACK, DISCONNECT_NAK, DISCONNECT_REQUEST, USER_NAME
from radius_cluster.wire.packet import Packet, parse

SECRET = b"radius-secret"
NAMES = b"\x01\x07alice"


class Clock:
    """Goes when it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@contextmanager
def opened() -> Iterator[tuple[Exchange, socket.socket]]:
    """An exchange and a router's port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as router:
        router.bind(("127.0.0.1", 0))
        router.setblocking(False)
        exchange = Exchange("127.0.0.1")
        try:
            yield exchange, router
        finally:
            exchange.close()


def ask(
    exchange: Exchange, router: socket.socket, rate: float = 500.0, names: bytes = NAMES
) -> asyncio.Future[DynamicReply | None]:
    answer: asyncio.Future[DynamicReply | None] = asyncio.get_running_loop().create_future()
    exchange.ask(router.getsockname(), SECRET, DISCONNECT_REQUEST, names, answer.set_result, rate)
    return answer


async def next_request(router: socket.socket) -> tuple[Packet, tuple[str, int]]:
    async with asyncio.timeout(10):
        data, source = await asyncio.get_running_loop().sock_recvfrom(router, 4096)
    packet = parse(data)
    assert isinstance(packet, Packet)
    return packet, source


def test_a_router_is_sent_no_more_a_second_than_it_wants() -> None:
    async def story() -> float:
        with opened() as (exchange, router):
            loop = asyncio.get_running_loop()
            names = [b"\x01\x04u%d" % number for number in range(6)]
            for name in names:
                ask(exchange, router, rate=20.0, names=name)
            assert exchange.under_way == 6
            began = loop.time()
            seen: set[str] = set()  # by name: what nobody answers is sent again meanwhile
            while len(seen) < len(names):
                request, _ = await next_request(router)
                seen.add(request.text(USER_NAME))
            return loop.time() - began

    assert asyncio.run(story()) > 0.18  # two at once, then four at 1/20 s


def test_only_the_answer_to_the_very_request_counts() -> None:
    async def story() -> DynamicReply | None:
        with opened() as (exchange, router), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            answer = ask(exchange, router)
            request, source = await next_request(router)
            ask(exchange, router, names=b"\x01\x05bob")
            other, _ = await next_request(router)
            of_other = encode_dynamic_response(DISCONNECT_ACK, other, SECRET)
            router.sendto(encode_dynamic_response(DISCONNECT_ACK, request, b"another-secret"), source)
            router.sendto(of_other[:1] + bytes((request.identifier,)) + of_other[2:], source)
            router.sendto(of_other[:3], source)
            stranger.bind(("127.0.0.1", 0))
            stranger.sendto(encode_dynamic_response(DISCONNECT_ACK, request, SECRET), source)
            await asyncio.sleep(0.05)
            assert not answer.done()
            router.sendto(encode_dynamic_response(DISCONNECT_NAK, request, SECRET), source)
            async with asyncio.timeout(10):
                await answer
            assert exchange.under_way == 1  # the other one's
            return await answer

    reply = asyncio.run(story())
    assert reply is not None
    assert not reply.acknowledged


def test_what_no_packet_takes_is_refused_at_once_and_the_longest_is_sent() -> None:
    """Noticed when its turn comes, it would keep everything behind it from its router."""

    async def story() -> bytes:
        with opened() as (exchange, router):
            longest = (b"\x12\xff" + bytes(253)) * 15 + b"\x12\xe3" + bytes(225)
            with pytest.raises(ValueError):
                ask(exchange, router, names=longest + b"\x12\x03x")
            ask(exchange, router, names=longest)
            return (await next_request(router))[0].raw

    assert len(asyncio.run(story())) == 4096


def test_silence_is_told_after_the_third_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRY_AFTER_SECONDS", (0.01,) * len(TRY_AFTER_SECONDS))

    async def story() -> list[bytes]:
        with opened() as (exchange, router):
            async with asyncio.timeout(10):
                assert await ask(exchange, router) is None
            assert exchange.under_way == 0
            seen = [router.recv(4096) for _ in TRY_AFTER_SECONDS]
            with pytest.raises(BlockingIOError):
                router.recv(4096)
            return seen

    seen = asyncio.run(story())
    assert len(seen) == 3
    assert len(set(seen)) == 1  # the same bytes, so that the router knows it for a repeat


def test_through_radsec_a_router_is_asked_once_and_its_silence_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ANSWER_WITHIN_SECONDS", 0.01)

    async def story() -> list[tuple[int, bytes]]:
        sent: list[tuple[int, bytes]] = []
        with opened() as (exchange, _):
            exchange.send_radsec = lambda nas_id, request: sent.append((nas_id, request)) is None
            answers = [asyncio.get_running_loop().create_future() for _ in range(2)]
            for answer in answers:
                exchange.ask((RADSEC, 7), SECRET, DISCONNECT_REQUEST, NAMES, answer.set_result, 500.0)
            request = parse(sent[1][1])
            assert isinstance(request, Packet)
            exchange.on_radsec(8, encode_dynamic_response(DISCONNECT_ACK, request, SECRET))  # another router's
            exchange.on_radsec(7, encode_dynamic_response(DISCONNECT_ACK, request, SECRET))
            async with asyncio.timeout(10):
                silent, answered = await asyncio.gather(*answers)
            assert silent is None
            assert answered is not None
            assert answered.acknowledged
        return sent

    sent = asyncio.run(story())
    assert [nas_id for nas_id, _ in sent] == [7, 7]
    assert len({request[1] for _, request in sent}) == 2  # identifiers


@pytest.mark.parametrize("back_after", [1, 2, 3])
def test_where_the_process_with_the_connection_has_just_died_the_next_one_is_asked(
    monkeypatch: pytest.MonkeyPatch, back_after: int
) -> None:
    """Its router connects to another process within a second or two: the Disconnect must not be lost."""
    monkeypatch.setattr(module, "TRY_AFTER_SECONDS", (0.01, 0.01, 0.01))
    monkeypatch.setattr(module, "_ANSWER_WITHIN_SECONDS", 10.0)

    async def story() -> tuple[int, DynamicReply | None]:
        tries: list[bytes] = []
        answer: asyncio.Future[DynamicReply | None] = asyncio.get_running_loop().create_future()

        def send(_nas_id: int, data: bytes) -> bool:
            tries.append(data)
            if len(tries) <= back_after:
                return False
            request = parse(data)
            assert isinstance(request, Packet)
            reply = encode_dynamic_response(DISCONNECT_ACK, request, SECRET)
            asyncio.get_running_loop().call_soon(exchange.on_radsec, 7, reply)
            return True

        with opened() as (exchange, _):
            exchange.send_radsec = send
            exchange.ask((RADSEC, 7), SECRET, DISCONNECT_REQUEST, NAMES, answer.set_result, 500.0)
            async with asyncio.timeout(10):
                reply = await answer
        assert len(set(tries)) == 1
        return len(tries), reply

    tries, reply = asyncio.run(story())
    assert tries == min(back_after + 1, 3)
    assert (reply is not None and reply.acknowledged) is (back_after < 3)


def test_where_the_connection_had_just_ended_the_router_is_asked_through_its_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TRY_AFTER_SECONDS", (0.01, 0.01, 0.01))
    monkeypatch.setattr(module, "_ANSWER_WITHIN_SECONDS", 10.0)

    async def story(*, back_after: int) -> tuple[int, DynamicReply | None]:
        tries: list[bytes] = []
        answer: asyncio.Future[DynamicReply | None] = asyncio.get_running_loop().create_future()

        def send(_nas_id: int, data: bytes) -> bool:
            tries.append(data)
            request = parse(data)
            assert isinstance(request, Packet)
            ack = encode_dynamic_response(DISCONNECT_ACK, request, SECRET)
            later = asyncio.get_running_loop().call_soon
            if len(tries) <= back_after:
                later(exchange.lost_radsec, 7, data[:2] + bytes(18))  # of another request
                later(exchange.lost_radsec, 8, data[:20])  # of another router
                later(exchange.lost_radsec, 7, data[:19])
                later(exchange.lost_radsec, 7, data[:20])
            else:
                later(exchange.on_radsec, 7, ack)
                later(exchange.lost_radsec, 7, data[:20])  # too late
            return True

        with opened() as (exchange, _):
            exchange.send_radsec = send
            exchange.ask((RADSEC, 7), SECRET, DISCONNECT_REQUEST, NAMES, answer.set_result, 500.0)
            async with asyncio.timeout(5):
                reply = await answer
            assert exchange.under_way == 0
        assert len(set(tries)) == 1
        return len(tries), reply

    for back_after in (1, 2, 3):
        tries, reply = asyncio.run(story(back_after=back_after))
        assert tries == min(back_after + 1, 3)
        assert (reply is not None and reply.acknowledged) is (back_after < 3)


def test_an_identifier_is_used_again_only_when_it_is_free() -> None:
    async def story() -> None:
        sent: list[bytes] = []
        with opened() as (exchange, _):
            exchange.send_radsec = lambda _nas_id, request: sent.append(request) is None
            for _ in range(257):  # one more than a connection has identifiers
                exchange.ask((RADSEC, 7), SECRET, DISCONNECT_REQUEST, NAMES, lambda _reply: None, 1e9)
            assert len({request[1] for request in sent}) == len(sent) == 256
            request = parse(sent[9])
            assert isinstance(request, Packet)
            exchange.on_radsec(7, encode_dynamic_response(DISCONNECT_ACK, request, SECRET))
            async with asyncio.timeout(10):
                while len(sent) == 256:
                    await asyncio.sleep(0.005)
            assert sent[256][1] == sent[9][1]

    asyncio.run(story())


def test_routers_that_were_asked_nothing_for_a_minute_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)

    async def story() -> None:
        with opened() as (exchange, _):
            for port in (1, 2, 3):
                exchange.ask(("127.0.0.1", port), SECRET, DISCONNECT_REQUEST, NAMES, lambda _reply: None, 1.0)
            exchange.ask(("127.0.0.1", 3), SECRET, DISCONNECT_REQUEST, NAMES, lambda _reply: None, 1.0)  # waits
            clock.now += 61
            exchange.ask(("127.0.0.1", 2), SECRET, DISCONNECT_REQUEST, NAMES, lambda _reply: None, 1.0)
            exchange.ask(("127.0.0.1", 4), SECRET, DISCONNECT_REQUEST, NAMES, lambda _reply: None, 1.0)
            assert sorted(port for _, port in exchange._queues) == [2, 3, 4]

    asyncio.run(story())


class Noted:
    """What somebody who watches is told."""

    def __init__(self) -> None:
        self.told: list[bytes | None] = []

    def sent(self, request: bytes) -> None:
        self.told.append(request)

    def ended(self, reply: bytes | None) -> None:
        self.told.append(reply)


def test_who_watches_is_told_of_the_request_and_its_answer_or_that_none_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRY_AFTER_SECONDS", (0.01, 0.01, 0.01))
    replies: list[bytes] = []

    async def story() -> tuple[Noted, Noted]:
        answered, silent = Noted(), Noted()
        with opened() as (exchange, router):
            for watched in (answered, silent):
                answer: asyncio.Future[DynamicReply | None] = asyncio.get_running_loop().create_future()
                to = router.getsockname()
                exchange.ask(to, SECRET, DISCONNECT_REQUEST, NAMES, answer.set_result, 500.0, watched)
                if watched is answered:
                    request, source = await next_request(router)
                    replies.append(encode_dynamic_response(DISCONNECT_ACK, request, SECRET))
                    router.sendto(replies[0], source)
                async with asyncio.timeout(10):
                    await answer
        return answered, silent

    answered, silent = asyncio.run(story())
    assert [answered.told[1:], silent.told[1:]] == [replies, [None]]  # its repeats are not told again
    for noted in (answered, silent):
        first = noted.told[0]
        assert first is not None
        assert first[0] == DISCONNECT_REQUEST


def test_an_answered_request_is_never_sent_again_and_a_changed_pace_counts_at_once() -> None:
    """Else its timer would send, and give up, whatever has its place by then."""

    async def story() -> None:
        with opened() as (exchange, router):
            answer = ask(exchange, router, rate=600.0)
            [pending] = exchange._pending.values()
            request, source = await next_request(router)
            router.sendto(encode_dynamic_response(DISCONNECT_ACK, request, SECRET), source)
            async with asyncio.timeout(10):
                await answer
            assert pending.timer is not None
            assert pending.timer.cancelled()
            ask(exchange, router, rate=700.0)
            [queue] = exchange._queues.values()
            assert queue.rate == 700.0
            [pending] = exchange._pending.values()
        assert pending.timer is not None
        assert pending.timer.cancelled()  # closed: nobody is called back

    asyncio.run(story())
