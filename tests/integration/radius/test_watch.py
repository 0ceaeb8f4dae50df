"""Packets that staff watch: real processes, real packets, through the database's NOTIFY and Redis (RAD-7)."""

import itertools
import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from infra.settings import Settings
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from tenants.network.packet_watch import CHANNEL, PacketWatch, name_key, opened
from tests.fixtures.busy_machine import limit
from tests.fixtures.coa_port import CoaPort
from tests.fixtures.radius import Processes, World, WorldTenant, wait_for

PASSWORD = "a-very-secret-password"


class Viewer:
    """Somebody who watches; goes on saying so at each look."""

    def __init__(self, world: World, redis: Redis, **about: Any) -> None:
        self.world, self.redis = world, redis
        self.watch = PacketWatch(secrets.token_urlsafe(16), **about)
        self.say()

    def say(self, left: float = 300) -> None:
        self.world.query("SELECT pg_notify(%s, %s)", CHANNEL, self.watch.announcement(left))

    def nodes(self) -> set[str]:
        self.say()
        return {name.decode() for name in self.redis.smembers(self.watch.key("nodes"))}

    def watched_by(self, processes: int) -> "Viewer":
        wait_for(lambda: len(self.nodes()) == processes)
        return self

    def seen(self) -> list[dict[str, Any]]:
        self.say()
        found = [opened(self.watch.token, raw) for raw in self.redis.lrange(self.watch.key("packets"), 0, -1)]
        return [packet for packet in found if packet is not None]

    def told(self, packets: int) -> list[dict[str, Any]]:
        return wait_for(lambda: self.seen() if len(self.seen()) >= packets else None)


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    with Redis.from_url(settings.redis_url) as opened_redis:
        yield opened_redis


@pytest.fixture
def tenant(world: World) -> WorldTenant:
    return world.tenant()


def attributes(packet: dict[str, Any], which: str = "request") -> dict[str, str]:
    return {name: text for name, _tag, text, _hidden, _fits in packet[which]["attributes"]}


def test_two_processes_tell_what_came_and_what_was_answered(
    world: World, processes: Processes, client, redis: Redis, tenant: WorldTenant
) -> None:
    nas_id, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", PASSWORD, max_sessions=0)
    for _ in range(2):
        processes.start()
    viewer = Viewer(world, redis, tenant_id=tenant.id, nas_id=nas_id).watched_by(2)
    by_node: set[str] = set()
    for count in itertools.count(1):  # until the kernel has given each of them a port of ours
        router = client(identifier)
        assert router.log_in("alice", PASSWORD).code == codes.ACCESS_ACCEPT
        by_node = {packet["node"] for packet in viewer.told(count)}
        if len(by_node) == 2:
            break
        assert count < 40
    packet = viewer.seen()[0]
    assert packet["request"]["code"] == "Access-Request"
    assert attributes(packet)["User-Name"] == "alice"
    assert attributes(packet)["NAS-Identifier"] == identifier
    assert packet["answer"]["code"] == "Access-Accept"
    assert attributes(packet, "answer")["Mikrotik-Rate-Limit"].startswith("10M/50M")
    assert (packet["router"], packet["reason"]) == (nas_id, "")
    assert packet["source"].startswith("127.0.0.1:")
    assert 0 < packet["ms"] < 60_000
    assert PASSWORD not in json.dumps(viewer.seen())


def test_every_fate_of_a_packet(world: World, processes: Processes, client, redis: Redis, tenant: WorldTenant) -> None:
    nas_id, identifier = world.nas(tenant)
    account_id = world.subscriber(tenant, "alice", PASSWORD, state=2)
    processes.start()
    viewer = Viewer(world, redis, tenant_id=tenant.id, nas_id=nas_id).watched_by(1)
    by_name = Viewer(world, redis, tenant_id=tenant.id, name=name_key("ALICE"), account_id=account_id).watched_by(1)
    router, wrong = client(identifier), client(identifier, "another secret")
    request = router.access("alice", PASSWORD, method="chap")
    router.ask(request)
    router.ask(request)  # again: the same answer
    wrong.ask(wrong.access("alice"), timeout=0.2)
    router.ask(router.access("alice", message_authenticator=False), timeout=0.2)
    assert router.account(codes.ACCT_START, "s1", "alice")
    assert router.account(
        codes.ACCT_STOP, "s1", "anonymous", extra=encode.text(codes.CLASS, class_of(tenant, account_id))
    )
    nobody = client(f"{tenant.prefix}-nobody")
    nobody.ask(nobody.access("alice"), timeout=0.2)
    fates = [(packet["request"]["code"], packet["reason"]) for packet in viewer.told(6)]
    assert sorted(set(fates)) == [
        ("Access-Request", "disabled"),
        ("Access-Request", "duplicate"),
        ("Access-Request", "no_message_authenticator"),
        ("Access-Request", "wrong_secret"),
        ("Accounting-Request", ""),
    ]
    refused = next(packet for packet in viewer.seen() if packet["reason"] == "disabled")
    assert refused["answer"]["code"] == "Access-Reject"
    assert refused["ms"] < 1000 * limit(1)  # without the second for which a Reject waits
    names = wait_for(lambda: {p["reason"] for p in by_name.seen()} if len(by_name.seen()) >= 7 else None)
    assert names == {"disabled", "duplicate", "wrong_secret", "no_message_authenticator", "unknown_nas", ""}
    assert any(attributes(packet)["User-Name"] == "anonymous" for packet in by_name.seen())


