"""What a router's RadSec connection brings in, what ends it, what it is spared, and who watches (RAD-1, RAD-7)."""

import asyncio
import time
from typing import Any

import pytest

from infra import clock
from infra.certificates import make_authority, make_client_certificate, make_server_certificate
from radius_cluster.listen.duplicates import KEEP_SECONDS
from radius_cluster.radsec import connection as module
from radius_cluster.radsec import hub as hub_module
from radius_cluster.radsec.credentials import Credential
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.md5 import hmac_md5
from tests.fixtures.busy_machine import limit
from tests.unit.radius_cluster.radsec.cloud import (
    AUTHORITY,
    NAS,
    SECRET,
    SERVER,
    TENANT,
    Cloud,
    Router,
    credential_of,
    login,
    report,
    run,
)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FINISHED_WITH_TLS_SECONDS", 0.01)


async def aborted(*routers: Router) -> None:
    async with asyncio.timeout(limit(5)):
        while not all(router.transport.is_aborted for router in routers):
            await asyncio.sleep(0.005)


def test_a_router_is_known_by_its_certificate_and_answered_through_its_connection() -> None:
    async def story() -> None:
        cloud = Cloud()
        router = cloud.router()
        assert router.is_in
        assert cloud.used == ["192.0.2.1:4000"]
        assert cloud.nas[NAS].counts == {("radsec", "connected"): 1}
        router.send(login(1), report(2))
        first, second = cloud.taken
        assert (first.nas.id, first.user_name, first.source) == (NAS, "alice", ("192.0.2.1", 4000))
        assert cloud.nas[NAS].heard
        assert cloud.nas[NAS].last_source == ("192.0.2.1", 4000)
        assert await router.received() == []
        first.answer(login(9))
        second.answer(login(8))
        assert [packet.identifier for packet in await router.received()] == [9, 8]
        router.send(login(1))  # again: the answer that it had, and nothing is decided
        assert [packet.identifier for packet in await router.received()] == [9]
        assert len(cloud.taken) == 2
        assert cloud.nas[NAS].counts["auth", "duplicate"] == 1
        router.send(report(2))
        assert cloud.nas[NAS].counts["acct", "duplicate"] == 1
        assert cloud.hub.connections == 1
        router.connection.connection_lost(None)
        assert (cloud.hub.connections, cloud.hub.by_nas) == (0, {})

    run(story)


def test_status_server_is_answered_at_once_and_other_codes_are_counted() -> None:
    async def story() -> None:
        cloud = Cloud()
        router = cloud.router()
        head = bytes((codes.STATUS_SERVER, 5)) + (38).to_bytes(2, "big") + bytes(16)
        router.send(head + b"\x50\x12" + hmac_md5(SECRET, head + b"\x50\x12" + bytes(16)))
        assert [packet.code for packet in await router.received()] == [codes.ACCESS_ACCEPT]
        assert cloud.nas[NAS].counts["other", "status"] == 1
        router.send(bytes((codes.COA_REQUEST, 1, 0, 20)) + bytes(16))
        assert cloud.counted("unserved_code") == 1
        assert router.is_in
        assert cloud.taken == []

    run(story)


@pytest.mark.parametrize(
    ("mine", "reason", "shown"),
    [
        (credential_of(withdrawn=True), "radsec_withdrawn", ("radsec_withdrawn", TENANT, NAS)),
        (credential_of(expires_at=1.0), "radsec_withdrawn", ("radsec_withdrawn", TENANT, NAS)),
        (credential_of(nas_id=99), "unknown_nas", ("unknown_nas", TENANT, None)),
        (credential_of(tenant_id=8), "unknown_nas", ("unknown_nas", 8, None)),
    ],
)
def test_who_may_not_come_in_is_told_to_whom_it_concerns(mine: Credential, reason: str, shown: tuple[Any, ...]) -> None:
    async def story() -> None:
        cloud = Cloud(credential=mine)
        router = cloud.router()
        assert not router.is_in
        assert router.transport.is_closed
        assert cloud.counted(reason) == 1
        assert cloud.refused() == [shown]
        assert cloud.used == []
        assert cloud.hub.by_nas == {}

    run(story)


def test_a_certificate_that_nobody_issued_is_counted_only() -> None:
    async def story() -> None:
        cloud = Cloud()
        router = cloud.router(make_client_certificate(AUTHORITY, "another", clock.now()))
        assert not router.is_in
        assert cloud.counted("radsec_unknown") == 1
        assert cloud.refused() == []
        other = make_authority("Another cloud", clock.now())
        router = cloud.router(make_client_certificate(other, "router", clock.now()))
        assert not router.is_in
        assert cloud.counted("radsec_handshake") == 1

    run(story)


