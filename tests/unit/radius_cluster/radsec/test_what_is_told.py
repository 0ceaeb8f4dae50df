"""What of RadSec is told to whom: refusals to the provider, connections to the coa processes; balancers before it."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from radius_cluster.listen.peers import ASK, HOLDS, REPLY
from radius_cluster.radsec import way_back as module
from radius_cluster.radsec.connection import IDLE_SECONDS
from radius_cluster.radsec.holdings import Holdings
from radius_cluster.radsec.way_back import WayBack
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.coa import encode_dynamic_request, encode_dynamic_response
from radius_cluster.wire.proxy_protocol import TrustedBalancers, encode_proxy_header
from tests.fixtures.busy_machine import limit
from tests.unit.radius_cluster.radsec.cloud import NAS, SECRET, TENANT, Cloud, Router, credential_of, login, report, run


def test_a_refused_packet_is_told_with_its_name_and_device() -> None:
    async def story() -> None:
        cloud = Cloud()
        device = encode.text(codes.CALLING_STATION_ID, "02-00-00-00-00-07")
        cloud.router().send(login(3, device)[:-1] + b"8")
        cloud.router().send(report(3)[:-1] + b"E")
        login_refused, report_refused = cloud.counters.refusals.values()
        assert (login_refused.username, login_refused.mac) == ("alice", "02:00:00:00:00:08")  # as it came
        assert (login_refused.nas_identifier, login_refused.source) == ("t-nas1", "192.0.2.1:4000")
        assert (login_refused.method, login_refused.code) == ("radsec", codes.ACCESS_REQUEST)
        assert report_refused.code == codes.ACCOUNTING_REQUEST
        counts = cloud.router_known.counts
        assert counts["auth", "dropped:wrong_secret"] == counts["acct", "dropped:wrong_secret"] == 1

    run(story)


def test_a_key_that_fails_is_told_to_its_owner_and_one_of_nobody_is_counted() -> None:
    async def story() -> None:
        cloud = Cloud()
        cloud.credentials.by_identity |= {"mine": credential_of(), "old": credential_of(withdrawn=True)}
        connection = Router(cloud).connection
        for known, unknown in ((b"mine", b""), (b"", b"old"), (b"", b"another"), (b"", b"")):
            tls: Any = SimpleNamespace(key_identity=known, unknown_key=unknown)
            cloud.hub.refuse_handshake(connection, tls, "why")
        assert cloud.refused() == [("wrong_secret", TENANT, NAS), ("radsec_withdrawn", TENANT, NAS)]
        assert cloud.counted("radsec_handshake") == 2

    run(story)


def test_proxy_state_needs_no_message_authenticator_inside_tls_status_server_does() -> None:
    async def story() -> None:
        cloud = Cloud()
        router = cloud.router()
        proxied = encode.text(codes.USER_NAME, "alice") + encode.octets(33, b"ps")
        router.send(bytes((codes.ACCESS_REQUEST, 1, 0, 20 + len(proxied))) + bytes(16) + proxied)
        assert len(cloud.taken) == 1
        router.send(bytes((codes.STATUS_SERVER, 2, 0, 20)) + bytes(16))
        assert cloud.counted("no_message_authenticator") == 1
        assert router.transport.is_closed

    run(story)


def test_the_first_packet_of_a_router_is_noted_once() -> None:
    async def story() -> None:
        cloud = Cloud()
        cloud.router_known.seen = 0
        router = cloud.router()
        router.send(login(1), login(2))
        assert [(nas.id, bit) for nas, bit, _ in cloud.counters.seen] == [(NAS, 0)]

    run(story)


@pytest.mark.parametrize("pieces", [1, 7, 200])
def test_behind_a_balancer_the_router_is_known_by_its_own_address(pieces: int) -> None:
    async def story() -> None:
        cloud = Cloud()
        cloud.hub.balancers = TrustedBalancers("192.0.2.0/24")
        router = Router(cloud)
        header = encode_proxy_header(("203.0.113.9", 41_000), ("192.0.2.1", 2083), datagram=False)
        for at in range(0, len(header), pieces):
            router.send_octets(header[at : at + pieces])
        assert router.shake_hands().is_in
        assert router.connection.shown == "203.0.113.9:41000"
        bad = Router(cloud)
        bad.shake_hands()  # without the header
        assert bad.transport.is_aborted
        assert cloud.counted("bad_proxy_header") == 1
        cloud.hub.balancers = TrustedBalancers("198.51.100.0/24")
        plain = cloud.router()
        assert plain.is_in
        assert plain.connection.shown == "192.0.2.1:4000"

    run(story)


def test_a_request_that_is_sent_again_while_it_is_decided_is_decided_once() -> None:
    async def story() -> None:
        cloud = Cloud()
        router = cloud.router()
        router.send(login(1), login(1))
        assert await router.received() == []
        [request] = cloud.taken
        assert cloud.router_known.counts["auth", "duplicate"] == 1
        request.answer(login(9))
        assert [packet.identifier for packet in await router.received()] == [9]

    run(story)


def test_an_hour_of_silence_is_counted_from_the_last_packet() -> None:
    async def story() -> None:
        cloud = Cloud()
        busy, silent = cloud.router(), cloud.router()
        for router in (busy, silent):
            router.connection.heard_at -= IDLE_SECONDS
        busy.send(login(1))
        cloud.hub.tick(time.monotonic() + 1)
        assert busy.is_in
        assert silent.transport.is_closed

    run(story)


def test_who_says_goodbye_or_hangs_up_is_let_go() -> None:
    async def story() -> None:
        cloud = Cloud()
        polite, rude = cloud.router(), cloud.router()
        polite.tls.shutdown()
        polite.carry()
        assert polite.transport.is_closed
        rude.connection.eof_received()
        assert rude.transport.is_aborted
        rude.connection.connection_lost(None)
        rude.connection.send(login(1), ("192.0.2.1", 4000))  # an answer that comes too late goes nowhere
        rude.connection.close()
        cloud.hub.close_all()
        await asyncio.sleep(0)
        assert cloud.hub.busy()  # until the transport has ended
        polite.connection.connection_lost(None)
        assert not cloud.hub.busy()

    run(story)


class Others:
    """Processes of this host, or of others."""

    is_closed = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: list[tuple[str, int, bytes]] = []

    def names(self, prefix: str = "") -> list[str]:
        assert prefix == "coa@"
        return [self.name]

    def send(self, peer: str, kind: int, body: bytes) -> bool:
        if peer == self.name:
            self.sent.append((peer, kind, body))
        return peer == self.name

    def told(self) -> list[frozenset[int]]:
        found, holdings = [], Holdings()
        for _, kind, body in self.sent:
            if kind == HOLDS and holdings.take(body):
                found.append(holdings.routers)
        return found


def test_coa_processes_of_all_hosts_hear_at_once_who_has_come_and_who_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TELL_AFTER_SECONDS", 0.001)

    async def story() -> None:
        cloud, here, there = Cloud(), Others("coa@here"), Others("coa@there")
        WayBack(cloud.hub, cast(Any, here), cast(Any, there))
        routers = [cloud.router(), cloud.router()]

        async def told(times: int) -> None:
            async with asyncio.timeout(limit(5)):
                while len(here.sent) < times:
                    await asyncio.sleep(0.001)

        await told(1)
        for router in routers:
            router.connection.connection_lost(None)
        await told(2)
        here.is_closed = True
        cloud.router()
        await asyncio.sleep(0.02)
        # Those that come together are told together; and nothing after the end.
        assert here.told() == there.told() == [frozenset({NAS}), frozenset()]

    run(story)


def test_answers_go_to_all_that_asked_under_the_identifier_and_to_nobody_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        cloud, here, there = Cloud(), Others("coa@here"), Others("coa@there")
        back = WayBack(cloud.hub, cast(Any, here), cast(Any, there))
        router = cloud.router()
        request = encode_dynamic_request(codes.DISCONNECT_REQUEST, 5, SECRET, encode.text(codes.USER_NAME, "alice"), 1)
        body = NAS.to_bytes(4, "big") + request
        for sender in ("coa@here", "coa@there"):
            back.on_message(sender, ASK, body)
        back.on_message("coa@here", REPLY, body)  # no request
        back.on_message("coa@here", ASK, body[:23])  # no packet
        assert len(await router.received()) == 2
        asked: Any = SimpleNamespace(identifier=5, authenticator=request[4:20])
        answer = encode_dynamic_response(codes.DISCONNECT_ACK, asked, SECRET)
        router.send(answer)
        reply = NAS.to_bytes(4, "big") + answer
        assert (here.sent[-1], there.sent[-1]) == (("coa@here", REPLY, reply), ("coa@there", REPLY, reply))
        back.tell()
        router.send(answer)  # again, within the quarter of a minute in which it may come
        assert here.sent[-1] == ("coa@here", REPLY, reply)
        monkeypatch.setattr(module, "_REMEMBER_SECONDS", -1.0)
        back.tell()
        router.send(answer)
        assert here.sent[-1][1] == HOLDS

    run(story)