def class_of(tenant: WorldTenant, account_id: int) -> str:
    return f"{tenant.id:05}.{account_id:08}"


def test_what_we_ask_of_a_router_is_seen_too(
    world: World, processes: Processes, redis: Redis, tenant: WorldTenant, coa_port: CoaPort
) -> None:
    nas_id, _ = world.nas(tenant, auth_mode="address", address="127.0.0.1", coa_port=coa_port.port)
    processes.start("radius_cluster.coa", "coa_ready")
    viewer = Viewer(world, redis, tenant_id=tenant.id, nas_id=nas_id).watched_by(1)
    payload = {"nas_id": nas_id, "session_id": "s1", "username": "alice", "framed_ip": "10.0.0.7", "account_id": 0,
               "mac": "", "reason": "kicked"}  # fmt: skip
    world.run(
        "INSERT INTO work.outbox (tenant_id, topic, subject, payload) VALUES (%s, 'radius.disconnect', 's', %s)",
        tenant.id, json.dumps(payload),
    )  # fmt: skip
    [packet] = viewer.told(1)
    assert (packet["request"]["code"], packet["answer"]["code"]) == ("Disconnect-Request", "Disconnect-ACK")
    assert attributes(packet)["Acct-Session-Id"] == "s1"


def test_another_providers_packets_are_never_seen(
    world: World, processes: Processes, client, redis: Redis, tenant: WorldTenant
) -> None:
    other = world.tenant()
    other_nas, other_identifier = world.nas(other)
    world.subscriber(other, "alice", PASSWORD)
    processes.start()
    by_name = Viewer(world, redis, tenant_id=tenant.id, name="alice").watched_by(1)
    by_router = Viewer(world, redis, tenant_id=tenant.id, nas_id=other_nas).watched_by(1)
    theirs = Viewer(world, redis, tenant_id=other.id, name="alice").watched_by(1)
    assert client(other_identifier).log_in("alice", PASSWORD).code == codes.ACCESS_ACCEPT
    theirs.told(1)
    assert by_name.seen() == by_router.seen() == []


def test_nothing_is_kept_once_nobody_watches(
    world: World, processes: Processes, client, redis: Redis, tenant: WorldTenant
) -> None:
    nas_id, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", PASSWORD)
    processes.start()
    viewer = Viewer(world, redis, tenant_id=tenant.id, nas_id=nas_id).watched_by(1)
    router = client(identifier)
    router.log_in("alice", PASSWORD)
    viewer.told(1)
    for part in ("packets", "nodes"):
        assert 0 < redis.ttl(viewer.watch.key(part)) <= 60
    viewer.say(left=0)
    redis.delete(viewer.watch.key("packets"))
    # Words come in their order: the end has been heard before another watch begins.
    another = Viewer(world, redis, tenant_id=tenant.id, nas_id=nas_id).watched_by(1)
    router.log_in("alice", PASSWORD)
    another.told(1)
    assert not redis.exists(viewer.watch.key("packets"))


def test_redis_away_changes_nothing_for_logins(
    settings: Settings, world: World, processes: Processes, client, redis: Redis, tenant: WorldTenant
) -> None:
    nas_id, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", PASSWORD, max_sessions=0)
    processes.settings = replace(settings, redis_url="redis://127.0.0.1:1/0")
    processes.start()
    viewer = Viewer(world, redis, tenant_id=tenant.id, nas_id=nas_id)
    router = client(identifier)
    wait_for(lambda: "watch_not_told" in processes.logs())
    for _ in range(20):
        viewer.say()
        assert router.log_in("alice", PASSWORD).code == codes.ACCESS_ACCEPT
    assert viewer.nodes() == set()
