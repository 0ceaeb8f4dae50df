"""Packets that may not be answered are dropped and counted by reason; nothing crashes (RAD-1, RAD-7, RAD-9, TEN-4)."""

import secrets
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from infra.settings import Settings
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.md5 import md5
from tests.bench.fuzz_socket import fuzz
from tests.fixtures.busy_machine import limit
from tests.fixtures.radius import Processes, World, wait_for


def counts(world: World, tenant_id: int) -> dict[str, int]:
    return dict(
        world.query(
            "SELECT kind || ' ' || outcome, sum(packets)::int FROM aaa.packet_count WHERE tenant_id = %s GROUP BY 1",
            tenant_id,
        )
    )


def test_bad_packets(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    nas_id, identifier = world.nas(tenant)
    _, lenient = world.nas(tenant, "lenient", message_authenticator="optional")
    world.subscriber(tenant, "alice", max_sessions=0)
    process = processes.start()
    router, liar = client(identifier), client(identifier, "not the secret")
    good = router.access("alice")
    before = counts(world, 0)
    silent = [
        b"",
        good[:19],
        good[:40],  # truncated
        good[:2] + b"\x00\x13" + good[4:],  # length below the header
        good[:2] + b"\xff\xff" + good[4:],  # length above all
        good + b"\0" * 5000,
        b"\x63" + good[1:],  # unknown code
        good[:21] + b"\x00" + good[22:],  # an attribute of length 0
        good[:-1] + b"\xff",
        secrets.token_bytes(4096),
        bytes(4096),
        b"\x02" + good[1:],  # a response
    ]
    auth = (processes.settings.bind, processes.settings.radius_auth_port)
    for data in silent:
        router.socket.sendto(data, auth)
    stranger = client(f"{tenant.prefix}-unknown")
    assert stranger.ask(stranger.access("alice"), timeout=0.2) is None
    assert liar.ask(liar.access("alice"), timeout=0.2) is None
    assert liar.ask(liar.accounting(codes.ACCT_START, "s1", "alice"), timeout=0.2) is None
    bare = router.access("alice", message_authenticator=False)
    assert router.ask(bare, timeout=0.2) is None
    # optional: accepted without, but never with Proxy-State (CVE-2024-3596)
    old = client(lenient)
    assert old.ask(old.access("alice", message_authenticator=False)).code == codes.ACCESS_ACCEPT
    proxied = old.access("alice", message_authenticator=False, extra=encode.octets(codes.PROXY_STATE, b"x"))
    assert old.ask(proxied, timeout=0.2) is None
    answer = old.ask(old.access("alice", extra=encode.octets(codes.PROXY_STATE, b"x")))
    assert answer.attributes[codes.PROXY_STATE] == b"x"
    assert router.ask(good).code == codes.ACCESS_ACCEPT
    assert process.poll() is None
    seen = wait_for(lambda: (found := counts(world, tenant.id)).get("auth accepted") == 3 and found)
    assert seen["auth dropped:wrong_secret"] == 1
    assert seen["acct dropped:wrong_secret"] == 1
    assert seen["auth dropped:no_message_authenticator"] == 2
    assert seen["auth dropped:unknown_nas"] == 2  # the stranger, and the packet whose identifier was damaged
    after = counts(world, 0)
    dropped = {name: after[name] - before.get(name, 0) for name in after if name.startswith("auth dropped")}
    assert sum(dropped.values()) >= 10
    refused = (
        "SELECT reason, nas_id, nas_identifier FROM aaa.refused_packet WHERE tenant_id = %s AND reason IN"
        " ('unknown_nas', 'wrong_secret')"
    )
    wanted = {("unknown_nas", None, f"{tenant.prefix}-unknown"), ("wrong_secret", nas_id, identifier)}
    wait_for(lambda: wanted <= set(world.query(refused, tenant.id)))  # written after the counts


def test_a_router_whose_ports_are_mixed_up_is_told_so(world: World, processes: Processes, client) -> None:
    """Logins at the port for accounting, reports at that for logins: no answer, and a reason that its provider sees."""
    tenant = world.tenant()
    nas_id, identifier = world.nas(tenant)
    processes.start()
    auth = (processes.settings.bind, processes.settings.radius_auth_port)
    acct = (processes.settings.bind, processes.settings.radius_acct_port)
    router, liar = client(identifier), client(identifier, "another-secret")
    stranger = client(f"{tenant.prefix}-unknown")
    assert router.ask_at(acct, router.access("alice"), timeout=0.2) is None
    assert router.ask_at(auth, router.accounting(codes.ACCT_START, "s1", "alice"), timeout=0.2) is None
    assert liar.ask_at(acct, liar.access("bob"), timeout=0.2) is None
    assert stranger.ask_at(acct, stranger.access("carol"), timeout=0.2) is None
    refused = "SELECT reason, nas_id, code, username FROM aaa.refused_packet WHERE tenant_id = %s"
    wanted = {
        ("wrong_port", nas_id, codes.ACCESS_REQUEST, "alice"),
        ("wrong_port", nas_id, codes.ACCOUNTING_REQUEST, "alice"),
        ("wrong_secret", nas_id, codes.ACCESS_REQUEST, "bob"),
        ("unknown_nas", None, codes.ACCESS_REQUEST, "carol"),
    }
    wait_for(lambda: set(world.query(refused, tenant.id)) == wanted)
    seen = wait_for(lambda: counts(world, tenant.id))
    assert (seen["auth dropped:wrong_port"], seen["acct dropped:wrong_port"]) == (1, 1)


def test_noise_does_not_grow_or_kill_the_process(settings: Settings, fresh_database_url: str, tmp_path: Path) -> None:
    """The short version of ``python -m tests.bench.fuzz_socket``; a database of its own, for the counters add up."""
    settings = replace(settings, database_url=fresh_database_url)
    world, processes = World(settings.database_url, settings.secret_key), Processes(settings, tmp_path / "process.log")
    process = processes.start()
    try:
        done = fuzz(world, settings, process.pid, 6_000, seed=7, batch=64)
        assert process.poll() is None
    finally:
        processes.stop()
        world.connection.close()
    assert done.wrong() == []
    assert "packet_failed" not in processes.logs()


def test_status_server_on_both_ports(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    processes.start()
    router = client(identifier)
    bind, settings = processes.settings.bind, processes.settings
    body = encode.text(codes.NAS_IDENTIFIER, identifier)
    for port, code in (
        (settings.radius_auth_port, codes.ACCESS_ACCEPT),
        (settings.radius_acct_port, codes.ACCOUNTING_RESPONSE),
    ):
        request = router.signed(codes.STATUS_SERVER, secrets.token_bytes(16), body)
        assert router.ask_at((bind, port), request).code == code
    assert router.ask(router.signed(codes.STATUS_SERVER, secrets.token_bytes(16), body, False), timeout=0.2) is None


def test_a_repeat_gets_the_same_answer(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    account = world.subscriber(tenant, "alice", max_sessions=1)
    processes.start()
    router = client(identifier)
    request = router.access("alice")
    first = router.ask(request)
    assert router.account(codes.ACCT_START, "s1", "alice")
    assert router.ask(request).raw == first.raw  # not "already online"
    same_id = bytes((request[0], request[1])) + router.access("alice")[2:]
    assert router.ask(same_id, timeout=0.3) is None  # another authenticator is another request (here: a wrong sum)
    assert account
    seen = wait_for(lambda: (found := counts(world, tenant.id)).get("auth duplicate") and found)
    assert seen["auth accepted"] == 1


def test_several_nas_behind_one_address(world: World, processes: Processes, client) -> None:
    one, two = world.tenant(), world.tenant()
    routers = []
    for tenant in (one, two):
        for number in (1, 2):
            _, identifier = world.nas(tenant, f"nas{number}", f"secret-{tenant.id}-{number}")
            routers.append(client(identifier, f"secret-{tenant.id}-{number}"))
        world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    for router in routers:
        assert router.log_in("alice").code == codes.ACCESS_ACCEPT


def test_a_nas_without_identifier_is_known_by_its_address(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    world.nas(tenant, auth_mode="address", address="127.0.0.77")
    world.subscriber(tenant, "alice")
    processes.start()
    assert client("", address="127.0.0.77").log_in("alice").code == codes.ACCESS_ACCEPT
    elsewhere = client("", address="127.0.0.78")
    before = counts(world, 0).get("auth dropped:unknown_nas", 0)
    assert elsewhere.ask(elsewhere.access("alice"), timeout=0.2) is None
    wait_for(lambda: counts(world, 0).get("auth dropped:unknown_nas", 0) == before + 1)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_one_socket_for_both_kinds_of_addresses(world: World, processes: Processes, client) -> None:
    """``BROADLOOM_BIND=::`` names an IPv4 router ``::ffff:…``; it is known, shown and answered by its own address."""
    tenant = world.tenant()
    world.nas(tenant, auth_mode="address", address="127.0.0.79")
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.settings = replace(processes.settings, bind="::")
    processes.start()
    assert client("", address="127.0.0.79").log_in("alice").code == codes.ACCESS_ACCEPT
    source = "SELECT last_source FROM registry.nas WHERE tenant_id = %s AND last_source <> ''"
    [(shown,)] = wait_for(lambda: world.query(source, tenant.id))
    assert shown.startswith("127.0.0.79:")


def test_a_nas_added_now_works_without_a_restart(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    processes.start()
    nas_id, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    router = client(identifier)
    answer = wait_for(lambda: router.ask(router.access("alice"), timeout=0.5), limit(5))
    assert answer.code == codes.ACCESS_ACCEPT
    row = wait_for(
        lambda: (
            (
                found := world.query(
                    "SELECT first_packet_at, first_accept_at, last_source FROM registry.nas WHERE id = %s", nas_id
                )[0]
            )
            and found[1]
            and found
        )
    )
    assert row[2].startswith("127.0.0.1:")
    world.run("UPDATE registry.nas SET deleted_at = now() WHERE id = %s", nas_id)
    wait_for(  # counted, and not only late
        lambda: (
            router.ask(router.access("alice"), timeout=0.2) is None
            and counts(world, tenant.id).get("auth dropped:unknown_nas")
        )
    )


def test_replies_are_signed_with_the_secret(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice")
    processes.start()
    router = client(identifier)
    request = router.accounting(codes.ACCT_START, "s1", "alice")
    answer = router.ask(request)
    assert answer.raw[4:20] == md5(answer.raw[:4] + request[4:20] + answer.raw[20:] + router.secret).digest()