def test_a_router_has_sixteen_connections() -> None:
    async def story() -> None:
        cloud = Cloud()
        routers = [cloud.router() for _ in range(17)]
        assert [router.is_in for router in routers] == [True] * 16 + [False]
        assert cloud.counted("too_many") == 1
        assert cloud.refused() == [("too_many", TENANT, NAS)]
        routers[16].connection.connection_lost(None)
        assert len(cloud.hub.by_nas[NAS]) == 16
        routers[0].connection.connection_lost(None)
        assert cloud.router().is_in  # its place is free

    run(story)


def test_of_a_routers_sixteen_connections_the_one_that_has_fallen_silent_gives_way() -> None:
    """Its line was cut again and again: nobody hears the end of those for two minutes, and it would be kept out."""

    async def story() -> None:
        cloud = Cloud()
        routers = [cloud.router() for _ in range(16)]
        for number, router in enumerate(routers):
            router.connection.heard_at -= 30.1 if number == 7 else 29.0
        assert cloud.router().is_in
        assert [router.transport.is_aborted for router in routers] == [number == 7 for number in range(16)]
        assert cloud.counted("too_many") == 0
        assert not cloud.router().is_in  # the others were heard just now
        routers[7].connection.connection_lost(None)
        assert len(cloud.hub.by_nas[NAS]) == 16

    run(story)


def test_a_process_has_so_many_connections_and_who_shakes_no_hands_keeps_no_router_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "MOST_CONNECTIONS", 4)

    async def story() -> None:
        cloud = Cloud()
        first = cloud.router()
        silent = [Router(cloud) for _ in range(3)]
        assert cloud.hub.connections == 4
        assert cloud.router().is_in
        assert [one.transport.is_aborted for one in silent] == [True, False, False]  # the oldest
        assert cloud.counted("too_many") == 1
        silent[0].connection.connection_lost(None)
        silent[1].connection.connection_lost(None)  # hung up by itself
        assert cloud.hub.connections == 3
        last = [cloud.router() for _ in range(2)]
        assert [router.is_in for router in (first, *last)] == [True] * 3
        assert silent[2].transport.is_aborted
        assert not cloud.router().is_in  # all others are in
        assert cloud.counted("too_many") == 3
        assert cloud.hub.connections == 4

    run(story)


def test_what_is_withdrawn_ends_its_connections_and_no_others() -> None:
    async def story() -> None:
        cloud = Cloud()
        router, removed = cloud.router(), cloud.router()
        cloud.hub.refresh()
        assert router.is_in
        del cloud.nas[NAS]
        removed.send(login())
        assert not removed.is_in
        assert cloud.taken == []
        assert cloud.counted("unknown_nas") == 1
        cloud.credentials.by_identity.clear()
        cloud.hub.refresh()
        assert router.transport.is_closed

    run(story)


@pytest.mark.parametrize("later", [credential_of(withdrawn=True), credential_of(expires_at=1.0)])
def test_a_certificate_that_is_withdrawn_or_ends_takes_its_open_connections_along(later: Credential) -> None:
    async def story() -> None:
        cloud = Cloud()
        router = cloud.router()
        [identity] = cloud.credentials.by_identity
        cloud.credentials.by_identity = {identity: credential_of(expires_at=time.time() + 60)}
        cloud.hub.refresh()
        assert router.is_in
        cloud.credentials.by_identity = {identity: later}
        cloud.hub.refresh()
        assert router.transport.is_closed

    run(story)


def test_a_renewed_server_certificate_is_shown_to_who_connects_next_and_no_certificate_lets_nobody_in() -> None:
    async def story() -> None:
        cloud = Cloud()
        router = cloud.router()
        cloud.hub.refresh()
        assert cloud.router().server_certificate == router.server_certificate == SERVER.certificate_pem
        renewed = make_server_certificate(AUTHORITY, ["radsec.example"], clock.now())
        cloud.credentials.server.chain_pem, cloud.credentials.server.key_pem = renewed.certificate_pem, renewed.key_pem
        cloud.hub.refresh()
        assert cloud.router().server_certificate == renewed.certificate_pem
        assert router.is_in
        cloud.credentials.server = None  # not loaded yet
        cloud.hub.refresh()
        assert cloud.router().is_in
        early = Cloud(has_certificate=False)
        assert Router(early).transport.is_aborted
        assert early.counted("too_many") == 1

    run(story)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x01\x02\x00\x05" + bytes(20), "bad_length"),
        (b"\xfe\x02\x00\x14" + bytes(16), "unknown_code"),
        (b"\x01\x02\x00\x18" + bytes(16) + b"\x01\x0aab", "bad_attribute"),
        (login(3)[:-1] + b"E", "wrong_secret"),
        (report(3)[:-1] + b"E", "wrong_secret"),
    ],
)
def test_a_stream_that_cannot_be_trusted_ends_and_what_was_ready_leaves_before(data: bytes, reason: str) -> None:
    async def story() -> None:
        cloud = Cloud()
        live = cloud.watch(nas_id=NAS)
        router = cloud.router()
        router.send(login(1))
        cloud.taken[0].answer(login(9))
        router.send(data)
        assert router.transport.is_closed
        assert [packet.identifier for packet in await router.received()] == [9]
        assert cloud.counted(reason) == 1
        # Whoever watches the router sees the packet and why it got no answer; a length that is none makes no packet.
        seen = [(one.reason, one.raw) for one in live.seen if one.reply is None]
        assert seen == ([] if reason == "bad_length" else [(reason, data)])
        router.send(login(2))
        assert len(cloud.taken) == 1
        await aborted(router)  # a peer that does not read is not waited for

    run(story)


def test_garbage_instead_of_tls_ends_the_connection_whatever_the_peer_reads() -> None:
    async def story() -> None:
        cloud = Cloud()
        early, late = Router(cloud), cloud.router()
        for router in (early, late):
            router.send_octets(b"GET / HTTP/1.1\r\n\r\n")
            assert router.transport.is_closed
            assert not router.connection.is_open
        assert cloud.counted("radsec_handshake") == 1  # the late one had shown its certificate
        await aborted(early, late)

    run(story)


def test_a_login_needs_no_message_authenticator_but_eap_does() -> None:
    async def story() -> None:
        cloud = Cloud()
        router = cloud.router()
        bare = bytes((codes.ACCESS_REQUEST, 1, 0, 27)) + bytes(16) + encode.text(codes.USER_NAME, "alice")
        router.send(bare)
        assert len(cloud.taken) == 1
        router.send(
            bytes((codes.ACCESS_REQUEST, 2, 0, 28))
            + bytes(16)
            + encode.octets(codes.EAP_MESSAGE, b"\x02\x01\x00\x04\x01\x01")
        )
        assert len(cloud.taken) == 1
        assert cloud.counted("no_message_authenticator") == 1
        assert router.transport.is_closed

    run(story)


def test_time_runs_out_for_who_shakes_no_hands_says_nothing_or_reads_nothing() -> None:
    async def story() -> None:
        cloud = Cloud()
        now = time.monotonic()
        slow, silent, deaf = Router(cloud), cloud.router(), cloud.router()
        deaf.connection.pause_writing()
        assert not deaf.transport.reads
        cloud.hub.tick(now + module.HANDSHAKE_SECONDS - 1)
        assert slow.connection.is_open
        cloud.hub.tick(now + module.HANDSHAKE_SECONDS + 1)
        assert slow.transport.is_aborted
        assert cloud.counted("handshake_timeout") == 1
        cloud.hub.tick(now + module.UNREAD_SECONDS - 1)
        assert deaf.connection.is_open
        deaf.connection.resume_writing()
        assert deaf.transport.reads
        cloud.hub.tick(now + module.UNREAD_SECONDS + 1)
        assert deaf.connection.is_open
        deaf.connection.pause_writing()
        cloud.hub.tick(time.monotonic() + module.UNREAD_SECONDS + 1)
        assert deaf.transport.is_aborted
        assert cloud.counted("unread") == 1
        cloud.hub.tick(now + module.IDLE_SECONDS - 1)
        assert silent.is_in
        cloud.hub.tick(now + module.IDLE_SECONDS + 1)
        assert silent.transport.is_closed

    run(story)


def test_no_more_is_read_while_too_much_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_UNDER_WAY", 8)
    monkeypatch.setattr(module, "_FEW_UNDER_WAY", 4)

    async def story() -> None:
        cloud = Cloud()
        router = cloud.router()
        router.send(*(login(number) for number in range(1, 8)))
        assert router.transport.reads
        router.send(login(8))
        assert not router.transport.reads
        for request in cloud.taken[:2]:
            request.answer(login(9))
        cloud.taken[2].forget("overload")
        assert not router.transport.reads
        cloud.taken[3].answer(login(9))
        assert router.transport.reads
        router.send(*(login(number) for number in range(11, 16)))
        assert not router.transport.reads
        now = time.monotonic()  # answers that never come: they are forgotten as any
        cloud.hub.tick(now)
        cloud.hub.tick(now + KEEP_SECONDS + 1)
        assert router.transport.reads

    run(story)


def test_watching_a_router_that_speaks_radsec() -> None:
    async def story() -> None:
        cloud = Cloud()
        live, other = cloud.watch(nas_id=NAS), cloud.watch(name="bob")
        router = cloud.router()
        router.send(login(1))
        request = cloud.taken[0]
        request.note("expired")
        request.answer(login(9))
        router.send(login(1))
        await router.received()
        router.send(login(2))
        cloud.taken[1].forget("overload")
        seen = [(one.nas.id, one.source, one.raw, one.reply, one.reason) for one in live.seen if one.nas is not None]
        source = ("192.0.2.1", 4000)
        assert seen == [
            (NAS, source, login(1), login(9), "expired"), (NAS, source, login(1), login(9), "duplicate"),
            (NAS, source, login(2), None, "overload"),
        ]  # fmt: skip
        assert other.seen == []

    run(story)
